#include "aws/ebs.h"

#include "aws/cloudtrail.h"
#include "core/json.h"
#include "executor_fixture.h"

namespace icecore::aws {
namespace {

using test_support::ExecutorFixture;

class EbsTest : public ExecutorFixture {
 protected:
  Ebs ebs_{executor_, "https://ebs.test", "us-west-2"};
};

Bytes pattern_block() {
  Bytes block(kBlockBytes);
  for (std::size_t i = 0; i < block.size(); ++i) block[i] = static_cast<std::byte>(i * 7);
  return block;
}

HttpReply block_reply(const Bytes& sent, const Bytes& promised) {
  return {200, {{"x-amz-Data-Length", "524288"}, {"x-amz-Checksum", to_base64(sha256(promised))}, {"x-amz-Checksum-Algorithm", "SHA256"}}, sent};
}

TEST_F(EbsTest, GivesBlocksThatMatchTheirChecksum) {
  const Bytes block = pattern_block();
  answers_ = {block_reply(block, block)};
  const auto got = ebs_.get_snapshot_block("snap-1", 17, "tok+/=");
  ICECORE_ASSERT_OK(got);
  EXPECT_EQ(got->bytes, block);
  EXPECT_EQ(got->digest, sha256(block));
  const HttpRequest request = transport_.requests().at(0);
  EXPECT_EQ(request_url(request), "https://ebs.test/snapshots/snap-1/blocks/17?blockToken=tok%2B%2F%3D");
}

TEST_F(EbsTest, FetchesDamagedBlocksAgain) {
  const Bytes block = pattern_block();
  Bytes flipped = block;
  flipped[400'000] ^= std::byte{1};
  Bytes cut = block;
  cut.resize(cut.size() - 1);
  HttpReply no_checksum = block_reply(block, block);
  no_checksum.headers.erase(no_checksum.headers.begin() + 1);
  HttpReply other_length = block_reply(block, block);
  other_length.headers[0].value = "4096";
  for (const HttpReply& bad : {block_reply(flipped, block), block_reply(cut, block), no_checksum, other_length, block_reply({}, block)}) {
    answers_ = {bad, bad, block_reply(block, block)};
    const auto got = ebs_.get_snapshot_block("snap-1", 17, "t");
    ICECORE_ASSERT_OK(got);
    EXPECT_EQ(got->bytes, block);
  }
}

TEST_F(EbsTest, ABlockThatStaysDamagedIsAnIntegrityFailure) {
  Bytes flipped = pattern_block();
  flipped[0] ^= std::byte{1};
  answers_ = {block_reply(flipped, pattern_block())};
  const auto got = ebs_.get_snapshot_block("snap-1", 17, "t");
  ICECORE_EXPECT_CODE(got, Code::kIntegrity);
  EXPECT_NE(got.error().message.find("snap-1 block 17"), std::string::npos) << got.error().message;
  EXPECT_GT(sent(), 2U);
  EXPECT_LT(sent(), 10U);
}

TEST_F(EbsTest, AnExpiredTokenSaysSo) {
  answers_ = {text_reply(400, R"({"Message":"no","Reason":"INVALID_BLOCK_TOKEN"})", {{"x-amzn-ErrorType", "ValidationException"}})};
  const auto got = ebs_.get_snapshot_block("snap-1", 17, "t");
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().reason, "INVALID_BLOCK_TOKEN");
  EXPECT_EQ(sent(), 1U);
}

constexpr const char* kPage = R"({"Blocks":[{"BlockIndex":1,"BlockToken":"a"},{"BlockIndex":9,"BlockToken":"b"}],"ExpiryTime":1.796114606E9,
  "VolumeSize":8,"BlockSize":524288,"NextToken":"n"})";

