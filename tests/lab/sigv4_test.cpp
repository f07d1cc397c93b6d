// AWS's published signing vectors (aws-sig-v4-test-suite): key AKIDEXAMPLE, 2015-08-30, us-east-1, service "service".
#include "auth/sigv4.h"

#include <gtest/gtest.h>

#include "util/digest.h"
#include "util/encoding.h"

namespace icelab {
namespace {

constexpr const char* kSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
constexpr const char* kStamp = "20150830T123600Z";

struct Vector {
  const char* name;
  const char* method;
  const char* path;
  const char* query;
  Headers headers;
  const char* body;
  const char* signed_headers;
  const char* signature;
};

std::string signature_of(const Vector& vector) {
  Request request{vector.method, vector.path, vector.query, vector.headers, vector.body};
  request.headers.emplace_back("Host", "example.amazonaws.com");
  request.headers.emplace_back("X-Amz-Date", kStamp);
  Authorization scope;
  scope.date = "20150830";
  scope.region = "us-east-1";
  scope.service = "service";
  const auto canonical = canonical_request(request, split(vector.signed_headers, ';'), hex_encode(sha256(vector.body)));
  return sign(kSecret, scope, string_to_sign(kStamp, scope.scope(), canonical.value()));
}

class SigV4Vector : public testing::TestWithParam<Vector> {};

TEST_P(SigV4Vector, GivesThePublishedSignature) { EXPECT_EQ(signature_of(GetParam()), GetParam().signature); }

INSTANTIATE_TEST_SUITE_P(
    AwsSuite, SigV4Vector,
    testing::Values(
        Vector{"get_vanilla", "GET", "/", "", {}, "", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        Vector{"query_order_key_case",
               "GET",
               "/",
               "Param2=value2&Param1=value1",
               {},
               "",
               "host;x-amz-date",
               "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
        Vector{"post_vanilla", "POST", "/", "", {}, "", "host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
        Vector{"post_form",
               "POST",
               "/",
               "",
               {{"Content-Type", "application/x-www-form-urlencoded"}},
               "Param1=value1",
               "content-type;host;x-amz-date",
               "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"}),
    [](const auto& vector) { return std::string(vector.param.name); });

// Two paths that mean the same are signed the same: get-slash, get-slashes, get-relative and their like.
TEST(SigV4Path, IsNormalised) {
  const auto canonical = [](const char* path) { return canonical_request(Request{"GET", path, "", {{"Host", "h"}}, ""}, {"host"}, "x").value(); };
  EXPECT_EQ(canonical("//"), canonical("/"));
  EXPECT_EQ(canonical("/example/.."), canonical("/"));
  EXPECT_EQ(canonical("/./"), canonical("/"));
  EXPECT_EQ(canonical("//example//"), canonical("/example/"));
  EXPECT_NE(canonical("/example/"), canonical("/example"));
}

TEST(SigV4Path, IsEncodedASecondTime) {
  const auto canonical = canonical_request(Request{"GET", "/a%20b", "", {{"Host", "h"}}, ""}, {"host"}, "x").value();
  EXPECT_NE(canonical.find("/a%2520b\n"), std::string::npos);
}

TEST(SigV4Headers, AreTrimmedAndJoined) {
  const Request request{"GET", "/", "", {{"My-Header1", "  a   b  c "}, {"my-header1", "value4"}}, ""};
  EXPECT_NE(canonical_request(request, {"my-header1"}, "x").value().find("my-header1:a b c,value4\n"), std::string::npos);
}

TEST(SigV4Query, AMalformedEscapeIsNothing) { EXPECT_FALSE(canonical_request(Request{"GET", "/", "a=%zz", {}, ""}, {"host"}, "x").has_value()); }

TEST(Authorization, IsParsedOrRefused) {
  const std::string signature(64, 'a');
  const auto parsed = parse_authorization(
      "AWS4-HMAC-SHA256 Credential=AK/20150830/us-east-1/ec2/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + signature);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->access_key, "AK");
  EXPECT_EQ(parsed->scope(), "20150830/us-east-1/ec2/aws4_request");
  EXPECT_EQ(parsed->signed_headers, (std::vector<std::string>{"host", "x-amz-date"}));
  EXPECT_FALSE(parse_authorization("AWS4-HMAC-SHA256 Credential=AK/20150830/us-east-1/ec2, SignedHeaders=host, Signature=" + signature).has_value());
  EXPECT_FALSE(
      parse_authorization("AWS4-HMAC-SHA256 Credential=AK/20150830/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=short").has_value());
  EXPECT_FALSE(parse_authorization("Basic Zm9v").has_value());
}

}  // namespace
}  // namespace icelab
