// verify_case, second half: every file against what the ledger and the manifest say, and the images.
#include "evidence/verify.h"

#include <fmt/format.h>
#include <algorithm>
#include <atomic>
#include <tuple>

#include "core/parallel.h"
#include "core/text.h"
#include "evidence/case_path.h"
#include "evidence/checkpoint.h"
#include "evidence/verification.h"

namespace icecore::evidence {
namespace {

constexpr std::string_view kImageName = "image.raw";

bool is_image(const std::string& path) { return path.ends_with("/image.raw"); }

// Files that change while a case is worked on; image/ checks what is in them.
bool belongs_to_image(const std::string& path) {
  return is_image(path) || path.ends_with("/blocks.db") || path.ends_with("/blocks.db-wal") || path.ends_with("/blocks.db-shm");
}

}  // namespace

std::string to_string(const Problem& problem) {
  std::string text = fmt::format("{}: {}", problem.kind, printable(problem.file));
  if (problem.line) text += fmt::format(", line {}", *problem.line);
  if (problem.block) text += fmt::format(", block {}", *problem.block);
  if (problem.offset) text += fmt::format(", byte {}", *problem.offset);
  return text + ": " + problem.message;
}

void Verification::add(Problem problem) {
  const std::scoped_lock lock(mutex_);
  report_.problems.push_back(std::move(problem));
}

Result<std::string> Verification::read(const std::string& relative) const {
  ICECORE_ASSIGN(const FileDescriptor file, open_beneath(folder_, relative));
  return read_text_file(Path("/proc/self/fd") / std::to_string(file.get()));
}

bool Verification::is_there(const std::string& relative) const {
  std::error_code ignored;
  return std::filesystem::exists(std::filesystem::symlink_status(folder_ / relative, ignored));
}

void Verification::expect_files() {
  for (const auto& [path, record] : summary_.files()) ledger_says_[path] = {record.sha256, fmt::format("ledger line {}", record.seq)};
  for (const Entry& intent : summary_.open_intents())
    if (text_at(intent.body, "act") == "write-file") in_flight_[text_at(intent.body, "path")] = text_at(intent.body, "sha256");
  if (!manifest_) return;
  for (const ManifestLine& file : manifest_->files) {
    manifest_says_[file.path] = {file.sha256, fmt::format("{} line {}", kManifestFile, file.line)};
    const auto ledger = ledger_says_.find(file.path);
    if (ledger != ledger_says_.end() && ledger->second.sha256 != file.sha256)
      add({"manifest",
           std::string(kManifestFile),
           file.line,
           {},
           {},
           fmt::format("it lists another hash of {} than {}", printable(file.path), ledger->second.says)});
  }
}

// With a manifest, only images that are still being filled are in no list. Without one, also what the ledger does not list, and what a killed run
// left half written.
bool Verification::may_be_unlisted(const std::string& path) const {
  if (manifest_) return manifest_->left_out.contains(path) && belongs_to_image(path);
  if (path == "ledger.jsonl" || signatures_.contains(path) || belongs_to_image(path)) return true;
  return !report_.finished && (in_flight_.contains(path) || path.ends_with(".tmp"));
}

Result<void> Verification::check_file(const CaseFile& file) {
  if (!file.regular) {
    add({"added", file.path, {}, {}, {}, "it is a link or a special file, which icecore never makes in a case"});
    return {};
  }
  std::vector<const Expectation*> expected;
  for (const auto* says : {&ledger_says_, &manifest_says_})
    if (const auto found = says->find(file.path); found != says->end()) expected.push_back(&found->second);
  if (expected.empty()) {
    if (!may_be_unlisted(file.path)) add({"added", file.path, {}, {}, {}, "nothing in the case tells of this file"});
    return {};
  }
  const Result<std::string> hash = hash_beneath(folder_, file.path);
  if (!hash) {
    if (hash.error().code == Code::kIo || hash.error().code == Code::kPermission) return Failure(hash.error());
    add({"missing", file.path, {}, {}, {}, to_string(hash.error())});
    return {};
  }
  for (const Expectation* one : expected) {
    if (one->sha256 == *hash) continue;
    const auto flight = in_flight_.find(file.path);
    if (flight != in_flight_.end() && flight->second == *hash) continue;  // renamed, killed before the outcome was written
    add({"changed", file.path, {}, {}, {}, fmt::format("its SHA-256 is {}, and {} says {}", *hash, one->says, one->sha256)});
    break;
  }
  return {};
}

Result<void> Verification::hash_files() {
  std::uint64_t total = 0;
  for (const CaseFile& file : files_) total += file.size;
  std::atomic<std::uint64_t> done{0};
  if (options_.progress != nullptr) options_.progress->begin("checking files", total, "bytes");
  const std::size_t threads = options_.threads == 0 ? cpu_count() : options_.threads;
  const Result<void> result = parallel_for(files_.size(), threads, [&](std::size_t i) -> Result<void> {
    ICECORE_CHECK(check_file(files_[i]));
    if (options_.progress != nullptr) options_.progress->update(done += files_[i].size);
    return {};
  });
  if (options_.progress != nullptr) options_.progress->end();
  report_.files = files_.size();
  report_.bytes = total;
  return result;
}

void Verification::report_missing() {
  std::map<std::string, std::string> expected;
  for (const auto* says : {&manifest_says_, &ledger_says_})
    for (const auto& [path, one] : *says) expected[path] = one.says;
  if (manifest_)
    for (const auto& [path, reason] : manifest_->left_out) expected[path] = std::string(kManifestFile);
  for (const auto& [path, says] : expected)
    if (!std::ranges::binary_search(files_, path, {}, &CaseFile::path)) add({"missing", path, {}, {}, {}, fmt::format("{} names it", says)});
}

Result<void> Verification::check_images() {
  std::set<std::string> images;
  for (const CaseFile& file : files_)
    if (is_image(file.path) && is_there(file.path.substr(0, file.path.size() - kImageName.size()) + "blocks.db")) images.insert(file.path);
  for (const auto& [path, seals] : summary_.seals()) images.insert(path);
  for (const std::string& path : images) {
    if (options_.images == nullptr) {
      add({"block", path, {}, {}, {}, "its blocks were not checked: this build has no image verifier"});
      continue;
    }
    const auto seals = summary_.seals().find(path);
    const Path absolute = folder_ / path;
    const ImageVerifier::Request request{absolute.parent_path(), path, seals == summary_.seals().end() ? std::vector<ImageSeal>() : seals->second,
                                         !report_.finished};
    ICECORE_CHECK(options_.images->verify(
        request, [&](Problem problem) { add(std::move(problem)); }, [&](std::string note) { report_.notes.push_back(std::move(note)); }));
    ++report_.images;
  }
  return {};
}

void Verification::remark_open_acts() {
  for (const Entry& intent : summary_.open_intents()) {
    const std::string act = text_at(intent.body, "act");
    report_.notes.push_back(act == "run"
                                ? fmt::format("the run {} (ledger line {}) did not finish: run the command again", printable(intent.run), intent.seq)
                                : fmt::format("ledger line {}: the act \"{}\" has no outcome", intent.seq, printable(act)));
  }
}

Result<VerifyReport> Verification::run() {
  if (!is_there("ledger.jsonl")) return fail(Code::kNotFound, fmt::format("{} is no case: it has no ledger.jsonl", folder_.string()));
  ICECORE_CHECK(read_chain());
  ICECORE_CHECK(check_checkpoints());
  ICECORE_CHECK(load_manifest());
  expect_files();
  ICECORE_ASSIGN(files_, list_case(folder_));
  ICECORE_CHECK(hash_files());
  report_missing();
  ICECORE_CHECK(check_images());
  remark_open_acts();
  std::ranges::stable_sort(report_.problems, {}, [](const Problem& problem) { return std::tie(problem.file, problem.line, problem.block); });
  return std::move(report_);
}

Result<VerifyReport> verify_case(const Path& folder, const VerifyOptions& options) { return Verification(folder, options).run(); }

}  // namespace icecore::evidence