TEST_F(EbsTest, ListsPages) {
  answers_ = {text_reply(200, kPage), text_reply(200, R"({"Blocks":[],"ExpiryTime":1.0,"VolumeSize":8,"BlockSize":524288,"NextToken":"m"})"),
              text_reply(200, R"({"ExpiryTime":1,"VolumeSize":8,"BlockSize":524288})")};
  const auto first = ebs_.list_snapshot_blocks({.snapshot = "snap-1", .starting_block = 5});
  ICECORE_ASSERT_OK(first);
  ASSERT_EQ(first->blocks.size(), 2U);
  EXPECT_EQ(first->blocks[1].index, 9U);
  EXPECT_EQ(first->next_token, "n");
  EXPECT_EQ(first->expiry->seconds, 1'796'114'606);
  EXPECT_EQ(request_url(transport_.requests()[0]), "https://ebs.test/snapshots/snap-1/blocks?maxResults=10000&startingBlockIndex=5");
  const auto empty = ebs_.list_snapshot_blocks({.snapshot = "snap-1", .starting_block = 5, .page_token = "n"});
  ICECORE_ASSERT_OK(empty);
  EXPECT_TRUE(empty->blocks.empty());
  EXPECT_EQ(empty->next_token, "m");
  EXPECT_EQ(request_url(transport_.requests()[1]), "https://ebs.test/snapshots/snap-1/blocks?maxResults=10000&pageToken=n");
  const auto last = ebs_.list_snapshot_blocks({.snapshot = "snap-1", .page_token = "m"});
  ICECORE_ASSERT_OK(last);
  EXPECT_FALSE(last->next_token.has_value());
}

TEST_F(EbsTest, RefusesListingsThatCannotBe) {
  const std::vector<std::pair<std::string, Code>> bad = {
      {R"({"Blocks":[{"BlockIndex":9,"BlockToken":"a"},{"BlockIndex":9,"BlockToken":"b"}],"VolumeSize":8,"BlockSize":524288})", Code::kCorrupt},
      {R"({"Blocks":[{"BlockIndex":16384,"BlockToken":"a"}],"VolumeSize":8,"BlockSize":524288})", Code::kCorrupt},
      {R"({"Blocks":[{"BlockIndex":-1,"BlockToken":"a"}],"VolumeSize":8,"BlockSize":524288})", Code::kCorrupt},
      {R"({"Blocks":[{"BlockIndex":1}],"VolumeSize":8,"BlockSize":524288})", Code::kCorrupt},
      {R"({"Blocks":[],"VolumeSize":8,"BlockSize":512})", Code::kUnsupported},
      {R"({"Blocks":[],"VolumeSize":99999999999999,"BlockSize":524288})", Code::kCorrupt},
      {"[1]", Code::kCorrupt},
      {"{", Code::kCorrupt}};
  for (const auto& [body, code] : bad) {
    const auto page = parse_block_page(body);
    ASSERT_FALSE(page.has_value()) << body;
    EXPECT_EQ(code_name(page.error().code), code_name(code)) << body;
  }
}

TEST_F(EbsTest, WritesBlocksWithTheirChecksum) {
  answers_ = {text_reply(201, "{}")};
  const Bytes block = pattern_block();
  ICECORE_ASSERT_OK(ebs_.put_snapshot_block("snap-1", 3, block));
  const HttpRequest request = transport_.requests().at(0);
  EXPECT_EQ(request.method, "PUT");
  EXPECT_EQ(header(request.headers, "x-amz-Checksum"), to_base64(sha256(block)));
  EXPECT_EQ(request.body.size(), kBlockBytes);
  const auto wrong = ebs_.put_snapshot_block("snap-1", 3, ByteView(block).first(512));
  ICECORE_EXPECT_CODE(wrong, Code::kInvalidArgument);
}

TEST_F(EbsTest, TrailsAreLookedUpPageByPage) {
  CloudTrail trail(executor_, "https://trail.test", "us-west-2");
  answers_ = {
      text_reply(
          200,
          R"({"Events":[{"EventId":"e1","EventName":"RunInstances","EventTime":1795509806.5,"AccessKeyId":"AKIA","CloudTrailEvent":"{}"}],"NextToken":"n"})"),
      text_reply(200, R"({"Events":[],"NextToken":"m"})"), text_reply(200, R"({"Events":[{"EventId":"e2"}]})")};
  const auto found = trail.lookup_events({.attribute = "ResourceName", .value = "i-1", .start = Timestamp{1'795'000'000, 0}});
  ICECORE_ASSERT_OK(found);
  ASSERT_EQ(found->events.size(), 2U);
  EXPECT_EQ(found->events[0].time->nanoseconds, 500'000'000U);
  EXPECT_EQ(found->pages.size(), 3U);
  const HttpRequest second = transport_.requests().at(1);
  EXPECT_EQ(header(second.headers, "X-Amz-Target"), "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents");
  const Json input = Json::parse(second.body);
  EXPECT_EQ(input.at("NextToken"), "n");
  EXPECT_EQ(input.at("LookupAttributes").size(), 1U);
  EXPECT_EQ(input.at("LookupAttributes")[0].at("AttributeValue"), "i-1");
}

}  // namespace
}  // namespace icecore::aws
