// PutObject, HeadObject, GetObject, DeleteObject and the retention of one object.
#include <algorithm>
#include <charconv>
#include <limits>

#include "s3/call.h"
#include "util/digest.h"

namespace icelab {
namespace {

Reply put_object(S3Call& s3) {
  s3.permit("s3:PutObject", true);
  ObjectVersion version;
  {
    const std::lock_guard lock(s3.store.mutex);
    version.retention = s3.wanted_retention(s3.open_bucket());
  }
  if (s3.check_body(version.retention.has_value())) version.checksum = s3.header("x-amz-checksum-sha256");
  version.blob = s3.store.keep(s3.call.request.body);
  version.etag = "\"" + hex_encode(version.blob.md5) + "\"";
  version.modified = s3.call.lab.clock.now();
  version.content_type = s3.header("content-type");
  version.metadata = s3.metadata();
  const std::lock_guard lock(s3.store.mutex);
  Bucket& bucket = s3.open_bucket();
  version.id = bucket.object_lock ? random_hex(32) : "null";
  Reply reply;
  reply.headers.emplace_back("ETag", version.etag);
  if (!version.checksum.empty()) reply.headers.emplace_back("x-amz-checksum-sha256", version.checksum);
  if (bucket.object_lock) reply.headers.emplace_back("x-amz-version-id", version.id);
  add_version(s3.store, bucket, s3.key, std::move(version));
  return reply;
}

void add_facts(const S3Call& s3, Reply& reply, const Bucket& bucket, const ObjectVersion& version) {
  reply.headers.emplace_back("Accept-Ranges", "bytes");
  reply.headers.emplace_back("Last-Modified", http_date(version.modified));
  reply.headers.emplace_back("ETag", version.etag);
  reply.headers.emplace_back("Content-Type", version.content_type.empty() ? "binary/octet-stream" : version.content_type);
  if (bucket.object_lock) reply.headers.emplace_back("x-amz-version-id", version.id);
  if (s3.header("x-amz-checksum-mode") == "ENABLED" && !version.checksum.empty())
    reply.headers.emplace_back("x-amz-checksum-sha256", version.checksum);
  for (const auto& [name, value] : version.metadata) reply.headers.emplace_back(name, value);
  if (s3.may("s3:GetObjectRetention", true)) add_retention(reply, version);
}

// Without s3:ListBucket, S3 does not tell what is not there from what may not be seen.
void permit_reading(const S3Call& s3, const Bucket& bucket) {
  s3.permit(s3.has("versionId") ? "s3:GetObjectVersion" : "s3:GetObject", true);
  if (!bucket.objects.contains(s3.key) && !s3.may("s3:ListBucket", false)) throw ApiError("AccessDenied", "Access Denied", 403);
}

// What may be read, and in the reply what is known of it. The caller holds the store's lock.
const ObjectVersion& readable_version(const S3Call& s3, Reply& reply) {
  Bucket& bucket = s3.open_bucket();
  permit_reading(s3, bucket);
  const ObjectVersion& version = open_version(s3, bucket);
  add_facts(s3, reply, bucket, version);
  return version;
}

Reply head_object(S3Call& s3) {
  const std::lock_guard lock(s3.store.mutex);
  Reply reply;
  const ObjectVersion& version = readable_version(s3, reply);
  reply.headers.emplace_back("Content-Length", std::to_string(version.blob.size));
  return reply;
}

struct ByteRange {
  std::uint64_t first = 0, last = 0;  // both are bytes of the object
};

// "bytes=FIRST-" or "bytes=FIRST-LAST" of an object of `size` bytes; LAST may lie beyond its end. The lab knows no other form.
ByteRange byte_range(std::string_view header, std::uint64_t size) {
  const ApiError unsatisfiable("InvalidRange", "The requested range is not satisfiable", 416);
  const auto number = [&](std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || end != text.data() + text.size() || problem == std::errc::invalid_argument) throw unsatisfiable;
    return problem == std::errc::result_out_of_range ? std::numeric_limits<std::uint64_t>::max() : value;
  };
  header.remove_prefix(std::string_view("bytes=").size());
  const std::size_t dash = header.find('-');
  if (dash == std::string_view::npos) throw unsatisfiable;
  const std::uint64_t first = number(header.substr(0, dash));
  if (first >= size) throw unsatisfiable;
  const std::string_view end = header.substr(dash + 1);
  const std::uint64_t last = end.empty() ? size - 1 : std::min(number(end), size - 1);
  if (last < first) throw unsatisfiable;
  return {first, last};
}

Reply get_object(S3Call& s3) {
  const std::lock_guard lock(s3.store.mutex);
  Reply reply;
  const ObjectVersion& version = readable_version(s3, reply);
  std::uint64_t first = 0, length = version.blob.size;
  if (const std::string header = s3.header("range"); header.starts_with("bytes=")) {
    const ByteRange range = byte_range(header, version.blob.size);
    first = range.first;
    length = range.last - range.first + 1;
    reply.status = 206;
    reply.headers.emplace_back("Content-Range",
                               "bytes " + std::to_string(range.first) + "-" + std::to_string(range.last) + "/" + std::to_string(version.blob.size));
  }
  reply.body = s3.store.read(version.blob, first, length);
  return reply;
}

bool is_locked(const S3Call& s3, const ObjectVersion& version) {
  if (!version.retention || version.retention->until <= s3.call.lab.clock.now()) return false;
  const bool bypass = lowercase(s3.header("x-amz-bypass-governance-retention")) == "true";
  return !(bypass && version.retention->mode == "GOVERNANCE" && s3.may("s3:BypassGovernanceRetention", true));
}

// Without a version id, a versioned bucket gets a delete marker, and nothing is lost.
Reply delete_object(S3Call& s3) {
  const std::string id = s3.text("versionId");
  s3.permit(id.empty() ? "s3:DeleteObject" : "s3:DeleteObjectVersion", true);
  const std::lock_guard lock(s3.store.mutex);
  Bucket& bucket = s3.open_bucket();
  Reply reply;
  reply.status = 204;
  auto& versions = bucket.objects[s3.key];
  if (bucket.object_lock && id.empty()) {
    ObjectVersion marker;
    marker.id = random_hex(32);
    marker.delete_marker = true;
    marker.modified = s3.call.lab.clock.now();
    reply.headers.emplace_back("x-amz-delete-marker", "true");
    reply.headers.emplace_back("x-amz-version-id", marker.id);
    versions.push_back(std::move(marker));
    return reply;
  }
  const auto found = std::find_if(versions.begin(), versions.end(), [&](const ObjectVersion& one) { return id.empty() || one.id == id; });
  if (found != versions.end()) {
    if (is_locked(s3, *found)) throw ApiError("AccessDenied", "Access Denied because object protected by object lock.", 403);
    s3.store.drop(found->blob);
    versions.erase(found);
  }
  if (versions.empty()) bucket.objects.erase(s3.key);
  if (!id.empty()) reply.headers.emplace_back("x-amz-version-id", id);
  return reply;
}

std::string between(const std::string& body, const std::string& name) {
  const std::size_t begin = body.find("<" + name + ">");
  const std::size_t end = body.find("</" + name + ">");
  if (begin == std::string::npos || end == std::string::npos) throw ApiError("MalformedXML", "The XML you provided was not well-formed", 400);
  return body.substr(begin + name.size() + 2, end - begin - name.size() - 2);
}

Reply put_retention(S3Call& s3) {
  s3.permit("s3:PutObjectRetention", true);
  if (s3.header("content-md5").empty() && s3.header("x-amz-checksum-sha256").empty())
    throw ApiError("InvalidRequest", "Missing required header for this request: Content-MD5", 400);
  s3.check_body(false);
  const Retention wanted = retention_of(between(s3.call.request.body, "Mode"), between(s3.call.request.body, "RetainUntilDate"), s3.call.lab.clock);
  const std::lock_guard lock(s3.store.mutex);
  Bucket& bucket = s3.open_bucket();
  if (!bucket.object_lock) throw ApiError("InvalidRequest", "Bucket is missing Object Lock Configuration", 400);
  ObjectVersion& version = open_version(s3, bucket);
  const bool weaker =
      version.retention && (wanted.until < version.retention->until || (version.retention->mode == "COMPLIANCE" && wanted.mode != "COMPLIANCE"));
  if (weaker && is_locked(s3, version)) throw ApiError("AccessDenied", "Access Denied because object protected by object lock.", 403);
  version.retention = wanted;
  return {};
}

Reply get_retention(S3Call& s3) {
  s3.permit("s3:GetObjectRetention", true);
  const std::lock_guard lock(s3.store.mutex);
  const ObjectVersion& version = open_version(s3, s3.open_bucket());
  if (!version.retention) throw ApiError("NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration", 404);
  return s3_xml("Retention", tag("Mode", version.retention->mode) + tag("RetainUntilDate", iso8601(version.retention->until)));
}

}  // namespace

