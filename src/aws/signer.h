// AWS Signature Version 4 (docs.aws.amazon.com, "Create a signed AWS API request"). libcurl 7.88's own signing is wrong for unsorted and valueless
// queries, so requests are signed here and libcurl only carries them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aws/credentials.h"
#include "aws/http.h"
#include "core/timestamp.h"

namespace icecore::aws {

/// RFC 3986: everything but A–Z a–z 0–9 - _ . ~ becomes %XX. `keep_slash` for paths.
std::string percent_encode(std::string_view text, bool keep_slash = false);

/// Names and values encoded and then sorted, `a=1&b=`: what is signed and what is sent.
std::string canonical_query(const std::vector<NameValue>& query);

struct SigningScope {
  std::string region = {};   ///< "us-west-2"
  std::string service = {};  ///< signing name: "ec2"
};

/// The pieces of one signature, kept apart so that tests can name the step that differs.
struct Signature {
  std::string canonical_request = {};
  std::string string_to_sign = {};
  std::string signed_headers = {};
  std::string hex = {};
  std::string authorization = {};
};

/// Signs `request` as it stands, with all its headers but those that proxies may change (connection, expect, transfer-encoding, user-agent,
/// x-amzn-trace-id); it must already have X-Amz-Date. `payload_hash` is the lower-case hex SHA-256 of the body.
Signature compute_signature(const HttpRequest& request, const Credentials& credentials, const SigningScope& scope, const Timestamp& time,
                            std::string_view payload_hash);

/// Replaces X-Amz-Date, X-Amz-Security-Token, x-amz-content-sha256 and Authorization. Pure: the clock is `time`.
void sign(HttpRequest& request, const Credentials& credentials, const SigningScope& scope, const Timestamp& time);

/// `20261124T084326Z`.
std::string amz_date(const Timestamp& time);

}  // namespace icecore::aws
