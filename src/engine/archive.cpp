#include "engine/archive.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <algorithm>
#include <map>
#include <mutex>

#include "core/parallel.h"
#include "core/text.h"
#include "engine/command_calls.h"
#include "engine/evidence_calls.h"
#include "evidence/checkpoint.h"

namespace icecore::engine {
namespace {

constexpr std::uint64_t kWholeBelow = std::uint64_t{16} << 20;
constexpr std::uint64_t kLeastPart = std::uint64_t{8} << 20;
constexpr std::uint64_t kPieceMost = std::uint64_t{5} << 20;  // what a part may be longer: engine/byte_stream.h
constexpr std::uint64_t kMemory = std::uint64_t{128} << 20;   // for parts that are made and parts that fly
constexpr std::size_t kSmallSideBySide = 6;                   // of files that are read whole
constexpr std::size_t kKeyBytes = 1024;                       // S3's bound

// Parts so large that 10,000 are enough, with room for what does not compress.
std::uint64_t part_bytes(std::uint64_t data) {
  constexpr std::uint64_t kStep = std::uint64_t{1} << 20;
  return std::max(kLeastPart, (data / 9'000 + kStep - 1) / kStep * kStep);
}

std::size_t side_by_side(std::uint64_t part) { return std::clamp<std::size_t>(kMemory / (2 * (part + kPieceMost)), 1, 4); }

// S3's keys are UTF-8, and its XML has no way to write control characters.
std::string key_text(std::string_view path) {
  const bool plain = valid_utf8(path) == path;
  std::string key;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool odd = byte < 0x20 || byte == 0x7F || (!plain && (byte >= 0x80 || c == '%'));
    key += odd ? fmt::format("%{:02X}", byte) : std::string(1, c);
  }
  return key;
}

std::uint64_t allocated(const Path& path, std::uint64_t size) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return size;
  return std::min<std::uint64_t>(size, static_cast<std::uint64_t>(status.st_blocks) * 512);
}

Json retention_json(const std::optional<aws::ObjectRetention>& retention) {
  if (!retention) return nullptr;
  return {{"mode", retention->mode}, {"until", to_iso8601({retention->until.seconds, 0}, 0)}};
}

class Archive {
 public:
  Archive(Workspace& workspace, const SealedCase& sealed, const ArchiveOptions& options)
      : workspace_(workspace), sealed_(sealed), options_(options), destination_(fmt::format("s3://{}/{}", options.bucket, root())) {}

  Result<ArchivePlan> plan() {
    ICECORE_CHECK(look_at_bucket());
    ArchivePlan plan{destination_, sealed_.files.size() + 2, sealed_.bytes, 0, {}};
    std::uint64_t whole = 2, multipart = 0;
    for (const SealedCase::File& file : sealed_.files) {
      if (!in_parts(file)) {
        ++whole;
        continue;
      }
      ++multipart;
      const std::uint64_t data = file.image ? allocated(sealed_.folder / file.path, file.size) : file.size;
      plan.most_parts += data / part_bytes(data) + 1;
    }
    const std::map<std::string_view, std::uint64_t> counts = {
        {"HeadObject", 2 * plan.objects},      {"PutObject", whole},     {"ListMultipartUploads", multipart + 1},
        {"CreateMultipartUpload", multipart},  {"ListParts", multipart}, {"UploadPart", plan.most_parts},
        {"CompleteMultipartUpload", multipart}};
    for (aws::PlannedCall call : calls_of("archive")) {
      if (const auto known = counts.find(call.operation->name); known != counts.end()) call.count = known->second;
      if (call.operation->name == "PutObjectRetention" && !options_.wants_lock()) continue;
      if (call.operation->name == "UploadPart") call.purpose = "at most: images are compressed";
      if (call.count > 0) plan.calls.push_back(std::move(call));
    }
    return plan;
  }

  Result<Archived> run() {
    ICECORE_CHECK(look_at_bucket());
    ICECORE_CHECK(enter_plan());
    uploader_.emplace(*s3_, workspace_.clock(), Bucket{options_.bucket, retention_});
    remember();
    workspace_.progress().begin("archiving", sealed_.bytes, "bytes");
    const Result<void> stored = store_all();
    workspace_.progress().end();
    ICECORE_CHECK(stored);
    ICECORE_CHECK(sweep());
    return write_receipt();
  }

