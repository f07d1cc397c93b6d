// What the lab's buckets hold. Bytes are files in a scratch folder that is gone with the lab; the rest is in memory.
#pragma once

#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "util/clock.h"

namespace icelab {

struct Retention {
  std::string mode;  // GOVERNANCE or COMPLIANCE
  Millis until = 0;
};

// Bytes in a file, with the sums that S3 keeps of them.
struct Blob {
  std::string file;
  std::uint64_t size = 0;
  std::string md5;     // 16 raw bytes
  std::string sha256;  // 32 raw bytes
};

struct ObjectVersion {
  std::string id;  // "null" in a bucket without versions
  bool delete_marker = false;
  Millis modified = 0;
  Blob blob;
  std::string etag;      // with its quotes
  std::string checksum;  // as x-amz-checksum-sha256 says it; empty: the client asked for none
  std::size_t parts = 0;
  std::string content_type;
  std::map<std::string, std::string> metadata;  // x-amz-meta-…, names in lower case
  std::optional<Retention> retention;
};

struct StoredPart {
  Blob blob;
  bool checked = false;  // came with a SHA-256
  Millis modified = 0;
};

struct MultipartUpload {
  std::string key;
  Millis initiated = 0;
  bool sha256 = false;  // x-amz-checksum-algorithm: SHA256
  std::string content_type;
  std::map<std::string, std::string> metadata;
  std::optional<Retention> retention;
  std::map<int, StoredPart> parts;
};

struct Bucket {
  std::string name, region;
  bool object_lock = false;
  std::string default_mode;  // of a default retention; empty: none
  int default_days = 0;
  std::map<std::string, std::vector<ObjectVersion>> objects;  // versions of a key, newest last
  std::map<std::string, MultipartUpload> uploads;             // by upload id
};

class S3Store {
 public:
  // From world.json's "buckets" (docs/lab-world.md); throws std::runtime_error that names what does not fit.
  S3Store(const nlohmann::json& buckets, const std::string& region);
  ~S3Store();
  S3Store(const S3Store&) = delete;
  S3Store& operator=(const S3Store&) = delete;

  // Whoever reads or changes anything below holds this.
  std::mutex mutex;
  std::map<std::string, Bucket> buckets;

  // Keeps bytes; throws ApiError when the lab's bound is reached. Safe without the lock.
  Blob keep(const std::string& bytes);
  std::string read(const Blob& blob, std::uint64_t offset, std::uint64_t length) const;
  Blob join(const std::vector<const Blob*>& parts);
  void drop(const Blob& blob);
  // Bytes of all blobs that were kept or joined and not dropped. Safe without the lock.
  std::uint64_t held() const;

 private:
  std::string new_file();
  std::string folder_;
  mutable std::mutex files_;
  std::uint64_t next_ = 0, bytes_ = 0;
};

}  // namespace icelab
