#include "engine/object_upload.h"

#include <fmt/format.h>
#include <algorithm>
#include <cstdlib>
#include <map>

#include "core/parallel.h"

namespace icecore::engine {
namespace {

constexpr std::uint64_t kSpill = std::uint64_t{5} << 20;  // of the piece that fills a part: engine/byte_stream.h
constexpr int kAttempts = 8;                              // of what may be done although no answer came: each is preceded by a look

Failure as_failure(const aws::ServiceError& error) { return Failure(static_cast<const Error&>(error)); }

bool is_weaker(const std::optional<aws::ObjectRetention>& have, const aws::ObjectRetention& wanted) {
  if (!have || have->until.seconds < wanted.until.seconds) return true;
  return have->mode != wanted.mode && wanted.mode == "COMPLIANCE";
}

/// Reads parts off a stream: each ends with the piece that fills it.
class PartReader {
 public:
  PartReader(std::unique_ptr<ByteStream> stream, std::uint64_t part_bytes) : stream_(std::move(stream)), part_bytes_(part_bytes) {}
  /// Empty at the end.
  Result<std::string> next() {
    std::string part;
    if (!ended_) part.reserve(part_bytes_ + kSpill);
    while (!ended_ && part.size() < part_bytes_) {
      ICECORE_ASSIGN(const bool more, stream_->append_next(part));
      ended_ = !more;
    }
    return part;
  }
  std::uint64_t consumed() const { return stream_->consumed(); }

