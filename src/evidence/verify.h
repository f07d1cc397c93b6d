// `icecore verify CASE`: finds any changed, missing, added or reordered byte, file or line, and names it. Reads only.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/progress.h"
#include "evidence/ledger_summary.h"
#include "evidence/signature.h"

namespace icecore::evidence {

/// One thing that is not as it was.
struct Problem {
  std::string kind;  ///< "changed", "missing", "added", "ledger", "signature", "manifest", "block", "torn"
  std::string file;  ///< relative, raw bytes
  std::optional<std::uint64_t> line;
  std::optional<std::uint64_t> offset;
  std::optional<std::uint64_t> block;
  std::string message;
};

/// One line for people, safe for terminals.
std::string to_string(const Problem& problem);

using ProblemSink = std::function<void(Problem)>;

/// Checks images block by block. evidence/ knows no images: the engine hands in image/verify_image.h.
class ImageVerifier {
 public:
  virtual ~ImageVerifier() = default;
  struct Request {
    Path folder;           ///< absolute: snapshots/snap-…
    std::string relative;  ///< snapshots/snap-…/image.raw, for problems
    std::vector<ImageSeal> seals;
    bool unfinished = false;  ///< the last run was killed: blocks that were not recorded yet may hold data
  };
  /// Problems go to `problem`, remarks to `note`, both from one thread at a time. An error is one of reading (kIo), not of evidence.
  virtual Result<void> verify(const Request& request, const ProblemSink& problem, const std::function<void(std::string)>& note) = 0;
};

struct VerifyOptions {
  ImageVerifier* images = nullptr;         ///< without it, a case that has images is reported as not checked whole
  std::optional<std::string> trusted_key;  ///< key id that must have signed everything; without it any key that the case brings is taken
  std::optional<Path> tsa_ca_file;         ///< time-stamps must chain to it
  Progress* progress = nullptr;
  std::size_t threads = 0;  ///< 0: one per core
};

struct VerifyReport {
  std::vector<Problem> problems;   ///< empty: the case is as it was signed
  std::vector<std::string> notes;  ///< what is no problem and worth saying (the last run did not finish; signed by …)
  std::uint64_t entries = 0;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t checkpoints = 0;
  std::uint64_t timestamps = 0;
  std::uint64_t images = 0;
  bool finished = true;  ///< false: the last run was killed, so there is no manifest
  bool ok() const { return problems.empty(); }
};

/// An error only where the case cannot be read at all (kNotFound, kPermission, kIo).
Result<VerifyReport> verify_case(const Path& folder, const VerifyOptions& options = {});

}  // namespace icecore::evidence
