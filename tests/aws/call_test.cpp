#include "aws/call.h"

#include "aws/signer.h"
#include "executor_fixture.h"

namespace icecore::aws {
namespace {

using test_support::ExecutorFixture;
using test_support::transport_failure;
using Kind = TransportError::Kind;

HttpReply json_error(int status, const std::string& code, Headers headers = {}) {
  headers.push_back({"x-amzn-ErrorType", code});
  headers.push_back({"x-amzn-RequestId", "request-1"});
  return text_reply(status, R"({"Message": "words of )" + code + R"(", "Reason": "SOME_REASON"})", std::move(headers));
}

HttpReply xml_error(int status, const std::string& code, Headers headers = {}) {
  return text_reply(status,
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>" + code +
                        "</Code><Message>words</Message></Error></Errors><RequestID>request-2</RequestID></Response>",
                    std::move(headers));
}

class CallTest : public ExecutorFixture {};

TEST_F(CallTest, RetriesWhatIsPassing) {
  const std::vector<HttpResult> passing = {json_error(400, "ThrottlingException"),
                                           json_error(400, "RequestThrottledException"),
                                           json_error(400, "RequestThrottleException"),
                                           xml_error(503, "RequestLimitExceeded"),
                                           xml_error(503, "EC2ThrottledException"),
                                           text_reply(429, ""),
                                           text_reply(500, "oops"),
                                           text_reply(502, "<html>"),
                                           text_reply(503, ""),
                                           text_reply(504, ""),
                                           xml_error(500, "InternalError"),
                                           transport_failure(Kind::kBroken),
                                           transport_failure(Kind::kNotSent)};
  for (const HttpResult& first : passing) {
    const auto protocol = first && as_text(first->body).starts_with("<?xml") ? Protocol::kEc2Query : Protocol::kRestJson;
    answers_ = {first, text_reply(200, "good")};
    const std::size_t before = sent();
    const auto reply = run("ebs", "ListSnapshotBlocks", protocol);
    ICECORE_ASSERT_OK(reply);
    EXPECT_EQ(reply->attempts, 2);
    EXPECT_EQ(sent() - before, 2U);
  }
}

TEST_F(CallTest, DoesNotRetryWhatStays) {
  const std::vector<std::tuple<int, std::string, Code>> lasting = {{400, "ValidationException", Code::kInvalidArgument},
                                                                   {403, "AccessDeniedException", Code::kPermission},
                                                                   {404, "ResourceNotFoundException", Code::kNotFound},
                                                                   {409, "ConflictException", Code::kConflict},
                                                                   {402, "ServiceQuotaExceededException", Code::kRemote}};
  for (const auto& [status, name, code] : lasting) {
    answers_ = {json_error(status, name)};
    const std::size_t before = sent();
    const auto reply = run("ebs", "GetSnapshotBlock");
    ICECORE_EXPECT_CODE(reply, code);
    EXPECT_EQ(sent() - before, 1U) << name;
    EXPECT_EQ(reply.error().aws_code, name);
    EXPECT_EQ(reply.error().reason, "SOME_REASON");
    EXPECT_EQ(reply.error().request_id, "request-1");
    EXPECT_EQ(reply.error().http_status, status);
    EXPECT_NE(reply.error().message.find("words of " + name), std::string::npos) << reply.error().message;
    EXPECT_NE(reply.error().message.find("request-1"), std::string::npos);
  }
}

TEST_F(CallTest, RefusalsNameTheIamActionAndWhatToDo) {
  answers_ = {xml_error(403, "UnauthorizedOperation")};
  const auto reply = run("ec2", "CreateSnapshots", Protocol::kEc2Query);
  ICECORE_EXPECT_CODE(reply, Code::kPermission);
  EXPECT_NE(reply.error().message.find("ec2:CreateSnapshots"), std::string::npos);
  EXPECT_NE(reply.error().message.find("ec2:CreateTags"), std::string::npos);
  EXPECT_NE(reply.error().message.find("the credentials need the IAM action"), std::string::npos);
  EXPECT_FALSE(reply.error().outcome_unknown);
}

TEST_F(CallTest, NeverRepeatsBlindlyWhatMayHaveHappened) {
  const std::vector<HttpResult> unknown = {transport_failure(Kind::kBroken), text_reply(500, ""), text_reply(503, ""),
                                           xml_error(500, "InternalError")};
  for (const std::string action : {"CreateSnapshots", "CreateSnapshot", "CopySnapshot", "AttachVolume", "CreateSecurityGroup"}) {
    for (const HttpResult& answer : unknown) {
      answers_ = {answer, text_reply(200, "<ok/>")};
      const std::size_t before = sent();
      const auto reply = run("ec2", action, Protocol::kEc2Query);
      ASSERT_FALSE(reply.has_value()) << action;
      EXPECT_TRUE(reply.error().outcome_unknown) << action;
      EXPECT_EQ(sent() - before, 1U) << action;
      EXPECT_TRUE(transport_.requests().back().send_once) << "the transport must not repeat it either";
    }
  }
}

TEST_F(CallTest, RepeatsChangesThatCertainlyDidNotHappen) {
  answers_ = {xml_error(503, "RequestLimitExceeded"), transport_failure(Kind::kNotSent), xml_error(503, "EC2ThrottledException"),
              text_reply(200, "<ok/>")};
  const auto reply = run("ec2", "CreateSnapshots", Protocol::kEc2Query);
  ICECORE_ASSERT_OK(reply);
  EXPECT_EQ(reply->attempts, 4);
}

TEST_F(CallTest, RepeatsChangesThatEndInTheSameState) {
  answers_ = {transport_failure(Kind::kBroken), text_reply(200, "<ok/>")};
  ICECORE_ASSERT_OK(run("ec2", "CreateVolume", Protocol::kEc2Query));  // its ClientToken makes it so
  answers_ = {text_reply(500, ""), text_reply(200, "<ok/>")};
  ICECORE_ASSERT_OK(run("ec2", "CreateTags", Protocol::kEc2Query));
}

TEST_F(CallTest, HasOneTimeBudget) {
  answers_ = {text_reply(503, "")};
  latency_ms_ = 50;
  const std::int64_t start = clock_.milliseconds();
  const auto reply = run("ebs", "ListSnapshotBlocks");
  ICECORE_EXPECT_CODE(reply, Code::kNetwork);
  const std::int64_t taken = clock_.milliseconds() - start;
  EXPECT_LE(taken, 120'000);
  EXPECT_GT(taken, 90'000) << "the budget is used";
  EXPECT_LT(sent(), 25U) << "waits grow";
  EXPECT_NE(reply.error().message.find("gave up after"), std::string::npos) << reply.error().message;
}

TEST_F(CallTest, NoRequestOutlivesTheBudget) {
  answers_ = {transport_failure(Kind::kBroken)};
  latency_ms_ = 50'000;
  ASSERT_FALSE(run("ebs", "ListSnapshotBlocks").has_value());
  for (const HttpRequest& request : transport_.requests()) EXPECT_LE(request.limits.total_ms, 60'000);
  EXPECT_LE(transport_.requests().back().limits.total_ms, 20'000) << "the last may only take what is left";
}

TEST_F(CallTest, WaitsWithFullJitter) {
  answers_ = {text_reply(500, ""), text_reply(500, ""), text_reply(500, ""), text_reply(200, "{}")};
  latency_ms_ = 0;
  jitter_ = 0.0;
  ICECORE_ASSERT_OK(run("ebs", "ListSnapshotBlocks"));
  EXPECT_EQ(clock_.slept(), 0) << "the shortest wait is none";
  answers_ = {text_reply(500, ""), text_reply(500, ""), text_reply(500, ""), text_reply(200, "{}")};
  jitter_ = 1.0;
  ICECORE_ASSERT_OK(run("ebs", "ListSnapshotBlocks"));
  EXPECT_EQ(clock_.slept(), 100 + 200 + 400) << "the longest doubles";
}

TEST_F(CallTest, AnAddressThatNeverAnsweredIsGivenUpSoon) {
  answers_ = {transport_failure(Kind::kNotSent)};
  const std::int64_t start = clock_.milliseconds();
  const auto failed = run("ec2", "DescribeInstances", Protocol::kEc2Query);
  ICECORE_EXPECT_CODE(failed, Code::kNetwork);
  EXPECT_LT(clock_.milliseconds() - start, 3'000);
  EXPECT_EQ(sent(), 4U);
}

std::string http_date(const Timestamp& time) {
  const CivilTime c = to_civil(time.seconds);
  static const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%02u %s %lld %02u:%02u:%02u GMT", c.day, months[c.month - 1], static_cast<long long>(c.year), c.hour,
                c.minute, c.second);
  return text.data();
}

TEST_F(CallTest, CorrectsTheClockFromTheDateHeader) {
  const Timestamp theirs{clock_.now().seconds + 3600, 0};
  for (const std::string code : {"InvalidSignatureException", "RequestExpired", "RequestTimeTooSkewed"}) {
    CallExecutor executor({.transport = transport_, .credentials = *credentials_, .clock = clock_, .observer = observer_, .stopwatch = [this] {
                             return clock_.milliseconds();
                           }});
    answers_ = {json_error(403, code, {{"Date", http_date(theirs)}}), text_reply(200, "{}")};
    Call call{.operation = &operation("ebs", "ListSnapshotBlocks")};
    ICECORE_ASSERT_OK(executor.run(call, "https://example.test", "us-west-2"));
    EXPECT_NEAR(static_cast<double>(executor.clock_offset()), 3600, 5);
    const Timestamp corrected{clock_.now().seconds + executor.clock_offset(), 0};
    EXPECT_EQ(header(transport_.requests().back().headers, "X-Amz-Date").substr(0, 11), amz_date(corrected).substr(0, 11)) << code;
  }
}

TEST_F(CallTest, AWrongKeyIsNotTakenForAWrongClock) {
  answers_ = {json_error(403, "InvalidSignatureException", {{"Date", http_date(clock_.now())}})};
  const auto failed = run("ebs", "ListSnapshotBlocks");
  ICECORE_EXPECT_CODE(failed, Code::kCredentials);
  EXPECT_EQ(sent(), 1U);
}

TEST_F(CallTest, ExpiredCredentialsAreFetchedAnewOnce) {
  class Rotating : public CredentialSource {
   public:
    Result<Credentials> get() override {
      return Credentials{.access_key_id = "A", .secret_access_key = "s", .session_token = std::to_string(fetched), .source = "profile 'x'"};
    }
    void expire() override { ++fetched; }
    int fetched = 0;
  } rotating;
  CallExecutor executor({.transport = transport_, .credentials = rotating, .clock = clock_, .observer = observer_});
  answers_ = {json_error(400, "ExpiredTokenException"), text_reply(200, "{}")};
  Call call{.operation = &operation("ebs", "ListSnapshotBlocks")};
  ICECORE_ASSERT_OK(executor.run(call, "https://example.test", "us-west-2"));
  EXPECT_EQ(header(transport_.requests().back().headers, "X-Amz-Security-Token"), "1");
  answers_ = {json_error(400, "ExpiredTokenException")};
  const auto spent = executor.run(call, "https://example.test", "us-west-2");
  ICECORE_EXPECT_CODE(spent, Code::kCredentials);
  EXPECT_NE(spent.error().message.find("profile 'x' have expired"), std::string::npos) << spent.error().message;
}

TEST_F(CallTest, ASnapshotJustCompletedMayBeUnknownForAMoment) {
  answers_ = {json_error(404, "ResourceNotFoundException"), json_error(404, "ResourceNotFoundException"), text_reply(200, "{}")};
  Call call{.operation = &operation("ebs", "ListSnapshotBlocks"), .not_found_grace_ms = 30'000};
  ICECORE_ASSERT_OK(executor_.run(call, "https://example.test", "us-west-2"));
  answers_ = {json_error(404, "ResourceNotFoundException")};
  const std::int64_t start = clock_.milliseconds();
  const auto failed = executor_.run(call, "https://example.test", "us-west-2");
  ICECORE_EXPECT_CODE(failed, Code::kNotFound);
  EXPECT_GE(clock_.milliseconds() - start, 30'000);
  EXPECT_LT(clock_.milliseconds() - start, 60'000);
}

TEST_F(CallTest, TellsTheObserverBeforeAndAfter) {
  answers_ = {text_reply(500, ""), text_reply(200, "12345", {{"x-amzn-RequestId", "id-9"}})};
  Call call{.operation = &operation("ec2", "DescribeVolumes"), .protocol = Protocol::kEc2Query};
  call.parameters = {{"VolumeId.1", "vol-1"}};
  ICECORE_ASSERT_OK(executor_.run(call, "https://example.test", "us-west-2"));
  EXPECT_EQ(observer_.lines, (std::vector<std::string>{"intent DescribeVolumes", "outcome DescribeVolumes"})) << "one pair, however many attempts";
  EXPECT_EQ(observer_.records.at(0).parameters, call.parameters);
  EXPECT_FALSE(observer_.records.at(0).mutating());
  const CallOutcome& outcome = observer_.outcomes.at(0);
  EXPECT_TRUE(outcome.succeeded);
  EXPECT_EQ(outcome.attempts, 2);
  EXPECT_EQ(outcome.http_status, 200);
  EXPECT_EQ(outcome.request_id, "id-9");
  EXPECT_EQ(outcome.bytes, 5U);
}

TEST_F(CallTest, WhatCannotBeRecordedIsNotDone) {
  observer_.refuse_intent = true;
  const auto failed = run("ec2", "CreateSnapshots", Protocol::kEc2Query);
  ICECORE_EXPECT_CODE(failed, Code::kIo);
  EXPECT_EQ(sent(), 0U);
  observer_.refuse_intent = false;
  observer_.refuse_outcome = true;
  const auto reply = run("ec2", "CreateSnapshots", Protocol::kEc2Query);
  ICECORE_EXPECT_CODE(reply, Code::kIo);
  EXPECT_TRUE(reply.error().outcome_unknown) << "it was done, and no one wrote it down";
}

TEST_F(CallTest, BlocksAreToldInSummaries) {
  answers_ = {text_reply(500, ""), text_reply(200, "abc", {{"x-amzn-RequestId", "r1"}}), text_reply(200, "abc", {{"x-amzn-RequestId", "r2"}}),
              json_error(404, "ResourceNotFoundException")};
  ICECORE_ASSERT_OK(run("ebs", "GetSnapshotBlock"));
  ICECORE_ASSERT_OK(run("ebs", "GetSnapshotBlock"));
  ASSERT_FALSE(run("ebs", "GetSnapshotBlock").has_value());
  EXPECT_TRUE(observer_.lines.empty());
  ICECORE_ASSERT_OK(executor_.flush_summaries());
  ASSERT_EQ(observer_.summaries.size(), 1U);
  const CallSummary& summary = observer_.summaries[0];
  EXPECT_EQ(summary.operation->name, "GetSnapshotBlock");
  EXPECT_EQ(summary.calls, 3U);
  EXPECT_EQ(summary.failures, 1U);
  EXPECT_EQ(summary.retries, 1U);
  EXPECT_EQ(summary.first_request_id, "r1");
  ICECORE_ASSERT_OK(executor_.flush_summaries());
  EXPECT_EQ(observer_.summaries.size(), 1U) << "flushing starts anew";
}

TEST_F(CallTest, PagesTheLookupsAtTwoASecond) {
  latency_ms_ = 0;
  const std::int64_t start = clock_.milliseconds();
  for (int i = 0; i < 9; ++i) ICECORE_ASSERT_OK(run("cloudtrail", "LookupEvents", Protocol::kJson));
  EXPECT_NEAR(static_cast<double>(clock_.milliseconds() - start), 4'000, 50);
}

}  // namespace
}  // namespace icecore::aws
