#include "evidence/ledger.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>

#include "core/hash.h"

namespace icecore::evidence {
namespace {

// Of a torn line that is longer, the note keeps the beginning and the SHA-256 of all of it.
constexpr std::size_t kTailKept = std::size_t{64} << 10;

Result<void> flush(int fd, const Path& path) {
  if (::fdatasync(fd) != 0) return errno_failure(errno, "flush", path);
  return {};
}

Result<void> flush_folder(const Path& file) {
  ICECORE_ASSIGN(const FileDescriptor folder, open_file(file.parent_path(), O_RDONLY | O_DIRECTORY));
  if (::fsync(folder.get()) != 0) return errno_failure(errno, "flush", file.parent_path());
  return {};
}

Json torn_note(std::uint64_t offset, std::string_view tail) {
  return {{"note", "torn-tail"},
          {"offset", offset},
          {"size", tail.size()},
          {"sha256", to_hex(sha256(as_bytes(tail)))},
          {"bytes_base64", to_base64(as_bytes(tail.substr(0, kTailKept)))},
          {"why", "the last line was incomplete when the ledger was opened: the run that wrote it was killed"}};
}

}  // namespace

Ledger::Ledger(Path path, FileDescriptor file, RunIdentity run, const Clock& clock)
    : path_(std::move(path)), file_(std::move(file)), run_(std::move(run)), clock_(clock) {}

Result<std::unique_ptr<Ledger>> Ledger::open(const Path& file, RunIdentity run, const Clock& clock) {
  // Not O_APPEND: Linux would ignore pwrite's offset, and the torn tail could not be set aside in one write.
  ICECORE_ASSIGN(FileDescriptor descriptor, open_file(file, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  ICECORE_CHECK(flush_folder(file));
  std::unique_ptr<Ledger> ledger(new Ledger(file, std::move(descriptor), std::move(run), clock));
  LedgerSummary& summary = ledger->summary_;
  ICECORE_ASSIGN(const LedgerTail tail, read_ledger(file, [&](const Entry& entry, std::uint64_t) -> Result<void> {
                   summary.add(entry);
                   return {};
                 }));
  ledger->size_ = tail.offset;
  ledger->synced_ = summary.count();
  if (!tail.bytes.empty()) ICECORE_CHECK(ledger->set_torn_tail_aside(tail.bytes));
  return ledger;
}

// The note is written over the torn line in one write, then the file is cut behind it. Killed in between, the rest of the tail is a torn tail again.
Result<void> Ledger::set_torn_tail_aside(std::string_view tail) {
  ICECORE_CHECK(append(EntryKind::kNote, 0, torn_note(size_, tail), Sync::kLater));
  if (::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) return errno_failure(errno, "shorten", path_);
  return flush(file_.get(), path_);
}

Result<Ledger::Line> Ledger::next_line(EntryKind kind, std::uint64_t act, Json body) const {
  if (broken_)
    return fail(Code::kIo,
                fmt::format("{} cannot be written any more since a write failed; free disk space and run the command again", path_.string()));
  Line line;
  Entry& entry = line.entry;
  entry.seq = summary_.count() + 1;
  entry.time = to_iso8601(clock_.now(), 6);
  entry.prev = summary_.head();
  entry.kind = kind;
  entry.act = kind == EntryKind::kIntent ? entry.seq : act;
  entry.run = run_.run;
  entry.actor = run_.actor;
  entry.host = run_.host;
  entry.version = run_.version;
  entry.body = std::move(body);
  line.text = format_entry(entry);
  if (line.text.size() > kMaximumLine)
    return fail(Code::kInternal,
                fmt::format("a ledger line of {} bytes: put the content in a file of the case and its SHA-256 in the ledger", line.text.size()));
  // What is written must be readable for ever: depth, types, canonical form.
  ICECORE_CHECK(parse_entry(std::string_view(line.text).substr(0, line.text.size() - 1)));
  return line;
}

Result<void> Ledger::write_line(const Line& line) {
  const Result<void> written = write_exactly(file_.get(), as_bytes(line.text), size_, path_);
  if (!written) {
    if (::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) broken_ = true;
    return written;
  }
  size_ += line.text.size();
  summary_.add(line.entry);
  return {};
}

Result<Entry> Ledger::append(EntryKind kind, std::uint64_t act, Json body, Sync sync) {
  Entry entry;
  {
    const std::scoped_lock lock(mutex_);
    ICECORE_ASSIGN(Line line, next_line(kind, act, std::move(body)));
    ICECORE_CHECK(write_line(line));
    entry = std::move(line.entry);
  }
  if (sync == Sync::kNow) ICECORE_CHECK(make_safe(entry.seq));
  return entry;
}

// Whoever comes while another thread flushes waits for it, and then flushes once for all lines that came meanwhile.
Result<void> Ledger::make_safe(std::uint64_t seq) {
  const std::scoped_lock turn(sync_mutex_);
  if (synced_ >= seq) return {};
  const std::uint64_t covered = [&] {
    const std::scoped_lock lock(mutex_);
    return summary_.count();
  }();
  if (const Result<void> flushed = flush(file_.get(), path_); !flushed) {
    // After a failed fdatasync the kernel may drop the pages: what is in the file is unknown.
    const std::scoped_lock lock(mutex_);
    broken_ = true;
    return flushed;
  }
  synced_ = covered;
  return {};
}

Result<std::uint64_t> Ledger::intend(Json body, Sync sync) {
  return append(EntryKind::kIntent, 0, std::move(body), sync).map([](const Entry& entry) { return entry.seq; });
}

Result<void> Ledger::conclude(std::uint64_t act, Json body, Sync sync) {
  ICECORE_CHECK(append(EntryKind::kOutcome, act, std::move(body), sync));
  return {};
}

Result<void> Ledger::note(Json body, Sync sync) {
  ICECORE_CHECK(append(EntryKind::kNote, 0, std::move(body), sync));
  return {};
}

Result<Ledger::Sealed> Ledger::checkpoint(Json body) {
  const std::scoped_lock turn(sync_mutex_);
  const std::scoped_lock lock(mutex_);
  ICECORE_ASSIGN(const Line line, next_line(EntryKind::kCheckpoint, 0, std::move(body)));
  ICECORE_CHECK(write_line(line));
  ICECORE_CHECK(flush(file_.get(), path_));
  synced_ = line.entry.seq;
  ICECORE_ASSIGN(Sha256 hash, hash_so_far());
  return Sealed{line.entry, to_hex(hash.finish())};
}

Result<Sha256> Ledger::hash_so_far() const {
  Sha256 hash;
  Bytes piece(std::size_t{1} << 18);
  for (std::uint64_t offset = 0; offset < size_;) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), size_ - offset));
    ICECORE_CHECK(read_exactly(file_.get(), std::span(piece).first(count), offset, path_));
    hash.update(ByteView(piece).first(count));
    offset += count;
  }
  return hash;
}

Result<void> Ledger::conclude_after(std::uint64_t act, Json body, const std::function<Result<void>(const std::string&)>& before) {
  const std::scoped_lock turn(sync_mutex_);
  const std::scoped_lock lock(mutex_);
  ICECORE_ASSIGN(const Line line, next_line(EntryKind::kOutcome, act, std::move(body)));
  ICECORE_ASSIGN(Sha256 hash, hash_so_far());
  hash.update(as_bytes(line.text));
  ICECORE_CHECK(before(to_hex(hash.finish())));
  ICECORE_CHECK(write_line(line));
  ICECORE_CHECK(flush(file_.get(), path_));
  synced_ = line.entry.seq;
  return {};
}

std::optional<FileRecord> Ledger::file(const std::string& relative) const {
  const std::scoped_lock lock(mutex_);
  const auto found = summary_.files().find(relative);
  return found == summary_.files().end() ? std::nullopt : std::optional(found->second);
}

LedgerSummary Ledger::summary() const {
  const std::scoped_lock lock(mutex_);
  return summary_;
}

}  // namespace icecore::evidence
