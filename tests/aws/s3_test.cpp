#include "aws/s3.h"

#include "executor_fixture.h"

namespace icecore::aws {
namespace {

using test_support::ExecutorFixture;
using test_support::transport_failure;

constexpr const char* kSum = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";  // openssl dgst -sha256 -binary | base64 of "hello"

class S3Test : public ExecutorFixture {
 protected:
  S3 on_aws_{executor_, "https://s3.us-west-2.amazonaws.com", "us-west-2"};
  S3 elsewhere_{executor_, "http://127.0.0.1:9000", "us-west-2"};
  HttpRequest last() const { return transport_.requests().back(); }
};

TEST_F(S3Test, TheBucketIsInTheHostOnAwsAndInThePathElsewhere) {
  answers_ = {HttpReply{200, {{"x-amz-checksum-sha256", kSum}, {"Content-Length", "5"}, {"x-amz-version-id", "v1"}}, {}}};
  ICECORE_ASSERT_OK(on_aws_.head_object("evidence", "case/a b+ü/%.txt", "v1"));
  EXPECT_EQ(request_url(last()), "https://evidence.s3.us-west-2.amazonaws.com/case/a%20b%2B%C3%BC/%25.txt?versionId=v1");
  EXPECT_EQ(last().method, "HEAD");
  EXPECT_EQ(header(last().headers, "x-amz-checksum-mode"), "ENABLED");
  ICECORE_ASSERT_OK(elsewhere_.head_object("evidence", "k"));
  EXPECT_EQ(request_url(last()), "http://127.0.0.1:9000/evidence/k");
  // No certificate covers a bucket with dots.
  ICECORE_ASSERT_OK(on_aws_.head_object("my.evidence", "k"));
  EXPECT_EQ(request_url(last()), "https://s3.us-west-2.amazonaws.com/my.evidence/k");
}

TEST_F(S3Test, AnObjectGoesOutWithItsSumAndRetention) {
  answers_ = {HttpReply{200, {{"x-amz-version-id", "v7"}, {"x-amz-checksum-sha256", kSum}}, {}}};
  const auto until = parse_iso8601("2027-01-02T03:04:05Z").value();
  const auto put = on_aws_.put_object("evidence", "k", "hello", {ObjectRetention{"COMPLIANCE", until}, {{"who", "me"}}, "text/plain"});
  ICECORE_ASSERT_OK(put);
  EXPECT_EQ(put->version_id, "v7");
  EXPECT_EQ(header(last().headers, "x-amz-checksum-sha256"), kSum);
  EXPECT_EQ(header(last().headers, "x-amz-object-lock-mode"), "COMPLIANCE");
  EXPECT_EQ(header(last().headers, "x-amz-object-lock-retain-until-date"), "2027-01-02T03:04:05Z");
  EXPECT_EQ(header(last().headers, "x-amz-meta-who"), "me");
  EXPECT_EQ(last().body, "hello");
}

TEST_F(S3Test, AnObjectIsNotSentTwiceWhenTheAnswerIsLost) {
  answers_ = {transport_failure(TransportError::Kind::kBroken)};
  const auto put = on_aws_.put_object("evidence", "k", "hello", {});
  ASSERT_FALSE(put);
  EXPECT_TRUE(put.error().outcome_unknown);
  EXPECT_EQ(sent(), 1U);
}

TEST_F(S3Test, APartIsSentAgainWithItsWholeBody) {
  answers_ = {transport_failure(TransportError::Kind::kBroken), text_reply(503, "<Error><Code>SlowDown</Code><Message>m</Message></Error>"),
              text_reply(400, "<Error><Code>BadDigest</Code><Message>m</Message></Error>"),
              HttpReply{200, {{"ETag", "\"e\""}, {"x-amz-checksum-sha256", kSum}}, {}}};
  const auto part = on_aws_.upload_part("evidence", "k", "u", 3, "hello");
  ICECORE_ASSERT_OK(part);
  EXPECT_EQ(part->etag, "\"e\"");
  EXPECT_EQ(part->checksum, kSum);
  ASSERT_EQ(sent(), 4U);
  for (const HttpRequest& request : transport_.requests()) EXPECT_EQ(request.body, "hello");
}

TEST_F(S3Test, ErrorsSayWhatIsWrongWithTheBucket) {
  answers_ = {text_reply(404, "<Error><Code>ObjectLockConfigurationNotFoundError</Code><Message>none</Message></Error>")};
  EXPECT_FALSE(on_aws_.get_object_lock_configuration("evidence").value().enabled);
  answers_ = {text_reply(404, "<Error><Code>NoSuchBucket</Code><Message>none</Message></Error>")};
  EXPECT_EQ(on_aws_.get_object_lock_configuration("evidence").error().code, Code::kNotFound);
  answers_ = {text_reply(301, "<Error><Code>PermanentRedirect</Code><Message>m</Message></Error>", {{"x-amz-bucket-region", "eu-west-1"}})};
  EXPECT_EQ(on_aws_.get_object_lock_configuration("evidence").error().reason, "eu-west-1");
  answers_ = {text_reply(400, "<Error><Code>AuthorizationHeaderMalformed</Code><Message>m</Message><Region>eu-west-1</Region></Error>")};
  EXPECT_EQ(on_aws_.get_object_lock_configuration("evidence").error().reason, "eu-west-1");
  answers_ = {text_reply(403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>")};
  EXPECT_NE(on_aws_.get_object_lock_configuration("evidence").error().message.find("s3:GetBucketObjectLockConfiguration"), std::string::npos);
  answers_ = {HttpReply{404, {}, {}}};
  EXPECT_EQ(on_aws_.head_object("evidence", "k").error().code, Code::kNotFound);
  answers_ = {HttpReply{403, {}, {}}};
  EXPECT_EQ(on_aws_.head_object("evidence", "k").error().code, Code::kPermission);
}

TEST_F(S3Test, AnErrorInsideA200IsAnError) {
  const auto good = text_reply(200, "<CompleteMultipartUploadResult><ChecksumSHA256>x-2</ChecksumSHA256></CompleteMultipartUploadResult>");
  answers_ = {text_reply(200, "<Error><Code>InternalError</Code><Message>later</Message></Error>"), good};
  const auto done = on_aws_.complete_multipart_upload("evidence", "k", "u", {{1, "\"a\"", kSum, 5}});
  ICECORE_ASSERT_OK(done);
  EXPECT_EQ(done->checksum, "x-2");
  EXPECT_EQ(sent(), 2U);
}

TEST_F(S3Test, ListsGoThroughAllPages) {
  answers_ = {text_reply(200,
                         "<ListPartsResult><IsTruncated>true</IsTruncated><NextPartNumberMarker>1</NextPartNumberMarker>"
                         "<Part><PartNumber>1</PartNumber><ETag>\"a\"</ETag><Size>5</Size></Part></ListPartsResult>"),
              text_reply(200, "<ListPartsResult><IsTruncated>false</IsTruncated><Part><PartNumber>2</PartNumber></Part></ListPartsResult>")};
  EXPECT_EQ(on_aws_.list_parts("evidence", "k", "u").value().size(), 2U);
  EXPECT_EQ(request_url(last()), "https://evidence.s3.us-west-2.amazonaws.com/k?part-number-marker=1&uploadId=u");
  // A service that goes round in circles is left.
  answers_ = {text_reply(200, "<ListPartsResult><IsTruncated>true</IsTruncated><NextPartNumberMarker>1</NextPartNumberMarker></ListPartsResult>")};
  EXPECT_EQ(on_aws_.list_parts("evidence", "k", "u").error().code, Code::kCorrupt);
}

TEST(S3, TheSumOfPartsIsTheSumOfTheirSums) {
  // printf of the two raw digests through `openssl dgst -sha256 -binary | base64`; held against the lab and boto3 in
  // tests/conformance/lab_s3_test.py.
  const Sha256Digest one = sha256(as_bytes("hello"));
  Sha256 both;
  both.update(one);
  both.update(one);
  EXPECT_EQ(composite_checksum({one, one}), to_base64(both.finish()) + "-2");
}

}  // namespace
}  // namespace icecore::aws
