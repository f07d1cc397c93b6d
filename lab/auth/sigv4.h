// AWS Signature Version 4, the verifying side. https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace icelab {

struct Authorization {
  std::string access_key;
  std::string date;  // YYYYMMDD of the credential scope
  std::string region;
  std::string service;
  std::vector<std::string> signed_headers;  // lower case, in the order given
  std::string signature;                    // hex

  std::string scope() const { return date + "/" + region + "/" + service + "/aws4_request"; }
};

// Parses "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…".
std::optional<Authorization> parse_authorization(std::string_view header);

// `payload_hash` goes in as it stands, so that UNSIGNED-PAYLOAD works. The path is normalised and encoded a
// second time, as every service but S3 does ("s3" takes it as it is on the wire). Nothing when the query has a malformed escape.
std::optional<std::string> canonical_request(const Request& request, const std::vector<std::string>& signed_headers, std::string_view payload_hash,
                                             std::string_view service = "");

std::string string_to_sign(std::string_view timestamp, std::string_view scope, std::string_view canonical);

std::string sign(std::string_view secret, const Authorization& scope, std::string_view text);  // hex

}  // namespace icelab
