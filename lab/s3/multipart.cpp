// An object in parts: 5 MiB at least but for the last, each with its SHA-256 where the upload was begun with that.
#include <algorithm>

#include "s3/call.h"
#include "util/digest.h"

namespace icelab {
namespace {

constexpr std::uint64_t kLeastPart = 5 * 1024 * 1024;

std::string etag_of(const StoredPart& part) { return "\"" + hex_encode(part.blob.md5) + "\""; }

// The caller holds the store's lock.
MultipartUpload& open_upload(const S3Call& s3, Bucket& bucket) {
  const auto found = bucket.uploads.find(s3.text("uploadId"));
  if (found == bucket.uploads.end() || found->second.key != s3.key)
    throw ApiError("NoSuchUpload",
                   "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.", 404);
  return found->second;
}

Reply create(S3Call& s3) {
  s3.permit("s3:PutObject", true);
  const std::string algorithm = s3.header("x-amz-checksum-algorithm");
  if (!algorithm.empty() && algorithm != "SHA256") throw ApiError("NotImplemented", "icecore-lab checks SHA256 only", 501);
  const std::lock_guard lock(s3.store.mutex);
  Bucket& bucket = s3.open_bucket();
  MultipartUpload upload;
  upload.key = s3.key;
  upload.initiated = s3.call.lab.clock.now();
  upload.sha256 = !algorithm.empty();
  upload.retention = s3.wanted_retention(bucket);
  upload.content_type = s3.header("content-type");
  upload.metadata = s3.metadata();
  const std::string id = random_hex(64);
  Reply reply = s3_xml("InitiateMultipartUploadResult", tag("Bucket", s3.bucket) + tag("Key", s3.key) + tag("UploadId", id));
  if (upload.sha256) reply.headers.emplace_back("x-amz-checksum-algorithm", "SHA256");
  bucket.uploads[id] = std::move(upload);
  return reply;
}

Reply put_part(S3Call& s3) {
  s3.permit("s3:PutObject", true);
  const std::int64_t number = s3.number("partNumber", 0, 0, 1 << 30);
  if (number < 1 || number > 10'000) throw ApiError("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive", 400);
  bool sum_needed = false, wants_sha = false;
  {
    const std::lock_guard lock(s3.store.mutex);
    const MultipartUpload& upload = open_upload(s3, s3.open_bucket());
    sum_needed = upload.retention.has_value();
    wants_sha = upload.sha256;
  }
  StoredPart part;
  part.checked = s3.check_body(sum_needed);
  if (wants_sha && !part.checked)
    throw ApiError("InvalidRequest", "Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: null", 400);
  part.blob = s3.store.keep(s3.call.request.body);
  part.modified = s3.call.lab.clock.now();
  Reply reply;
  reply.headers.emplace_back("ETag", etag_of(part));
  if (part.checked) reply.headers.emplace_back("x-amz-checksum-sha256", base64_encode(part.blob.sha256));
  const std::lock_guard lock(s3.store.mutex);
  auto& parts = open_upload(s3, s3.open_bucket()).parts;
  if (const auto old = parts.find(static_cast<int>(number)); old != parts.end()) s3.store.drop(old->second.blob);
  parts[static_cast<int>(number)] = std::move(part);
  return reply;
}

Reply list_parts(S3Call& s3) {
  s3.permit("s3:ListMultipartUploadParts", true);
  std::int64_t most = s3.number("max-parts", 1000, 0, 1000);
  if (s3.call.lab.options.page_size != 0) most = std::min(most, static_cast<std::int64_t>(s3.call.lab.options.page_size));
  const std::int64_t marker = s3.number("part-number-marker", 0, 0, 10'000);
  const std::lock_guard lock(s3.store.mutex);
  const MultipartUpload& upload = open_upload(s3, s3.open_bucket());
  std::string items;
  std::int64_t last = 0, count = 0;
  auto at = upload.parts.upper_bound(static_cast<int>(marker));
  for (; at != upload.parts.end() && count < most; ++at, ++count) {
    last = at->first;
    std::string item = tag("PartNumber", std::to_string(at->first)) + tag("LastModified", iso8601(at->second.modified)) +
                       tag("ETag", etag_of(at->second)) + tag("Size", std::to_string(at->second.blob.size));
    if (at->second.checked) item += tag("ChecksumSHA256", base64_encode(at->second.blob.sha256));
    items += "<Part>" + item + "</Part>";
  }
  const bool more = at != upload.parts.end();
  std::string body =
      tag("Bucket", s3.bucket) + tag("Key", s3.key) + tag("UploadId", s3.text("uploadId")) + tag("PartNumberMarker", std::to_string(marker));
  if (more) body += tag("NextPartNumberMarker", std::to_string(last));
  body += tag("MaxParts", std::to_string(most)) + tag("IsTruncated", more ? "true" : "false");
  if (upload.sha256) body += tag("ChecksumAlgorithm", "SHA256");
  return s3_xml("ListPartsResult", body + items + tag("StorageClass", "STANDARD"));
}

struct AskedPart {
  int number = 0;
  std::string etag, sha256;
};

std::string unescape(std::string text) {
  for (const auto& [from, to] : {std::pair<std::string, std::string>{"&quot;", "\""}, {"&#34;", "\""}}) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from)) text.replace(at, from.size(), to);
  }
  return text;
}

std::string element(const std::string& xml, const std::string& name) {
  const std::size_t begin = xml.find("<" + name + ">"), end = xml.find("</" + name + ">");
  return begin == std::string::npos || end == std::string::npos ? "" : unescape(xml.substr(begin + name.size() + 2, end - begin - name.size() - 2));
}

std::vector<AskedPart> asked_parts(const std::string& xml) {
  const auto malformed = [] {
    return ApiError("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema", 400);
  };
  if (xml.find("<CompleteMultipartUpload") == std::string::npos) throw malformed();
  std::vector<AskedPart> parts;
  std::size_t at = 0;
  while ((at = xml.find("<Part>", at)) != std::string::npos) {
    const std::size_t end = xml.find("</Part>", at);
    if (end == std::string::npos) throw malformed();
    const std::string one = xml.substr(at, end - at);
    const std::string number = element(one, "PartNumber");
    if (number.empty() || number.size() > 5 || number.find_first_not_of("0123456789") != std::string::npos) throw malformed();
    parts.push_back({std::stoi(number), element(one, "ETag"), element(one, "ChecksumSHA256")});
    at = end;
  }
  if (parts.empty()) throw malformed();
  return parts;
}

const StoredPart& matching(const MultipartUpload& upload, const AskedPart& asked) {
  const auto found = upload.parts.find(asked.number);
  const ApiError wrong("InvalidPart",
                       "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may "
                       "not match the part's entity tag.",
                       400);
  if (found == upload.parts.end() || (asked.etag != etag_of(found->second) && "\"" + asked.etag + "\"" != etag_of(found->second))) throw wrong;
  if (upload.sha256 && asked.sha256.empty())
    throw ApiError(
        "InvalidRequest",
        "The upload was created using a sha256 checksum. The complete request must include the checksum for each part. It was missing for part " +
            std::to_string(asked.number) + " in the request.",
        400);
  if (!asked.sha256.empty() && asked.sha256 != base64_encode(found->second.blob.sha256)) throw wrong;
  return found->second;
}

Reply complete(S3Call& s3) {
  s3.permit("s3:PutObject", true);
  const auto asked = asked_parts(s3.call.request.body);
  const std::lock_guard lock(s3.store.mutex);
  Bucket& bucket = s3.open_bucket();
  MultipartUpload& upload = open_upload(s3, bucket);
  const auto out_of_order = [](const AskedPart& a, const AskedPart& b) { return a.number >= b.number; };
  if (std::adjacent_find(asked.begin(), asked.end(), out_of_order) != asked.end())
    throw ApiError("InvalidPartOrder", "The list of parts was not in ascending order. The parts list must be specified in order by part number.",
                   400);
  std::vector<const Blob*> blobs;
  std::string sums, tags;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const StoredPart& part = matching(upload, asked[i]);
    if (i + 1 < asked.size() && part.blob.size < kLeastPart)
      throw ApiError("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", 400);
    blobs.push_back(&part.blob);
    sums += part.blob.sha256;
    tags += part.blob.md5;
  }
  ObjectVersion version;
  version.blob = s3.store.join(blobs);
  // S3's ETag of many parts is the MD5 of their MD5s; its checksum the SHA-256 of their SHA-256s.
  version.etag = "\"" + hex_encode(md5(tags)) + "-" + std::to_string(asked.size()) + "\"";
  if (upload.sha256) version.checksum = base64_encode(sha256(sums)) + "-" + std::to_string(asked.size());
  version.parts = asked.size();
  version.id = bucket.object_lock ? random_hex(32) : "null";
  version.modified = s3.call.lab.clock.now();
  version.content_type = upload.content_type;
  version.metadata = upload.metadata;
  version.retention = upload.retention;
  std::string body =
      tag("Location", "http://localhost/" + s3.bucket + "/" + s3.key) + tag("Bucket", s3.bucket) + tag("Key", s3.key) + tag("ETag", version.etag);
  if (!version.checksum.empty()) body += tag("ChecksumSHA256", version.checksum);
  Reply reply = s3_xml("CompleteMultipartUploadResult", body);
  if (bucket.object_lock) reply.headers.emplace_back("x-amz-version-id", version.id);
  for (const auto& [number, part] : upload.parts) s3.store.drop(part.blob);
  bucket.uploads.erase(s3.text("uploadId"));
  add_version(s3.store, bucket, s3.key, std::move(version));
  return reply;
}

Reply abort(S3Call& s3) {
  s3.permit("s3:AbortMultipartUpload", true);
  const std::lock_guard lock(s3.store.mutex);
  Bucket& bucket = s3.open_bucket();
  for (const auto& [number, part] : open_upload(s3, bucket).parts) s3.store.drop(part.blob);
  bucket.uploads.erase(s3.text("uploadId"));
  Reply reply;
  reply.status = 204;
  return reply;
}

}  // namespace

Reply serve_multipart(S3Call& s3) {
  const std::string& action = s3.call.action;
  if (action == "CreateMultipartUpload") return create(s3);
  if (action == "UploadPart") return put_part(s3);
  if (action == "ListParts") return list_parts(s3);
  if (action == "CompleteMultipartUpload") return complete(s3);
  return abort(s3);
}

}  // namespace icelab
