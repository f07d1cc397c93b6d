// Errors as values. Whatever the outside world can cause (a damaged disk, a refused call, a full folder) is a Result; assert is for our own bugs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace icecore {

/// What kind of thing went wrong; the CLI maps these to exit codes and hints.
enum class Code {
  kInvalidArgument,  ///< the user's or caller's words are off
  kNotFound,         ///< no such file, inode, instance, block
  kPermission,       ///< the account or the operating system refuses; the message names the action
  kCredentials,      ///< none found, expired, or refused
  kNetwork,          ///< could not be reached, timed out, throttled beyond the budget
  kRemote,           ///< the service answered with an error that is none of the above
  kCorrupt,          ///< bytes that do not parse or whose checksum is wrong: becomes an anomaly
  kIntegrity,        ///< evidence that does not match its hash, chain or signature: never downgraded
  kUnsupported,      ///< recognised, and not read by this version
  kIo,               ///< the local disk or a local file
  kBusy,             ///< in use by another run
  kConflict,         ///< belongs to another account, case or state
  kInterrupted,      ///< Ctrl-C or SIGTERM
  kInternal,         ///< our bug
};

std::string_view code_name(Code code);

/// Where in the evidence: an image (or file) and a byte in it, a path or inode when known. Empty members are unknown.
struct Location {
  std::string source;  ///< snapshot id, image path, or file of the case
  std::optional<std::uint64_t> offset = std::nullopt;
  std::optional<std::uint64_t> inode = std::nullopt;
  std::string path = {};
};

std::string to_string(const Location& where);

struct Error {
  Code code = Code::kInternal;
  std::string message;  ///< what, where, and what to do next, in one or two sentences
  std::optional<Location> where = std::nullopt;
  std::shared_ptr<const Error> cause = nullptr;
};

/// The message, the location, and the chain of causes, on one line.
std::string to_string(const Error& error);

using Failure = tl::unexpected<Error>;

inline Failure fail(Code code, std::string message, std::optional<Location> where = std::nullopt) {
  return Failure(Error{code, std::move(message), std::move(where), nullptr});
}

/// The same failure seen from one level up: keeps the code, says what was being done.
inline Failure wrap(Error inner, std::string doing) {
  const Code code = inner.code;
  auto where = inner.where;
  return Failure(Error{code, std::move(doing), std::move(where), std::make_shared<const Error>(std::move(inner))});
}

template <typename T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using Base = tl::expected<T, Error>;
  using Base::Base;
  Result(Base base) : Base(std::move(base)) {}  // NOLINT: `return f().map(…)` shall compile
};

template <>
class [[nodiscard]] Result<void> : public tl::expected<void, Error> {
 public:
  using Base = tl::expected<void, Error>;
  using Base::Base;
  Result(Base base) : Base(std::move(base)) {}  // NOLINT
};

}  // namespace icecore

#define ICECORE_CONCAT_INNER(a, b) a##b
#define ICECORE_CONCAT(a, b) ICECORE_CONCAT_INNER(a, b)

/// Returns the error of EXPR from the calling function, if it is one.
#define ICECORE_CHECK(EXPR)                                                                                       \
  do {                                                                                                            \
    if (auto icecore_check = (EXPR); !icecore_check) return ::icecore::Failure(std::move(icecore_check).error()); \
  } while (false)

#define ICECORE_ASSIGN_INNER(RESULT, DECL, EXPR)                     \
  auto RESULT = (EXPR);                                              \
  if (!RESULT) return ::icecore::Failure(std::move(RESULT).error()); \
  DECL = std::move(*RESULT)

/// `ICECORE_ASSIGN(auto x, f())`: declares x from a Result, or returns its error.
#define ICECORE_ASSIGN(DECL, EXPR) ICECORE_ASSIGN_INNER(ICECORE_CONCAT(icecore_result_, __LINE__), DECL, EXPR)