 private:
  std::string root() const { return options_.prefix.empty() ? sealed_.id : options_.prefix + "/" + sealed_.id; }
  static bool in_parts(const SealedCase::File& file) { return file.image || file.size >= kWholeBelow; }
  std::string key_of(const std::string& path, bool image = false) const {
    return fmt::format("{}/{}{}", root(), key_text(path), image ? ".zst" : "");
  }

  // Everything that can be wrong with the bucket is found before a byte is sent.
  Result<void> look_at_bucket() {
    ICECORE_CHECK(check_retention(options_, workspace_.clock()));
    for (const SealedCase::File& file : sealed_.files) {
      if (key_of(file.path, file.image).size() > kKeyBytes)
        return fail(Code::kUnsupported, fmt::format("{}: its name is longer than the 1,024 bytes that S3 allows with this prefix", file.path));
    }
    ICECORE_ASSIGN(session_, workspace_.aws());
    ICECORE_ASSIGN(auto s3, session_->s3());
    s3_.emplace(std::move(s3));
    const auto lock = s3_->get_object_lock_configuration(options_.bucket);
    if (!lock) {
      if (lock.error().code != Code::kPermission || options_.wants_lock()) return s3_failure(lock.error(), options_.bucket, s3_->region());
      workspace_.say(fmt::format("whether {} has Object Lock is not known: {}", options_.bucket, lock.error().message));
      return {};
    }
    if (options_.wants_lock() && !lock->enabled)
      return fail(
          Code::kConflict,
          fmt::format("the bucket {} has no Object Lock, and the case shall be kept under one: nothing was uploaded. Name a bucket that has it, or "
                      "turn it on (aws s3api put-bucket-versioning, then put-object-lock-configuration), or leave the retention out",
                      options_.bucket));
    if (!options_.wants_lock() && lock->default_mode.empty())
      workspace_.say(
          fmt::format("no retention was asked for (--retain-days): whoever may delete objects in {} can delete this archive", options_.bucket));
    return {};
  }

