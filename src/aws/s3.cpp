#include "aws/s3.h"

#include <fmt/format.h>
#include <charconv>

#include "aws/signer.h"
#include "aws/xml.h"
#include "core/text.h"

namespace icecore::aws {
namespace {

/// A part may be a hundred MiB on a slow line; what stalls is dropped all the same.
constexpr HttpLimits kBodyLimits = {.connect_ms = 10'000, .stall_ms = 60'000, .total_ms = 3'600'000, .body_bytes = std::uint64_t{1} << 20};
constexpr std::int64_t kBodyBudgetMs = 3'600'000;
/// S3 joins the parts before it answers, which can take minutes.
constexpr HttpLimits kCompleteLimits = {.connect_ms = 10'000, .stall_ms = 600'000, .total_ms = 900'000, .body_bytes = std::uint64_t{1} << 20};
/// The reply to HEAD states the object's length and has no body.
constexpr HttpLimits kHeadLimits = {.body_bytes = 0};

Call call_of(std::string_view name, std::string method) {
  Call call{.operation = &operation("s3", name),
            .protocol = Protocol::kQuery,  // its errors are XML, too
            .method = std::move(method)};
  return call;
}

std::string time_text(const Timestamp& time) { return to_iso8601({time.seconds, 0}, 0); }

void add_options(Call& call, const ObjectOptions& options) {
  if (options.retention) {
    call.headers.push_back({"x-amz-object-lock-mode", options.retention->mode});
    call.headers.push_back({"x-amz-object-lock-retain-until-date", time_text(options.retention->until)});
    call.parameters.push_back({"ObjectLockMode", options.retention->mode});
    call.parameters.push_back({"ObjectLockRetainUntilDate", time_text(options.retention->until)});
  }
  if (!options.content_type.empty()) call.headers.push_back({"Content-Type", options.content_type});
  for (const NameValue& one : options.metadata) call.headers.push_back({"x-amz-meta-" + one.name, one.value});
}

std::optional<ObjectRetention> read_retention(const HttpReply& reply) {
  ObjectRetention retention;
  retention.mode = header(reply.headers, "x-amz-object-lock-mode");
  const auto until = parse_iso8601(header(reply.headers, "x-amz-object-lock-retain-until-date"));
  if (retention.mode.empty() || !until) return std::nullopt;
  retention.until = *until;
  return retention;
}

StoredObject stored_of(const HttpReply& reply) {
  StoredObject stored;
  stored.version_id = header(reply.headers, "x-amz-version-id");
  if (stored.version_id == "null") stored.version_id.clear();
  stored.checksum = header(reply.headers, "x-amz-checksum-sha256");
  const std::string_view length = header(reply.headers, "content-length");
  std::from_chars(length.data(), length.data() + length.size(), stored.size);
  stored.retention = read_retention(reply);
  return stored;
}

/// Words where a 200 holds an error, as CompleteMultipartUpload may answer once it has begun to, or no XML at all.
std::optional<std::string> xml_damage(const HttpReply& reply, std::string_view root) {
  const auto xml = parse_xml(as_text(reply.body), root);
  if (!xml) return xml.error().message;
  if (std::string_view(xml->root.name()) == root) return std::nullopt;
  return fmt::format("answered with <{}> instead of <{}>: {}", printable(xml->root.name()), root, printable(child_text(xml->root, "Message")));
}

UploadedPart read_part(const pugi::xml_node& node) {
  UploadedPart part;
  part.number = static_cast<std::uint32_t>(child_number(node, "PartNumber"));
  part.etag = child_text(node, "ETag");
  part.checksum = child_text(node, "ChecksumSHA256");
  part.size = child_number(node, "Size");
  return part;
}

std::string escape_xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

}  // namespace

std::string composite_checksum(const std::vector<Sha256Digest>& parts) {
  Sha256 all;
  for (const Sha256Digest& part : parts) all.update(part);
  return fmt::format("{}-{}", to_base64(all.finish()), parts.size());
}

S3::Where S3::where(const std::string& bucket, const std::string& key) const {
  const std::string path = key.empty() ? "" : percent_encode(key, true);
  const std::string regional = fmt::format("https://s3.{}.", region_);
  if (origin_.starts_with(regional) && bucket.find('.') == std::string::npos)
    return {fmt::format("https://{}.{}", bucket, origin_.substr(std::string_view("https://").size())), "/" + path};
  return {origin_, fmt::format("/{}{}{}", percent_encode(bucket), key.empty() ? "" : "/", path)};
}

CallResult<CallReply> S3::run(Call call, const std::string& bucket, const std::string& key) {
  const Where at = where(bucket, key);
  call.path = at.path;
  call.parameters.insert(call.parameters.begin(), {"Bucket", bucket});
  if (!key.empty()) call.parameters.insert(call.parameters.begin() + 1, {"Key", key});
  auto reply = executor_.run(std::move(call), at.origin, region_);
  if (!reply) {
    ServiceError error = std::move(reply).error();
    error.message = fmt::format("s3://{}{}{}: {}", bucket, key.empty() ? "" : "/", key, error.message);
    return CallFailure(std::move(error));
  }
  return reply;
}

CallResult<ObjectLock> S3::get_object_lock_configuration(const std::string& bucket) {
  Call call = call_of("GetObjectLockConfiguration", "GET");
  call.query = {{"object-lock", ""}};
  call.damage = [](const HttpReply& reply) { return xml_damage(reply, "ObjectLockConfiguration"); };
  auto reply = run(std::move(call), bucket, "");
  if (!reply) {
    if (reply.error().aws_code == "ObjectLockConfigurationNotFoundError") return ObjectLock{};
    return CallFailure(std::move(reply).error());
  }
  ICECORE_CALL(const XmlReply xml, parse_xml(as_text(reply->http.body), "GetObjectLockConfiguration"));
  const pugi::xml_node rule = xml.root.child("Rule").child("DefaultRetention");
  return ObjectLock{child_text(xml.root, "ObjectLockEnabled") == "Enabled", child_text(rule, "Mode"),
                    static_cast<std::uint32_t>(child_number(rule, "Days")), static_cast<std::uint32_t>(child_number(rule, "Years"))};
}

CallResult<StoredObject> S3::head_object(const std::string& bucket, const std::string& key, const std::string& version_id) {
  Call call = call_of("HeadObject", "HEAD");
  if (!version_id.empty()) call.query = {{"versionId", version_id}};
  call.headers = {{"x-amz-checksum-mode", "ENABLED"}};
  call.limits = kHeadLimits;
  ICECORE_CALL(const CallReply reply, run(std::move(call), bucket, key));
  return stored_of(reply.http);
}

CallResult<StoredObject> S3::put_object(const std::string& bucket, const std::string& key, std::string body, const ObjectOptions& options) {
  Call call = call_of("PutObject", "PUT");
  const std::string checksum = to_base64(sha256(as_bytes(body)));
  call.headers = {{"x-amz-checksum-sha256", checksum}};
  call.parameters = {{"ChecksumSHA256", checksum}, {"ContentLength", std::to_string(body.size())}};
  add_options(call, options);
  call.body = std::move(body);
  call.limits = kBodyLimits;
  call.budget_ms = kBodyBudgetMs;
  ICECORE_CALL(const CallReply reply, run(std::move(call), bucket, key));
  return stored_of(reply.http);
}

CallResult<void> S3::put_object_retention(const std::string& bucket, const std::string& key, const std::string& version_id,
                                          const ObjectRetention& retention) {
  Call call = call_of("PutObjectRetention", "PUT");
  call.query = {{"retention", ""}};
  if (!version_id.empty()) call.query.push_back({"versionId", version_id});
  call.body =
      fmt::format("<Retention xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Mode>{}</Mode><RetainUntilDate>{}</RetainUntilDate></Retention>",
                  retention.mode, time_text(retention.until));
  call.headers = {{"Content-Type", "application/xml"}, {"x-amz-checksum-sha256", to_base64(sha256(as_bytes(call.body)))}};
  call.parameters = {{"VersionId", version_id}, {"Mode", retention.mode}, {"RetainUntilDate", time_text(retention.until)}};
  ICECORE_CALL(const CallReply reply, run(std::move(call), bucket, key));
  return {};
}

CallResult<std::string> S3::create_multipart_upload(const std::string& bucket, const std::string& key, const ObjectOptions& options) {
  Call call = call_of("CreateMultipartUpload", "POST");
  call.query = {{"uploads", ""}};
  call.headers = {{"x-amz-checksum-algorithm", "SHA256"}};
  add_options(call, options);
  call.damage = [](const HttpReply& reply) { return xml_damage(reply, "InitiateMultipartUploadResult"); };
  ICECORE_CALL(const CallReply reply, run(std::move(call), bucket, key));
  ICECORE_CALL(const XmlReply xml, parse_xml(as_text(reply.http.body), "CreateMultipartUpload"));
  std::string id = child_text(xml.root, "UploadId");
  if (id.empty()) return fail(Code::kCorrupt, "the reply of CreateMultipartUpload names no upload");
  return id;
}

CallResult<UploadedPart> S3::upload_part(const std::string& bucket, const std::string& key, const std::string& upload_id, std::uint32_t number,
                                         std::string body) {
  Call call = call_of("UploadPart", "PUT");
  UploadedPart part{number, {}, to_base64(sha256(as_bytes(body))), body.size()};
  call.query = {{"partNumber", std::to_string(number)}, {"uploadId", upload_id}};
  call.headers = {{"x-amz-checksum-sha256", part.checksum}};
  call.parameters = {{"PartNumber", std::to_string(number)}, {"ChecksumSHA256", part.checksum}};
  call.body = std::move(body);
  call.limits = kBodyLimits;
  call.budget_ms = kBodyBudgetMs;
  // S3 has checked the sum on arrival; a reply that names another is not about these bytes.
  call.damage = [&part](const HttpReply& reply) -> std::optional<std::string> {
    const std::string_view stated = header(reply.headers, "x-amz-checksum-sha256");
    if (stated == part.checksum) return std::nullopt;
    return fmt::format("part {} has the SHA-256 {}, and the reply says '{}'", part.number, part.checksum, stated.substr(0, 64));
  };
  call.damage_code = Code::kIntegrity;
  ICECORE_CALL(const CallReply reply, run(std::move(call), bucket, key));
  part.etag = header(reply.http.headers, "etag");
  return part;
}

CallResult<std::vector<UploadedPart>> S3::list_parts(const std::string& bucket, const std::string& key, const std::string& upload_id) {
  std::vector<UploadedPart> parts;
  std::string marker;
  do {
    Call call = call_of("ListParts", "GET");
    call.query = {{"uploadId", upload_id}};
    if (!marker.empty()) call.query.push_back({"part-number-marker", marker});
    call.damage = [](const HttpReply& reply) { return xml_damage(reply, "ListPartsResult"); };
    ICECORE_CALL(const CallReply reply, run(std::move(call), bucket, key));
    ICECORE_CALL(const XmlReply xml, parse_xml(as_text(reply.http.body), "ListParts"));
    for (const pugi::xml_node one : xml.root.children("Part")) parts.push_back(read_part(one));
    const std::string next = child_text(xml.root, "NextPartNumberMarker");
    if (!child_flag(xml.root, "IsTruncated")) break;
    if (next == marker || parts.size() > kMostParts) return fail(Code::kCorrupt, "ListParts does not come to an end");
    marker = next;
  } while (true);
  return parts;
}

CallResult<std::vector<PendingUpload>> S3::list_multipart_uploads(const std::string& bucket, const std::string& prefix) {
  std::vector<PendingUpload> uploads;
  std::string key_marker, id_marker;
  do {
    Call call = call_of("ListMultipartUploads", "GET");
    call.query = {{"uploads", ""}, {"prefix", prefix}};
    if (!key_marker.empty()) call.query.insert(call.query.end(), {{"key-marker", key_marker}, {"upload-id-marker", id_marker}});
    call.parameters = {{"Prefix", prefix}};
    call.damage = [](const HttpReply& reply) { return xml_damage(reply, "ListMultipartUploadsResult"); };
    ICECORE_CALL(const CallReply reply, run(std::move(call), bucket, ""));
    ICECORE_CALL(const XmlReply xml, parse_xml(as_text(reply.http.body), "ListMultipartUploads"));
    for (const pugi::xml_node one : xml.root.children("Upload"))
      uploads.push_back({child_text(one, "Key"), child_text(one, "UploadId"), child_text(one, "Initiated")});
    if (!child_flag(xml.root, "IsTruncated")) break;
    const std::string next_key = child_text(xml.root, "NextKeyMarker"), next_id = child_text(xml.root, "NextUploadIdMarker");
    if (next_key == key_marker && next_id == id_marker) return fail(Code::kCorrupt, "ListMultipartUploads does not come to an end");
    key_marker = next_key;
    id_marker = next_id;
  } while (true);
  return uploads;
}

CallResult<StoredObject> S3::complete_multipart_upload(const std::string& bucket, const std::string& key, const std::string& upload_id,
                                                       const std::vector<UploadedPart>& parts) {
  Call call = call_of("CompleteMultipartUpload", "POST");
  call.query = {{"uploadId", upload_id}};
  call.body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (const UploadedPart& part : parts)
    call.body += fmt::format("<Part><ChecksumSHA256>{}</ChecksumSHA256><ETag>{}</ETag><PartNumber>{}</PartNumber></Part>", part.checksum,
                             escape_xml(part.etag), part.number);
  call.body += "</CompleteMultipartUpload>";
  call.headers = {{"Content-Type", "application/xml"}};
  call.parameters = {{"Parts", std::to_string(parts.size())}};
  call.limits = kCompleteLimits;
  call.budget_ms = kBodyBudgetMs;
  call.damage = [](const HttpReply& reply) { return xml_damage(reply, "CompleteMultipartUploadResult"); };
  ICECORE_CALL(const CallReply reply, run(std::move(call), bucket, key));
  ICECORE_CALL(const XmlReply xml, parse_xml(as_text(reply.http.body), "CompleteMultipartUpload"));
  StoredObject stored = stored_of(reply.http);
  stored.size = 0;
  stored.checksum = child_text(xml.root, "ChecksumSHA256");
  return stored;
}

CallResult<void> S3::abort_multipart_upload(const std::string& bucket, const std::string& key, const std::string& upload_id) {
  Call call = call_of("AbortMultipartUpload", "DELETE");
  call.query = {{"uploadId", upload_id}};
  auto reply = run(std::move(call), bucket, key);
  if (!reply && reply.error().code != Code::kNotFound) return CallFailure(std::move(reply).error());
  return {};
}

}  // namespace icecore::aws
