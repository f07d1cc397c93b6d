// Amazon S3 (REST-XML, 2006-03-01): objects under Object Lock, whole or in parts, each with its SHA-256. Thread-safe: many threads upload through one
// client. On AWS the bucket is in the host name; at another endpoint (and for names with dots, which no certificate covers) in the path.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/call.h"
#include "core/hash.h"

namespace icecore::aws {

inline constexpr std::uint64_t kLeastPartBytes = 5 * 1024 * 1024;  ///< of a part that is not the last
inline constexpr std::uint32_t kMostParts = 10'000;

/// Until when no one (COMPLIANCE), or no one without s3:BypassGovernanceRetention (GOVERNANCE), may delete a version.
struct ObjectRetention {
  std::string mode = {};  ///< "GOVERNANCE" or "COMPLIANCE"
  Timestamp until = {};   ///< whole seconds
};

struct ObjectLock {
  bool enabled = false;
  std::string default_mode = {};  ///< of versions that come without a retention; empty: none
  std::uint32_t default_days = 0, default_years = 0;
};

/// How an object or a multipart upload begins.
struct ObjectOptions {
  std::optional<ObjectRetention> retention = {};
  std::vector<NameValue> metadata = {};  ///< names without x-amz-meta-
  std::string content_type = {};
};

struct StoredObject {
  std::string version_id = {};  ///< empty in a bucket without versions
  std::string checksum = {};    ///< SHA-256 in base64, of an object in parts with "-N" behind; empty where S3 has none
  std::uint64_t size = 0;       ///< not known of what was just put
  std::optional<ObjectRetention> retention = {};
};

struct UploadedPart {
  std::uint32_t number = 0;  ///< from 1
  std::string etag = {};
  std::string checksum = {};  ///< SHA-256 in base64
  std::uint64_t size = 0;
};

struct PendingUpload {
  std::string key = {}, id = {}, initiated = {};
};

class S3 {
 public:
  S3(CallExecutor& executor, std::string origin, std::string region) : executor_(executor), origin_(std::move(origin)), region_(std::move(region)) {}

  /// Not enabled where the bucket has none. kNotFound: no such bucket. A bucket of another region: ServiceError::reason is that region.
  CallResult<ObjectLock> get_object_lock_configuration(const std::string& bucket);

  /// With its checksum. kNotFound where it is not there (kPermission without s3:ListBucket).
  CallResult<StoredObject> head_object(const std::string& bucket, const std::string& key, const std::string& version_id = "");

  /// Is not repeated when the outcome is unknown (that would make a second version): look with head_object first. S3 checks the SHA-256 on arrival.
  CallResult<StoredObject> put_object(const std::string& bucket, const std::string& key, std::string body, const ObjectOptions& options);

  /// Makes the retention of a version longer or stronger.
  CallResult<void> put_object_retention(const std::string& bucket, const std::string& key, const std::string& version_id,
                                        const ObjectRetention& retention);

  /// The upload's id. Not repeated when the outcome is unknown: look with list_multipart_uploads first.
  CallResult<std::string> create_multipart_upload(const std::string& bucket, const std::string& key, const ObjectOptions& options);
  /// The same part again replaces the first.
  CallResult<UploadedPart> upload_part(const std::string& bucket, const std::string& key, const std::string& upload_id, std::uint32_t number,
                                       std::string body);
  /// All pages.
  CallResult<std::vector<UploadedPart>> list_parts(const std::string& bucket, const std::string& key, const std::string& upload_id);
  CallResult<std::vector<PendingUpload>> list_multipart_uploads(const std::string& bucket, const std::string& prefix);
  /// kNotFound where it was completed or aborted before, also by this call's first attempt: look with head_object.
  CallResult<StoredObject> complete_multipart_upload(const std::string& bucket, const std::string& key, const std::string& upload_id,
                                                     const std::vector<UploadedPart>& parts);
  CallResult<void> abort_multipart_upload(const std::string& bucket, const std::string& key, const std::string& upload_id);

  const std::string& region() const { return region_; }

 private:
  struct Where {
    std::string origin, path;
  };
  Where where(const std::string& bucket, const std::string& key) const;
  CallResult<CallReply> run(Call call, const std::string& bucket, const std::string& key);

  CallExecutor& executor_;
  std::string origin_, region_;
};

/// The checksum that S3 gives an object in parts: SHA-256 over the parts' SHA-256s, "-" and their number.
std::string composite_checksum(const std::vector<Sha256Digest>& parts);

}  // namespace icecore::aws