  // A killed run's plan holds for this one as well: one archive has one date until which it is kept.
  Result<void> enter_plan() {
    std::size_t number = 1;
    const auto plan_file = [&] { return folder(number) + "/plan.json"; };
    for (; is_collected(workspace_.folder(), plan_file()); ++number) {
      if (is_collected(workspace_.folder(), folder(number) + "/receipt.json")) continue;
      ICECORE_ASSIGN(const std::string text, workspace_.folder().read(plan_file()));
      ICECORE_ASSIGN(const Json json, parse_json(text, plan_file()));
      if (!json.is_object() || json.value("asked", Json()) != asked()) continue;
      const Json until = json.value("retention", Json());
      if (until.is_object()) {
        ICECORE_ASSIGN(const Timestamp time, parse_iso8601(text_at(until, "until")));
        if (time.seconds <= workspace_.clock().now().seconds) continue;
        retention_ = aws::ObjectRetention{text_at(until, "mode"), time};
      }
      folder_ = folder(number);
      started_ = text_at(json, "started");
      workspace_.say(fmt::format("going on with the archive of {}", started_));
      return {};
    }
    folder_ = folder(number);
    const Timestamp now = workspace_.clock().now();
    started_ = to_iso8601({now.seconds, 0}, 0);
    if (options_.wants_lock()) {
      const Timestamp until = options_.retain_until.value_or(Timestamp{now.seconds + std::int64_t{86'400} * options_.retain_days, 0});
      retention_ = aws::ObjectRetention{options_.mode, {until.seconds, 0}};
    }
    const Json plan = {{"format", "icecore-archive-plan/1"},
                       {"destination", destination_},
                       {"started", started_},
                       {"asked", asked()},
                       {"retention", retention_json(retention_)}};
    ICECORE_CHECK(workspace_.folder().write_evidence(plan_file(), plan.dump(2) + '\n', "icecore archive"));
    return {};
  }

  static std::string folder(std::size_t number) { return fmt::format("archives/{:04}", number); }

  Json asked() const {
    return {{"destination", destination_},
            {"days", options_.retain_days},
            {"until", options_.retain_until ? to_iso8601(*options_.retain_until, 0) : ""},
            {"mode", options_.wants_lock() ? options_.mode : ""}};
  }

  // What the ledger says was stored under these keys before.
  void remember() {
    for (const evidence::ResourceRecord& one : workspace_.folder().ledger().summary().resources()) {
      if (one.kind == "s3-object" && text_at(one.detail, "bucket") == options_.bucket) stored_before_[text_at(one.detail, "key")] = one.detail;
    }
    const auto summary = workspace_.folder().ledger().summary();
    for (const auto& [path, seals] : summary.seals())
      if (!seals.empty()) seals_[path] = fmt::format("blocks:{}:{}", seals.back().blocks, seals.back().sha256);
  }

  Result<void> store_all() {
    // The files that vouch for others come last, one after the other.
    const auto tail =
        std::ranges::find_if(sealed_.files, [](const auto& file) { return file.path == "ledger.jsonl" || file.path.starts_with("signatures/"); });
    const auto large = std::find_if(sealed_.files.begin(), tail, in_parts);
    const auto small = static_cast<std::size_t>(large - sealed_.files.begin());
    ICECORE_CHECK(parallel_for(small, kSmallSideBySide, [&](std::size_t i) { return store(sealed_.files[i]); }));
    for (auto file = large; file != sealed_.files.end(); ++file) ICECORE_CHECK(store(*file));
    ICECORE_CHECK(store_text(std::string(evidence::kManifestSignature), sealed_.manifest_signature));
    return store_text(std::string(evidence::kManifestFile), sealed_.manifest);
  }

  Result<void> store(const SealedCase::File& file) {
    const std::string source = !file.sha256.empty() ? file.sha256 : seals_.contains(file.path) ? seals_.at(file.path) : "";
    return keep(file, source, [&](const Json& before) { return in_parts(file) ? send_parts(file, before) : send_whole(file); });
  }

  Result<void> store_text(const std::string& path, const std::string& text) {
    const SealedCase::File file{path, to_hex(sha256(as_bytes(text))), text.size(), false};
    return keep(file, file.sha256, [&](const Json&) { return uploader_->put(key_of(path), text); });
  }

  // Looks into the ledger first; then intent, act, outcome.
  Result<void> keep(const SealedCase::File& file, const std::string& source, const std::function<Result<ObjectDone>(const Json& before)>& send) {
    const std::string key = key_of(file.path, file.image);
    const auto before = stored_before_.find(key);
    if (before != stored_before_.end() && !source.empty() && text_at(before->second, "source") == source) {
      ICECORE_ASSIGN(const auto found, uploader_->find(key, text_at(before->second, "version_id"), text_at(before->second, "checksum_sha256")));
      if (found) return note(file, *found);
    }
    evidence::Ledger& ledger = workspace_.folder().ledger();
    ICECORE_ASSIGN(const std::uint64_t act,
                   ledger.intend({{"act", "archive-object"}, {"bucket", options_.bucket}, {"key", key}, {"source", source}}, evidence::Sync::kLater));
    const Result<ObjectDone> done = send(before == stored_before_.end() ? Json() : before->second);
    if (!done) {
      ICECORE_CHECK(ledger.conclude(act, {{"ok", false}, {"error", to_string(done.error())}}));
      return Failure(done.error());
    }
    Json object = object_json(file, *done);
    object["kind"] = "s3-object";
    object["id"] = fmt::format("s3://{}/{}?versionId={}", options_.bucket, key, done->version_id);
    object["evidence"] = true;
    object["bucket"] = options_.bucket;
    object["source"] = source;
    ICECORE_CHECK(ledger.conclude(act, {{"ok", true}, {"created", Json::array({std::move(object)})}}));
    return note(file, *done);
  }

  Json object_json(const SealedCase::File& file, const ObjectDone& done) const {
    return {{"file", file.path},
            {"key", done.key},
            {"version_id", done.version_id},
            {"sha256", file.sha256},
            {"checksum_sha256", done.checksum},
            {"bytes", done.size},
            {"parts", done.parts},
            {"retention", retention_json(done.retention)}};
  }

  Result<void> note(const SealedCase::File& file, const ObjectDone& done) {
    const std::scoped_lock lock(mutex_);
    ++archived_.objects;
    archived_.bytes += done.size;
    archived_.sent += done.sent;
    if (done.sent == 0 && done.size > 0) ++archived_.already_there;
    done_bytes_ += file.size;
    workspace_.progress().update(std::min(done_bytes_, sealed_.bytes));
    objects_.push_back(object_json(file, done));
    return {};
  }

  Result<ObjectDone> send_whole(const SealedCase::File& file) {
    ICECORE_ASSIGN(const auto stream, open_file_stream(sealed_.folder, file.path, file.size, file.sha256));
    std::string bytes;
    while (true) {
      ICECORE_ASSIGN(const bool more, stream->append_next(bytes));
      if (!more) break;
    }
    return uploader_->put(key_of(file.path), std::move(bytes));
  }

  Result<ObjectDone> send_parts(const SealedCase::File& file, const Json& before) {
    ObjectUpload::Parts parts;
    parts.key = key_of(file.path, file.image);
    const Path folder = sealed_.folder;
    if (file.image) {
      parts.open = [folder, file] { return open_zstd_image(folder, file.path, std::min<std::size_t>(cpu_count(), 4)); };
      parts.part_bytes = part_bytes(allocated(folder / file.path, file.size));
      if (!file.sha256.empty()) parts.metadata = {{"icecore-raw-sha256", file.sha256}};
    } else {
      parts.open = [folder, file] { return open_file_stream(folder, file.path, file.size, file.sha256); };
      parts.part_bytes = part_bytes(file.size);
    }
    parts.side_by_side = side_by_side(parts.part_bytes);
    parts.replaced_version = text_at(before, "version_id");
    parts.progress = [this](std::uint64_t consumed) { workspace_.progress().update(std::min(done_bytes_ + consumed, sealed_.bytes)); };
    return uploader_->put_parts(parts);
  }

  // Uploads that were begun under this case's keys and will not be gone on with: their parts would be paid for until someone finds them.
  Result<void> sweep() {
    auto left = s3_->list_multipart_uploads(options_.bucket, root() + "/");
    if (!left) {
      if (left.error().code != Code::kPermission) return Failure(static_cast<const Error&>(left.error()));
      workspace_.say(fmt::format("unfinished uploads were not looked for: {}", left.error().message));
      return {};
    }
    for (const aws::PendingUpload& one : *left) {
      const auto gone = s3_->abort_multipart_upload(options_.bucket, one.key, one.id);
      if (gone) continue;
      // The archive is whole all the same; what is left costs its storage until somebody who may ends it.
      if (gone.error().code != Code::kPermission) return Failure(static_cast<const Error&>(gone.error()));
      workspace_.say(fmt::format("an unfinished upload of s3://{}/{} was left: {}", options_.bucket, one.key, gone.error().message));
    }
    return {};
  }

  Result<Archived> write_receipt() {
    std::ranges::sort(objects_, {}, [](const Json& object) { return text_at(object, "key"); });
    const Json receipt = {{"format", "icecore-archive/1"},
                          {"case", sealed_.id},
                          {"destination", destination_},
                          {"bucket", options_.bucket},
                          {"region", s3_->region()},
                          {"started", started_},
                          {"finished", to_iso8601({workspace_.clock().now().seconds, 0}, 0)},
                          {"retention", retention_json(retention_)},
                          {"manifest_sha256", to_hex(sha256(as_bytes(sealed_.manifest)))},
                          {"objects", objects_}};
    archived_.receipt = folder_ + "/receipt.json";
    archived_.destination = destination_;
    archived_.retention = retention_;
    ICECORE_CHECK(workspace_.folder().write_evidence(archived_.receipt, receipt.dump(2) + '\n', "s3 HeadObject of each object, after it was stored"));
    return archived_;
  }

  Workspace& workspace_;
  const SealedCase& sealed_;
  const ArchiveOptions& options_;
  const std::string destination_;
  aws::Session* session_ = nullptr;
  std::optional<aws::S3> s3_;
  std::optional<aws::ObjectRetention> retention_;
  std::optional<ObjectUpload> uploader_;
  std::string folder_, started_;
  std::map<std::string, Json> stored_before_;
  std::map<std::string, std::string> seals_;
  std::mutex mutex_;  // guards what follows while small files are stored
  Archived archived_;
  std::vector<Json> objects_;
  std::uint64_t done_bytes_ = 0;
};

}  // namespace

Result<ArchivePlan> plan_archive(Workspace& workspace, const SealedCase& sealed, const ArchiveOptions& options) {
  return Archive(workspace, sealed, options).plan();
}

Result<Archived> archive(Workspace& workspace, const SealedCase& sealed, const ArchiveOptions& options) {
  return Archive(workspace, sealed, options).run();
}

}  // namespace icecore::engine
