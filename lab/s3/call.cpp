#include "s3/call.h"

#include "auth/condition.h"
#include "auth/policy.h"
#include "s3/route.h"

#include <algorithm>
#include <charconv>

#include "util/digest.h"

namespace icelab {
namespace {

constexpr const char* kNamespace = "http://s3.amazonaws.com/doc/2006-03-01/";

bool is_lock_header(const S3Call& s3) { return !s3.header("x-amz-object-lock-mode").empty(); }

// Sums that the lab does not know would be taken for checked.
void refuse_other_sums(const S3Call& s3) {
  for (const auto& [name, value] : s3.call.request.headers) {
    const std::string lower = lowercase(name);
    const bool ours = lower == "x-amz-checksum-sha256" || lower == "x-amz-checksum-algorithm" || lower == "x-amz-checksum-mode";
    if (lower.starts_with("x-amz-checksum-") && !ours) throw ApiError("NotImplemented", "icecore-lab checks SHA256 only, not " + lower, 501);
  }
  if (!s3.header("x-amz-trailer").empty()) throw ApiError("NotImplemented", "icecore-lab has no checksums in trailers", 501);
}

}  // namespace

std::string S3Call::text(const std::string& name) const {
  for (const auto& [key_, value] : query) {
    if (key_ == name) return value;
  }
  return {};
}

bool S3Call::has(const std::string& name) const {
  return std::any_of(query.begin(), query.end(), [&](const auto& one) { return one.first == name; });
}

std::int64_t S3Call::number(const std::string& name, std::int64_t otherwise, std::int64_t least, std::int64_t most) const {
  const std::string value = text(name);
  if (value.empty()) return otherwise;
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out);
  if (error != std::errc() || end != value.data() + value.size() || out < least)
    throw ApiError("InvalidArgument", "Provided " + name + " not an integer or within integer range", 400);
  return std::min(out, most);
}

Bucket& S3Call::open_bucket() const {
  const auto found = store.buckets.find(bucket);
  if (found == store.buckets.end()) throw ApiError("NoSuchBucket", "The specified bucket does not exist", 404);
  if (found->second.region != call.region->name)
    throw ApiError("PermanentRedirect",
                   "The bucket you are attempting to access must be addressed using the specified endpoint. "
                   "Please send all future requests to this endpoint.",
                   301, found->second.region);
  return found->second;
}

bool S3Call::may(const std::string& action, bool on_object) const {
  const std::string arn = "arn:aws:s3:::" + bucket + (on_object ? "/" + key : "");
  const ConditionContext context = {{"aws:requestedregion", {call.region->name}}, {"aws:principalarn", {call.principal.arn}}};
  return call.principal.may({action, arn, context}) == Decision::allowed;
}

void S3Call::permit(const std::string& action, bool on_object) const {
  if (may(action, on_object)) return;
  throw ApiError("AccessDenied",
                 "User: " + call.principal.arn + " is not authorized to perform: " + action + " on resource: \"arn:aws:s3:::" + bucket +
                     (on_object ? "/" + key : "") + "\" because no identity-based policy allows the " + action + " action",
                 403);
}

bool S3Call::check_body(bool required) const {
  refuse_other_sums(*this);
  const std::string& body = call.request.body;
  const std::string sha = header("x-amz-checksum-sha256"), md5_text = header("content-md5");
  if (required && sha.empty() && md5_text.empty())
    throw ApiError("InvalidRequest", "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters",
                   400);
  if (!sha.empty()) {
    const auto raw = base64_decode(sha);
    if (!raw || raw->size() != 32) throw ApiError("InvalidRequest", "Value for x-amz-checksum-sha256 header is invalid.", 400);
    if (*raw != sha256(body)) throw ApiError("BadDigest", "The SHA256 you specified did not match the calculated checksum.", 400);
  }
  if (!md5_text.empty()) {
    const auto raw = base64_decode(md5_text);
    if (!raw || raw->size() != 16) throw ApiError("InvalidDigest", "The Content-MD5 you specified was invalid.", 400);
    if (*raw != md5(body)) throw ApiError("BadDigest", "The Content-MD5 you specified did not match what we received.", 400);
  }
  return !sha.empty();
}

Retention retention_of(const std::string& mode, const std::string& until, const Clock& clock) {
  if (mode != "GOVERNANCE" && mode != "COMPLIANCE") throw ApiError("InvalidArgument", "Unknown wormMode directive.", 400);
  const auto time = parse_iso8601(until);
  if (!time) throw ApiError("InvalidArgument", "The retain until date must be provided in ISO 8601 format", 400);
  if (*time <= clock.now()) throw ApiError("InvalidArgument", "The retain until date must be in the future!", 400);
  return {mode, *time};
}

std::optional<Retention> S3Call::wanted_retention(const Bucket& in) const {
  const std::string mode = header("x-amz-object-lock-mode"), until = header("x-amz-object-lock-retain-until-date");
  if (mode.empty() != until.empty())
    throw ApiError("InvalidArgument", "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied", 400);
  if (!is_lock_header(*this)) {
    if (in.default_mode.empty()) return std::nullopt;
    return Retention{in.default_mode, call.lab.clock.now() + Millis{in.default_days} * 86'400'000};
  }
  if (!in.object_lock) throw ApiError("InvalidRequest", "Bucket is missing Object Lock Configuration", 400);
  permit("s3:PutObjectRetention", true);
  return retention_of(mode, until, call.lab.clock);
}

std::map<std::string, std::string> S3Call::metadata() const {
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : call.request.headers) {
    if (const std::string lower = lowercase(name); lower.starts_with("x-amz-meta-")) out[lower] = value;
  }
  return out;
}

std::string tag(const std::string& name, const std::string& text) { return "<" + name + ">" + xml_escape(text) + "</" + name + ">"; }

Reply s3_xml(const std::string& name, const std::string& body) {
  Reply reply;
  reply.headers.emplace_back("Content-Type", "application/xml");
  reply.body = std::string("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<") + name + " xmlns=\"" + kNamespace + "\">" + body + "</" + name + ">";
  return reply;
}

Reply serve_s3(Call& call) {
  const auto query = parse_form(call.request.query);
  const std::size_t slash = call.request.path.find('/', 1);
  const auto bucket = percent_decode(call.request.path.substr(1, slash == std::string::npos ? slash : slash - 1), false);
  const auto key = percent_decode(slash == std::string::npos ? "" : call.request.path.substr(slash + 1), false);
  if (!query || !bucket || !key) throw ApiError("InvalidURI", "Couldn't parse the specified URI.", 400);
  if (!valid_utf8(*key)) throw ApiError("InvalidURI", "Object key is not UTF-8.", 400);
  if (key->size() > 1024) throw ApiError("KeyTooLongError", "Your key is too long", 400);
  if (call.action.empty()) throw ApiError("NotImplemented", "icecore-lab has no such call of S3", 501);
  S3Call s3{call, *call.lab.world->s3, *bucket, *key, *query};
  static const std::vector<std::string> kMultipart = {"CreateMultipartUpload", "UploadPart", "ListParts", "CompleteMultipartUpload",
                                                      "AbortMultipartUpload"};
  if (s3.key.empty()) return serve_bucket(s3);
  if (std::find(kMultipart.begin(), kMultipart.end(), call.action) != kMultipart.end()) return serve_multipart(s3);
  return serve_object(s3);
}

}  // namespace icelab
