// How a file gets into a case: bytes to a temporary, intent with their SHA-256, the name, outcome. Killed anywhere, the next run knows which it was.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>

#include "core/random.h"
#include "core/text.h"
#include "evidence/case_folder.h"
#include "evidence/case_path.h"
#include "evidence/checkpoint.h"

namespace icecore::evidence {
namespace {

constexpr std::size_t kBuffer = std::size_t{1} << 18;

Json file_json(const FileRecord& record) {
  return {{"path", record.path}, {"sha256", record.sha256}, {"size", record.size}, {"source", record.source}};
}

Result<void> rename_safely(const Path& temporary, const Path& path) {
  if (::rename(temporary.c_str(), path.c_str()) != 0) return errno_failure(errno, "rename to", path);
  ICECORE_ASSIGN(const FileDescriptor folder, open_file(path.parent_path(), O_RDONLY | O_DIRECTORY));
  if (::fsync(folder.get()) != 0) return errno_failure(errno, "flush", path.parent_path());
  return {};
}

}  // namespace

Result<std::string> CaseFolder::writable(std::string_view relative) const {
  ICECORE_ASSIGN(std::string checked, checked_relative(relative));
  for (const std::string_view own : {std::string_view("ledger.jsonl"), std::string_view(".lock"), kManifestFile, kManifestSignature})
    if (checked == own) return fail(Code::kInvalidArgument, fmt::format("{} is written by the case itself", own));
  if (checked.ends_with(".tmp")) return fail(Code::kInvalidArgument, fmt::format("{}: names of a case do not end in .tmp", printable(checked)));
  return checked;
}

// True where the ledger has these bytes under this name already, and they are there.
Result<bool> CaseFolder::is_there(const std::string& relative, std::string_view sha256, Existing existing) const {
  const std::optional<FileRecord> known = ledger_->file(relative);
  if (!known) return false;
  std::error_code ignored;
  if (known->sha256 == sha256) return std::filesystem::is_regular_file(std::filesystem::symlink_status(folder_ / relative, ignored));
  if (existing == Existing::kReplace) return false;
  return fail(Code::kConflict, fmt::format("{} was collected before (ledger line {}) with other content; evidence is not overwritten",
                                           printable(relative), known->seq));
}

Result<FileRecord> CaseFolder::publish(const FileRecord& record, const Path& temporary) {
  Json intent = file_json(record);
  intent["act"] = "write-file";
  ICECORE_ASSIGN(const std::uint64_t act, ledger_->intend(std::move(intent)));
  if (const Result<void> renamed = rename_safely(temporary, folder_ / record.path); !renamed) {
    ICECORE_CHECK(ledger_->conclude(act, {{"ok", false}, {"error", to_string(renamed.error())}}));
    return Failure(renamed.error());
  }
  ICECORE_CHECK(ledger_->conclude(act, {{"ok", true}, {"file", file_json(record)}}));
  FileRecord written = record;
  if (const auto known = ledger_->file(record.path)) written.seq = known->seq;
  return written;
}

Result<std::unique_ptr<EvidenceWriter>> CaseFolder::begin_evidence(std::string_view relative, std::string_view source, Existing existing) {
  ICECORE_ASSIGN(std::string checked, writable(relative));
  ICECORE_ASSIGN(Path path, place(checked));
  std::unique_ptr<EvidenceWriter> writer(new EvidenceWriter(*this, std::move(checked), std::move(path), valid_utf8(source), existing));
  ICECORE_ASSIGN(writer->file_, open_file(writer->temporary_, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  return writer;
}

Result<FileRecord> CaseFolder::write_evidence(std::string_view relative, std::string_view bytes, std::string_view source, Existing existing) {
  ICECORE_ASSIGN(const std::string checked, writable(relative));
  // Spares the temporary where a resumed run collects the same bytes again.
  ICECORE_ASSIGN(const bool there, is_there(checked, to_hex(sha256(as_bytes(bytes))), existing));
  if (there) return ledger_->file(checked).value_or(FileRecord{});
  ICECORE_ASSIGN(const std::unique_ptr<EvidenceWriter> writer, begin_evidence(relative, source, existing));
  ICECORE_CHECK(writer->write(bytes));
  return writer->commit();
}

EvidenceWriter::EvidenceWriter(CaseFolder& folder, std::string relative, Path final_path, std::string source, Existing existing)
    : folder_(folder),
      relative_(std::move(relative)),
      path_(std::move(final_path)),
      temporary_(fmt::format("{}.{}.tmp", path_.string(), random_hex(4))),
      source_(std::move(source)),
      existing_(existing) {}

EvidenceWriter::~EvidenceWriter() {
  if (!done_ && file_) ::unlink(temporary_.c_str());
}

Result<void> EvidenceWriter::flush_buffer() {
  ICECORE_CHECK(write_exactly(file_.get(), as_bytes(buffer_), size_, temporary_));
  size_ += buffer_.size();
  buffer_.clear();
  return {};
}

Result<void> EvidenceWriter::write(std::string_view bytes) {
  hash_.update(as_bytes(bytes));
  buffer_ += bytes;
  return buffer_.size() >= kBuffer ? flush_buffer() : Result<void>();
}

Result<FileRecord> EvidenceWriter::commit() {
  if (done_) return fail(Code::kInternal, "a file of the case was committed twice");
  ICECORE_CHECK(flush_buffer());
  if (::fsync(file_.get()) != 0) return errno_failure(errno, "flush", temporary_);
  const FileRecord record{relative_, to_hex(hash_.finish()), size_, source_};
  const std::scoped_lock lock(folder_.write_mutex_);
  ICECORE_ASSIGN(const bool there, folder_.is_there(relative_, record.sha256, existing_));
  if (there) return folder_.ledger().file(relative_).value_or(record);  // the destructor removes the temporary
  ICECORE_ASSIGN(FileRecord written, folder_.publish(record, temporary_));
  done_ = true;
  return written;
}

}  // namespace icecore::evidence
