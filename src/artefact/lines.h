// Text files line by line in bounded memory, gzip'ed ones too, and the family of files that a log and its rotations are.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/anomaly.h"
#include "machine/machine.h"

namespace icecore::artefact {

struct Line {
  std::string_view text;     ///< without its '\n'; valid during the call
  std::uint64_t number = 0;  ///< 1-based
  std::uint64_t offset = 0;  ///< of its first byte in the (unpacked) text
  bool cut = false;          ///< it was longer than kLongestLine; `text` is its beginning
};

constexpr std::size_t kLongestLine = 64 << 10;
constexpr std::uint64_t kMostText = std::uint64_t{4} << 30;  ///< of unpacked text a file

using LineVisitor = std::function<Result<void>(const Line&)>;

/// Every line of a text in memory.
Result<void> for_each_line(std::string_view text, const LineVisitor& visit);

/// Every line of a file, unpacked where it is gzip. Damage becomes an anomaly (what was read before it has been given); an error of `visit` or one
/// that ends the run comes back.
Result<void> for_each_line(const machine::Machine& machine, const machine::FileRef& file, const LineVisitor& visit);

/// Pieces of a file of fixed records, `step` bytes each but the last, unpacked where it is gzip; large holes are passed over without reading. Errors
/// as for_each_line.
using PieceVisitor = std::function<Result<void>(ByteView bytes, std::uint64_t offset)>;
Result<void> for_each_record(const machine::Machine& machine, const machine::FileRef& file, std::size_t step, const PieceVisitor& visit);

struct LogFile {
  machine::FileRef file;
  std::string rotation;  ///< "", "1", "2.gz", "20261101.gz"
  bool packed = false;   ///< its name ends in .gz
};

/// `pattern` ("/var/log/auth.log") with its rotations (auth.log.1, auth.log.2.gz, auth.log-20261101), oldest first.
Result<std::vector<LogFile>> log_family(const machine::Machine& machine, std::string_view pattern);

}  // namespace icecore::artefact
