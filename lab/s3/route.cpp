#include "s3/route.h"

#include <algorithm>

#include "util/encoding.h"

namespace icelab {
namespace {

bool has(const Parameters& query, std::string_view name) {
  return std::any_of(query.begin(), query.end(), [&](const auto& one) { return one.first == name; });
}

std::string of_bucket(const std::string& method, const Parameters& query) {
  if (method == "HEAD") return "HeadBucket";
  if (method != "GET") return {};
  if (has(query, "object-lock")) return "GetObjectLockConfiguration";
  if (has(query, "uploads")) return "ListMultipartUploads";
  if (has(query, "versions")) return "ListObjectVersions";
  if (has(query, "location")) return "GetBucketLocation";
  return has(query, "list-type") ? "ListObjectsV2" : "";
}

std::string of_object(const std::string& method, const Parameters& query) {
  const bool upload = has(query, "uploadId");
  if (method == "HEAD") return "HeadObject";
  if (has(query, "retention")) return method == "PUT" ? "PutObjectRetention" : method == "GET" ? "GetObjectRetention" : "";
  if (method == "GET") return upload ? "ListParts" : "GetObject";
  if (method == "PUT") return upload ? "UploadPart" : "PutObject";
  if (method == "DELETE") return upload ? "AbortMultipartUpload" : "DeleteObject";
  if (method != "POST") return {};
  return has(query, "uploads") ? "CreateMultipartUpload" : upload ? "CompleteMultipartUpload" : "";
}

}  // namespace

bool is_s3(const Request& request) {
  const std::string_view authorization = request.header("authorization");
  return authorization.find("/s3/aws4_request") != std::string_view::npos;
}

std::string s3_action(const Request& request) {
  const auto query = parse_form(request.query).value_or(Parameters());
  const std::size_t slash = request.path.find('/', 1);
  if (request.path.size() < 2) return request.method == "GET" ? "ListBuckets" : "";
  const bool bucket_only = slash == std::string::npos || slash + 1 == request.path.size();
  return bucket_only ? of_bucket(request.method, query) : of_object(request.method, query);
}

}  // namespace icelab
