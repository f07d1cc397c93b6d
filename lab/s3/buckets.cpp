// What is asked of a bucket: its Object Lock, and lists of what is in it.
#include <algorithm>

#include "s3/call.h"

namespace icelab {
namespace {

Reply lock_configuration(S3Call& s3) {
  s3.permit("s3:GetBucketObjectLockConfiguration", false);
  const Bucket& bucket = s3.open_bucket();
  if (!bucket.object_lock) throw ApiError("ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket", 404);
  std::string body = tag("ObjectLockEnabled", "Enabled");
  if (!bucket.default_mode.empty())
    body += "<Rule><DefaultRetention>" + tag("Mode", bucket.default_mode) + tag("Days", std::to_string(bucket.default_days)) +
            "</DefaultRetention></Rule>";
  return s3_xml("ObjectLockConfiguration", body);
}

std::size_t page(const S3Call& s3, const std::string& name) {
  const auto most = static_cast<std::size_t>(s3.number(name, 1000, 0, 1000));
  const std::size_t limit = s3.call.lab.options.page_size;
  return limit == 0 ? most : std::min(most, limit);
}

Reply list_uploads(S3Call& s3) {
  s3.permit("s3:ListBucketMultipartUploads", false);
  const Bucket& bucket = s3.open_bucket();
  const std::string prefix = s3.text("prefix"), key_marker = s3.text("key-marker"), id_marker = s3.text("upload-id-marker");
  std::vector<std::pair<std::string, std::string>> found;  // key, id
  for (const auto& [id, upload] : bucket.uploads) {
    const bool after = upload.key > key_marker || (upload.key == key_marker && !id_marker.empty() && id > id_marker);
    if (upload.key.starts_with(prefix) && (key_marker.empty() || after)) found.emplace_back(upload.key, id);
  }
  std::sort(found.begin(), found.end());
  const std::size_t most = page(s3, "max-uploads");
  const bool more = found.size() > most;
  if (more) found.resize(most);
  std::string body = tag("Bucket", s3.bucket) + tag("KeyMarker", key_marker) + tag("UploadIdMarker", id_marker);
  if (more && !found.empty()) body += tag("NextKeyMarker", found.back().first) + tag("NextUploadIdMarker", found.back().second);
  body += tag("Prefix", prefix) + tag("MaxUploads", std::to_string(most)) + tag("IsTruncated", more ? "true" : "false");
  for (const auto& [key, id] : found) {
    const MultipartUpload& upload = bucket.uploads.at(id);
    body += "<Upload>" + tag("Key", key) + tag("UploadId", id) + tag("StorageClass", "STANDARD") + tag("Initiated", iso8601(upload.initiated));
    if (upload.sha256) body += tag("ChecksumAlgorithm", "SHA256");
    body += "</Upload>";
  }
  return s3_xml("ListMultipartUploadsResult", body);
}

std::string item(const std::string& key, const ObjectVersion& version) {
  return tag("Key", key) + tag("LastModified", iso8601(version.modified)) + tag("ETag", version.etag) +
         tag("Size", std::to_string(version.blob.size)) + tag("StorageClass", "STANDARD");
}

Reply list_objects(S3Call& s3) {
  s3.permit("s3:ListBucket", false);
  const Bucket& bucket = s3.open_bucket();
  const std::string prefix = s3.text("prefix"), token = s3.text("continuation-token");
  const std::size_t most = page(s3, "max-keys");
  std::string items, last;
  std::size_t count = 0;
  bool more = false;
  for (auto at = bucket.objects.upper_bound(token); at != bucket.objects.end(); ++at) {
    if (!at->first.starts_with(prefix) || at->second.back().delete_marker) continue;
    if (count == most) {
      more = true;
      break;
    }
    items += "<Contents>" + item(at->first, at->second.back()) + "</Contents>";
    last = at->first;
    ++count;
  }
  std::string body = tag("IsTruncated", more ? "true" : "false");
  body += items + tag("Name", s3.bucket) + tag("Prefix", prefix) + tag("MaxKeys", std::to_string(most)) + tag("KeyCount", std::to_string(count));
  if (!token.empty()) body += tag("ContinuationToken", token);
  if (more) body += tag("NextContinuationToken", last);
  return s3_xml("ListBucketResult", body);
}

// One page: the lab's buckets are small.
Reply list_versions(S3Call& s3) {
  s3.permit("s3:ListBucketVersions", false);
  const Bucket& bucket = s3.open_bucket();
  const std::string prefix = s3.text("prefix");
  std::string body = tag("IsTruncated", "false") + tag("KeyMarker", "") + tag("VersionIdMarker", "");
  for (const auto& [key, versions] : bucket.objects) {
    if (!key.starts_with(prefix)) continue;
    for (auto one = versions.rbegin(); one != versions.rend(); ++one) {
      const std::string latest = tag("VersionId", one->id) + tag("IsLatest", one == versions.rbegin() ? "true" : "false");
      body += one->delete_marker ? "<DeleteMarker>" + tag("Key", key) + latest + tag("LastModified", iso8601(one->modified)) + "</DeleteMarker>"
                                 : "<Version>" + item(key, *one) + latest + "</Version>";
    }
  }
  return s3_xml("ListVersionsResult", body + tag("Name", s3.bucket) + tag("Prefix", prefix) + tag("MaxKeys", "1000"));
}

Reply list_buckets(S3Call& s3) {
  s3.permit("s3:ListAllMyBuckets", false);
  std::string body;
  for (const auto& [name, bucket] : s3.store.buckets) body += "<Bucket>" + tag("Name", name) + "</Bucket>";
  return s3_xml("ListAllMyBucketsResult", "<Buckets>" + body + "</Buckets>");
}

}  // namespace

Reply serve_bucket(S3Call& s3) {
  const std::string& action = s3.call.action;
  const std::lock_guard lock(s3.store.mutex);
  if (action == "ListBuckets") return list_buckets(s3);
  if (action == "GetObjectLockConfiguration") return lock_configuration(s3);
  if (action == "ListMultipartUploads") return list_uploads(s3);
  if (action == "ListObjectsV2") return list_objects(s3);
  if (action == "ListObjectVersions") return list_versions(s3);
  s3.permit("s3:ListBucket", false);
  const Bucket& bucket = s3.open_bucket();
  if (action == "GetBucketLocation") return s3_xml("LocationConstraint", bucket.region == "us-east-1" ? "" : bucket.region);
  Reply reply;
  reply.headers.emplace_back("x-amz-bucket-region", bucket.region);
  return reply;
}

}  // namespace icelab