 private:
  std::unique_ptr<ByteStream> stream_;
  const std::uint64_t part_bytes_;
  bool ended_ = false;
};

}  // namespace

Failure s3_failure(const aws::ServiceError& error, const std::string& bucket, const std::string& region) {
  Error plain = error;
  if (!error.reason.empty()) {
    plain.code = Code::kInvalidArgument;
    plain.message = fmt::format("the bucket {} is in {}, not in {}: run this again with --region {}", bucket, error.reason, region, error.reason);
  } else if (error.aws_code == "NoSuchBucket") {
    plain.message = fmt::format(
        "there is no bucket {}; icecore does not make one: aws s3api create-bucket --bucket {} --object-lock-enabled-for-bucket", bucket, bucket);
  }
  return Failure(std::move(plain));
}

// The executor does not repeat these by itself, so it does not wait either.
void ObjectUpload::wait_before(int attempt) const { clock_.sleep_for(std::int64_t{100} << attempt); }

aws::ObjectOptions ObjectUpload::options(std::string content_type, std::vector<aws::NameValue> metadata) const {
  return {bucket_.retention, std::move(metadata), std::move(content_type)};
}

Result<std::optional<aws::StoredObject>> ObjectUpload::head(const std::string& key, const std::string& version_id) {
  auto found = s3_.head_object(bucket_.name, key, version_id);
  if (found) return std::optional(std::move(*found));
  if (found.error().code == Code::kNotFound) return std::optional<aws::StoredObject>();
  return as_failure(found.error());
}

Result<std::optional<ObjectDone>> ObjectUpload::find(const std::string& key, const std::string& version_id, const std::string& checksum) {
  ICECORE_ASSIGN(const auto found, head(key, version_id));
  if (!found || found->checksum != checksum) return std::optional<ObjectDone>();
  ObjectDone done;
  done.key = key;
  done.version_id = found->version_id;
  done.checksum = checksum;
  done.size = found->size;
  const std::size_t dash = checksum.find('-');
  done.parts = dash == std::string::npos ? 1 : std::strtoull(checksum.c_str() + dash + 1, nullptr, 10);
  ICECORE_ASSIGN(done, confirm(std::move(done)));
  return std::optional(std::move(done));
}

// Read back: what S3 says that it has, against what was computed here.
Result<ObjectDone> ObjectUpload::confirm(ObjectDone done) {
  ICECORE_ASSIGN(auto found, head(done.key, done.version_id));
  if (!found) return fail(Code::kIntegrity, fmt::format("s3://{}/{} was sent, and is not there", bucket_.name, done.key));
  if (found->checksum != done.checksum || found->size != done.size)
    return fail(Code::kIntegrity, fmt::format("s3://{}/{} has the checksum '{}' and {} bytes; sent were '{}' and {}", bucket_.name, done.key,
                                              found->checksum, found->size, done.checksum, done.size));
  done.version_id = found->version_id;
  if (bucket_.retention && is_weaker(found->retention, *bucket_.retention)) {
    ICECORE_ASSIGN(*found, keep_longer(done));
  }
  done.retention = found->retention;
  return done;
}

Result<aws::StoredObject> ObjectUpload::keep_longer(const ObjectDone& done) {
  if (const auto kept = s3_.put_object_retention(bucket_.name, done.key, done.version_id, *bucket_.retention); !kept) return as_failure(kept.error());
  ICECORE_ASSIGN(auto found, head(done.key, done.version_id));
  if (found && !is_weaker(found->retention, *bucket_.retention)) return std::move(*found);
  return fail(Code::kConflict, fmt::format("s3://{}/{} does not show the retention that was asked for; reading it needs s3:GetObjectRetention",
                                           bucket_.name, done.key));
}

Result<ObjectDone> ObjectUpload::put(const std::string& key, std::string bytes, std::string content_type) {
  ObjectDone done;
  done.key = key;
  done.checksum = to_base64(sha256(as_bytes(bytes)));
  done.size = bytes.size();
  done.parts = 1;
  for (int attempt = 1;; ++attempt) {
    ICECORE_ASSIGN(const auto there, head(key));
    if (there && there->checksum == done.checksum) {
      done.version_id = there->version_id;
      break;
    }
    done.sent = done.size;
    auto stored = s3_.put_object(bucket_.name, key, bytes, options(content_type, {}));
    if (stored) {
      done.version_id = stored->version_id;
      break;
    }
    if (!stored.error().outcome_unknown || attempt == kAttempts) return as_failure(stored.error());
    wait_before(attempt);
  }
  return confirm(std::move(done));
}

Result<ObjectUpload::Sums> ObjectUpload::only_hash(const Parts& parts) const {
  ICECORE_ASSIGN(auto stream, parts.open());
  PartReader reader(std::move(stream), parts.part_bytes);
  Sums sums;
  while (true) {
    ICECORE_ASSIGN(const std::string part, reader.next());
    if (part.empty()) return sums;
    sums.parts.push_back(sha256(as_bytes(part)));
    sums.size += part.size();
    parts.progress(reader.consumed());
  }
}

// The newest of this key: a killed run's. What else there is of it is done away with at the end (engine/archive.cpp).
Result<std::string> ObjectUpload::pending_upload(const Parts& parts) {
  auto pending = s3_.list_multipart_uploads(bucket_.name, parts.key);
  if (!pending) return as_failure(pending.error());
  const aws::PendingUpload* newest = nullptr;
  for (const aws::PendingUpload& one : *pending) {
    if (one.key == parts.key && (newest == nullptr || one.initiated >= newest->initiated)) newest = &one;
  }
  return newest == nullptr ? std::string() : newest->id;
}

Result<std::string> ObjectUpload::begin(const Parts& parts) {
  for (int attempt = 1;; ++attempt) {
    ICECORE_ASSIGN(std::string id, pending_upload(parts));
    if (!id.empty()) return id;
    auto made = s3_.create_multipart_upload(bucket_.name, parts.key, options("", parts.metadata));
    if (made) return std::move(*made);
    if (!made.error().outcome_unknown || attempt == kAttempts) return as_failure(made.error());
    wait_before(attempt);
  }
}

// The version's id. Where the answer to a first attempt was lost, the second is told that there is no such upload any more.
Result<std::string> ObjectUpload::finish(const Parts& parts, const std::string& upload, const std::vector<aws::UploadedPart>& sent,
                                         const std::string& checksum) {
  auto stored = s3_.complete_multipart_upload(bucket_.name, parts.key, upload, sent);
  if (stored) return std::move(stored->version_id);
  if (stored.error().code == Code::kNotFound || stored.error().outcome_unknown) {
    ICECORE_ASSIGN(const auto there, head(parts.key));
    if (there && there->checksum == checksum) return there->version_id;
  }
  return as_failure(stored.error());
}

ObjectUpload::Flight ObjectUpload::send(const Parts& parts, const std::string& upload, std::vector<Part> batch) {
  // The future waits in its destructor, so `parts` outlives the thread.
  return std::async(std::launch::async, [this, &parts, upload, batch = std::move(batch)]() mutable -> Result<std::vector<aws::UploadedPart>> {
    std::vector<aws::UploadedPart> sent(batch.size());
    ICECORE_CHECK(parallel_for(batch.size(), batch.size(), [&](std::size_t i) -> Result<void> {
      auto part = s3_.upload_part(bucket_.name, parts.key, upload, batch[i].number, std::move(batch[i].bytes));
      if (!part) return as_failure(part.error());
      sent[i] = std::move(*part);
      return {};
    }));
    return sent;
  });
}

Result<ObjectDone> ObjectUpload::put_parts(const Parts& parts) {
  ObjectDone done;
  done.key = parts.key;
  ICECORE_ASSIGN(const auto there, head(parts.key));
  if (there && there->checksum.find('-') != std::string::npos && (parts.replaced_version.empty() || there->version_id != parts.replaced_version)) {
    ICECORE_ASSIGN(const Sums sums, only_hash(parts));
    done.checksum = aws::composite_checksum(sums.parts);
    if (done.checksum == there->checksum) {
      done.version_id = there->version_id;
      done.size = sums.size;
      done.parts = sums.parts.size();
      return confirm(std::move(done));
    }
  }
  ICECORE_ASSIGN(const std::string upload, begin(parts));
  auto listed = s3_.list_parts(bucket_.name, parts.key, upload);
  if (!listed) return as_failure(listed.error());
  std::map<std::uint32_t, aws::UploadedPart> known;
  for (aws::UploadedPart& part : *listed) known.emplace(part.number, std::move(part));

  ICECORE_ASSIGN(auto stream, parts.open());
  PartReader reader(std::move(stream), parts.part_bytes);
  std::vector<Sha256Digest> hashes;
  std::vector<aws::UploadedPart> all;
  Flight flying;  // while one batch is sent, the next is made
  const auto land = [&]() -> Result<void> {
    if (!flying.valid()) return {};
    ICECORE_ASSIGN(const auto sent, flying.get());
    for (const aws::UploadedPart& part : sent) all[part.number - 1].etag = part.etag;
    return {};
  };
  for (bool ended = false; !ended;) {
    std::vector<Part> batch;
    while (batch.size() < parts.side_by_side) {
      ICECORE_ASSIGN(std::string bytes, reader.next());
      ended = bytes.empty();
      if (ended) break;
      if (all.size() == aws::kMostParts) return fail(Code::kUnsupported, fmt::format("{} has more than 10,000 parts", parts.key));
      hashes.push_back(sha256(as_bytes(bytes)));
      all.push_back({static_cast<std::uint32_t>(hashes.size()), {}, to_base64(hashes.back()), bytes.size()});
      done.size += bytes.size();
      const auto before = known.find(all.back().number);
      if (before != known.end() && before->second.checksum == all.back().checksum && before->second.size == bytes.size()) {
        all.back().etag = before->second.etag;
        continue;
      }
      done.sent += bytes.size();
      batch.push_back({all.back().number, std::move(bytes)});
    }
    ICECORE_CHECK(land());
    parts.progress(reader.consumed());
    flying = send(parts, upload, std::move(batch));
  }
  ICECORE_CHECK(land());
  done.checksum = aws::composite_checksum(hashes);
  done.parts = all.size();
  ICECORE_ASSIGN(done.version_id, finish(parts, upload, all, done.checksum));
  return confirm(std::move(done));
}

}  // namespace icecore::engine