void add_retention(Reply& reply, const ObjectVersion& version) {
  if (!version.retention) return;
  reply.headers.emplace_back("x-amz-object-lock-mode", version.retention->mode);
  reply.headers.emplace_back("x-amz-object-lock-retain-until-date", iso8601(version.retention->until));
}

ObjectVersion& open_version(const S3Call& s3, Bucket& bucket) {
  const auto found = bucket.objects.find(s3.key);
  if (found == bucket.objects.end()) throw ApiError("NoSuchKey", "The specified key does not exist.", 404);
  const std::string id = s3.text("versionId");
  if (id.empty()) {
    if (found->second.back().delete_marker) throw ApiError("NoSuchKey", "The specified key does not exist.", 404);
    return found->second.back();
  }
  for (ObjectVersion& version : found->second) {
    if (version.id != id) continue;
    if (version.delete_marker) throw ApiError("MethodNotAllowed", "The specified method is not allowed against this resource.", 405);
    return version;
  }
  throw ApiError("NoSuchVersion", "The specified version does not exist.", 404);
}

void add_version(S3Store& store, Bucket& bucket, const std::string& key, ObjectVersion version) {
  auto& versions = bucket.objects[key];
  if (!bucket.object_lock) {  // Object Lock has versions; the lab's other buckets have none
    for (const ObjectVersion& old : versions) store.drop(old.blob);
    versions.clear();
  }
  versions.push_back(std::move(version));
}

Reply serve_object(S3Call& s3) {
  const std::string& action = s3.call.action;
  if (action == "PutObject") return put_object(s3);
  if (action == "HeadObject") return head_object(s3);
  if (action == "GetObject") return get_object(s3);
  if (action == "DeleteObject") return delete_object(s3);
  if (action == "PutObjectRetention") return put_retention(s3);
  return get_retention(s3);
}

}  // namespace icelab
