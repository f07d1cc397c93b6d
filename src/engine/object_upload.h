// One file of a case becomes one object: looked for first, sent whole or in parts, read back. What is there with the same checksum is not sent again.
#pragma once

#include <functional>
#include <future>
#include <optional>
#include <string>

#include "aws/s3.h"
#include "engine/byte_stream.h"

namespace icecore::engine {

/// Where it goes.
struct Bucket {
  std::string name;
  std::optional<aws::ObjectRetention> retention;  ///< of every object
};

struct ObjectDone {
  std::string key, version_id;
  std::string checksum;  ///< as S3 states it, and as it was computed here
  std::uint64_t size = 0, parts = 0;
  std::uint64_t sent = 0;  ///< bytes in this run; 0: it was there
  std::optional<aws::ObjectRetention> retention;
};

/// Thread-safe.
class ObjectUpload {
 public:
  /// Both outlive it.
  ObjectUpload(aws::S3& s3, const Clock& clock, Bucket bucket) : s3_(s3), clock_(clock), bucket_(std::move(bucket)) {}

  /// Up to a few MiB, in one PUT.
  Result<ObjectDone> put(const std::string& key, std::string bytes, std::string content_type = "");

  struct Parts {
    std::string key;
    StreamMaker open;
    std::uint64_t part_bytes = 0;  ///< a part ends with the piece that fills it
    std::size_t side_by_side = 4;  ///< parts in flight; twice as many are in memory
    std::string replaced_version;  ///< known to hold something else: not worth comparing with
    std::vector<aws::NameValue> metadata = {};
    std::function<void(std::uint64_t)> progress = [](std::uint64_t) {};  ///< bytes of the source
  };
  /// Goes on with an upload of this key that was begun: parts that ListParts shows with the same checksum are not sent.
  Result<ObjectDone> put_parts(const Parts& parts);

  /// Whether this version is still there with this checksum, with the retention that is wanted now (made longer where it is not).
  Result<std::optional<ObjectDone>> find(const std::string& key, const std::string& version_id, const std::string& checksum);

 private:
  struct Sums {
    std::vector<Sha256Digest> parts;
    std::uint64_t size = 0;
  };
  struct Part {
    std::uint32_t number = 0;
    std::string bytes;
  };
  using Flight = std::future<Result<std::vector<aws::UploadedPart>>>;
  Flight send(const Parts& parts, const std::string& upload, std::vector<Part> batch);
  Result<std::optional<aws::StoredObject>> head(const std::string& key, const std::string& version_id = "");
  Result<Sums> only_hash(const Parts& parts) const;
  Result<std::string> pending_upload(const Parts& parts);
  Result<std::string> begin(const Parts& parts);
  Result<std::string> finish(const Parts& parts, const std::string& upload, const std::vector<aws::UploadedPart>& sent, const std::string& checksum);
  Result<ObjectDone> confirm(ObjectDone done);
  Result<aws::StoredObject> keep_longer(const ObjectDone& done);
  aws::ObjectOptions options(std::string content_type, std::vector<aws::NameValue> metadata) const;

  void wait_before(int attempt) const;

  aws::S3& s3_;
  const Clock& clock_;
  const Bucket bucket_;
};

/// An AWS error as an Error, with what to do about a bucket that is not there or in another region.
Failure s3_failure(const aws::ServiceError& error, const std::string& bucket, const std::string& region);

}  // namespace icecore::engine
