#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <cerrno>

#include "evidence/ledger.h"

namespace icecore::evidence {
namespace {

/// Pieces of a file cut at newlines; holds one line at most.
class LineReader {
 public:
  LineReader(int fd, const Path& path) : fd_(fd), path_(path) {}

  /// The next complete line without its newline; nothing at the end, where rest() is what remains.
  Result<std::optional<std::string_view>> next() {
    offset_ += taken_;
    buffer_.erase(0, taken_);
    taken_ = 0;
    std::size_t searched = 0;
    for (;;) {
      const std::size_t end = buffer_.find('\n', searched);
      if (end != std::string::npos) {
        taken_ = end + 1;
        return std::optional(std::string_view(buffer_).substr(0, end));
      }
      searched = buffer_.size();
      if (searched > kMaximumLine)
        return fail(Code::kIntegrity, fmt::format("a line is longer than {} bytes", kMaximumLine), Location{path_.string(), offset_});
      ICECORE_ASSIGN(const bool more, fill());
      if (!more) return std::optional<std::string_view>();
    }
  }
  std::uint64_t offset() const { return offset_; }
  const std::string& rest() const { return buffer_; }

 private:
  Result<bool> fill() {
    constexpr std::size_t kChunk = std::size_t{1} << 16;
    const std::size_t old_size = buffer_.size();
    buffer_.resize(old_size + kChunk);
    ssize_t count = 0;
    do {
      count = ::read(fd_, buffer_.data() + old_size, kChunk);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return errno_failure(errno, "read", path_);
    buffer_.resize(old_size + static_cast<std::size_t>(count));
    return count > 0;
  }

  const int fd_;
  const Path& path_;
  std::string buffer_;
  std::size_t taken_ = 0;
  std::uint64_t offset_ = 0;
};

Failure broken(const Path& file, std::uint64_t line, std::uint64_t offset, std::string_view what) {
  return fail(Code::kIntegrity, fmt::format("{} line {}: {}", file.filename().string(), line, what), Location{file.string(), offset});
}

Result<void> check_link(const Entry& entry, std::uint64_t line, std::string_view head, const Path& file, std::uint64_t offset) {
  if (entry.seq != line) {
    return broken(file, line, offset,
                  entry.seq > line
                      ? fmt::format("it is numbered {}: lines {} to {} are missing, or it was moved here", entry.seq, line, entry.seq - 1)
                      : fmt::format("it is numbered {}: a line was added before it, or lines are out of order", entry.seq));
  }
  if (entry.prev != head) return broken(file, line, offset, "it does not follow the line before it: one of the two was replaced");
  if (entry.kind == EntryKind::kIntent && entry.act != entry.seq) return broken(file, line, offset, "an intent names another act");
  if (entry.kind == EntryKind::kOutcome && (entry.act == 0 || entry.act >= entry.seq))
    return broken(file, line, offset, "an outcome of an act that had not begun");
  return {};
}

}  // namespace

Result<LedgerTail> read_ledger(const Path& file, const std::function<Result<void>(const Entry&, std::uint64_t)>& visit) {
  ICECORE_ASSIGN(const FileDescriptor descriptor, open_file(file, O_RDONLY | O_NOFOLLOW));
  LineReader lines(descriptor.get(), file);
  std::string head(kGenesis);
  for (std::uint64_t number = 1;; ++number) {
    ICECORE_ASSIGN(const std::optional<std::string_view> line, lines.next());
    if (!line) break;
    Result<Entry> entry = parse_entry(*line);
    if (!entry) return broken(file, number, lines.offset(), entry.error().message);
    ICECORE_CHECK(check_link(*entry, number, head, file, lines.offset()));
    head = entry->sha256;
    ICECORE_CHECK(visit(*entry, lines.offset()));
  }
  return LedgerTail{lines.offset(), lines.rest()};
}

}  // namespace icecore::evidence
