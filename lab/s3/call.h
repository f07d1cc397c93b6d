// What the S3 calls share: bucket and key, permission, checksums, retention, XML.
#pragma once

#include <optional>
#include <string>

#include "lab.h"
#include "s3/store.h"
#include "util/api_error.h"

namespace icelab {

struct S3Call {
  Call& call;
  S3Store& store;
  std::string bucket, key;
  Parameters query;

  std::string text(const std::string& name) const;
  bool has(const std::string& name) const;
  std::string header(std::string_view name) const { return std::string(call.request.header(name)); }
  std::int64_t number(const std::string& name, std::int64_t otherwise, std::int64_t least, std::int64_t most) const;

  // The bucket, or NoSuchBucket; PermanentRedirect for one of another region than the one signed for. The caller holds the store's lock.
  Bucket& open_bucket() const;
  // Asks IAM about an action on the bucket or on the object.
  void permit(const std::string& action, bool on_object) const;
  bool may(const std::string& action, bool on_object) const;

  // Content-MD5 and x-amz-checksum-sha256 against what arrived; InvalidRequest where there is neither and `required`. Gives whether a SHA-256 came.
  bool check_body(bool required) const;
  // The retention that the headers ask for, with s3:PutObjectRetention, or the bucket's default. InvalidRequest in a bucket without Object Lock.
  std::optional<Retention> wanted_retention(const Bucket& bucket) const;
  std::map<std::string, std::string> metadata() const;
};

// "<?xml…><NAME xmlns=…>BODY</NAME>".
Reply s3_xml(const std::string& name, const std::string& body);
std::string tag(const std::string& name, const std::string& text);  // escapes
Retention retention_of(const std::string& mode, const std::string& until, const Clock& clock);

// The version that the request names, or the newest; NoSuchKey, NoSuchVersion, MethodNotAllowed for a delete marker.
ObjectVersion& open_version(const S3Call& s3, Bucket& bucket);
// A new newest version.
void add_version(S3Store& store, Bucket& bucket, const std::string& key, ObjectVersion version);
void add_retention(Reply& reply, const ObjectVersion& version);

Reply serve_bucket(S3Call& s3);     // buckets.cpp
Reply serve_object(S3Call& s3);     // objects.cpp
Reply serve_multipart(S3Call& s3);  // multipart.cpp

}  // namespace icelab
