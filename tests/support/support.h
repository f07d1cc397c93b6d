// Shared by the tests: scratch folders, running oracles (mkfs, debugfs, openssl, …), asserting on Results.
#pragma once

#include <gtest/gtest.h>
#include <filesystem>
#include <string>

#include "core/result.h"

namespace icecore::test {

/// A folder that is removed with the object.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

struct CommandResult {
  int exit_code;
  std::string output;  ///< standard output; standard error too where `merge`
};

/// Runs a shell command (an oracle). Never fails a test by itself.
CommandResult run(const std::string& command, bool merge = false);

/// Runs it and fails the test with its output where it does not exit 0; gives the output.
std::string run_ok(const std::string& command);

/// Calls `attempt` until it returns true; false where it never did. A `sync` anywhere on the machine writes back every mounted filesystem, so
/// that a disk that a test wants unclean is clean: it is made anew. `attempt` decides by an oracle, never by the code under test.
template <class Attempt>
bool until_undisturbed(Attempt attempt) {
  constexpr int kAttempts = 20;
  for (int i = 0; i < kAttempts; ++i) {
    if (attempt()) return true;
  }
  return false;
}

/// tests/DATA in the source tree.
std::filesystem::path data_file(const std::string& name);

}  // namespace icecore::test

/// Asserts that a Result holds a value and declares it.
#define ICECORE_ASSERT_OK(RESULT) ASSERT_TRUE((RESULT).has_value()) << ::icecore::to_string((RESULT).error())
#define ICECORE_EXPECT_CODE(RESULT, CODE)                                                                                         \
  do {                                                                                                                            \
    ASSERT_FALSE((RESULT).has_value()) << "expected an error";                                                                    \
    EXPECT_EQ(::icecore::code_name((RESULT).error().code), ::icecore::code_name(CODE)) << ::icecore::to_string((RESULT).error()); \
  } while (false)
