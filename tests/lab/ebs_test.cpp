#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "support.h"

namespace icelab::test {
namespace {

const std::string kBlocks = std::string("/snapshots/") + kSnapshot + "/blocks";

json list(TestLab& lab, const std::string& query = "") {
  const Reply reply = lab.ebs(kBlocks, query);
  EXPECT_EQ(reply.status, 200) << reply.body;
  return json::parse(reply.body);
}

std::string reason(const Reply& reply) { return json::parse(reply.body).value("Reason", ""); }

Reply get(TestLab& lab, int index, const std::string& token) {
  return lab.ebs(kBlocks + "/" + std::to_string(index), "blockToken=" + percent_encode(token));
}

TEST(EbsList, HasTheWrittenBlocksAscending) {
  TestLab lab;
  const json listed = list(lab);
  EXPECT_EQ(listed["BlockSize"], 524'288);
  EXPECT_EQ(listed["VolumeSize"], 1);
  std::vector<int> indexes;
  for (const json& block : listed["Blocks"]) indexes.push_back(block["BlockIndex"]);
  EXPECT_EQ(indexes, (std::vector<int>{0, 2, 3, 7}));
  EXPECT_FALSE(listed.contains("NextToken"));
  EXPECT_EQ(list(lab, "startingBlockIndex=3")["Blocks"].size(), 2U);
}

TEST(EbsList, PagesEvenEmptyOnesAndATokenBeatsAStart) {
  LabOptions options;
  options.page_size = 3;
  options.empty_pages = true;
  TestLab lab(options);
  const json empty = list(lab);
  EXPECT_TRUE(empty["Blocks"].empty());
  const json first = list(lab, "startingBlockIndex=7&pageToken=" + percent_encode(empty["NextToken"].get<std::string>()));
  EXPECT_EQ(first["Blocks"].size(), 3U);
  EXPECT_EQ(first["Blocks"][0]["BlockIndex"], 0);
}

TEST(EbsList, ChecksItsParameters) {
  TestLab lab;
  EXPECT_EQ(lab.ebs(kBlocks, "maxResults=99").status, 400);
  EXPECT_EQ(lab.ebs(kBlocks, "maxResults=10001").status, 400);
  EXPECT_EQ(lab.ebs(kBlocks, "maxResults=100").status, 200);
  EXPECT_EQ(lab.ebs(kBlocks, "colour=blue").status, 400);
  EXPECT_EQ(reason(lab.ebs(kBlocks, "pageToken=Zm9v")), "INVALID_PAGE_TOKEN");
  EXPECT_EQ(lab.ebs("/snapshots/snap-0123456789abcdef0/blocks").status, 404);
}

TEST(EbsGet, GivesTheBytesAndTheirChecksum) {
  TestLab lab;
  const json block = list(lab)["Blocks"][1];
  const Reply reply = get(lab, 2, block["BlockToken"]);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, std::string(kBlockSize, 'b'));
  EXPECT_EQ(reply.header("x-amz-checksum"), base64_encode(sha256(reply.body)));
  EXPECT_EQ(reply.header("x-amz-checksum-algorithm"), "SHA256");
  EXPECT_EQ(reply.header("x-amz-data-length"), "524288");
}

TEST(EbsGet, ATokenIsOfItsBlockAndNewEachTime) {
  TestLab lab;
  const std::string token = list(lab)["Blocks"][1]["BlockToken"];
  EXPECT_EQ(reason(get(lab, 3, token)), "INVALID_BLOCK_TOKEN");
  EXPECT_EQ(reason(get(lab, 2, "Zm9yZ2Vk")), "INVALID_BLOCK_TOKEN");
  EXPECT_EQ(lab.ebs(kBlocks + "/2").status, 400);
  EXPECT_NE(list(lab)["Blocks"][1]["BlockToken"], token);
  EXPECT_LE(token.size(), 256U);
  EXPECT_EQ(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="), std::string::npos);
}

TEST(EbsGet, TokensExpire) {
  LabOptions options;
  options.block_token_ms = options.page_token_ms = 30;
  options.page_size = 2;
  TestLab lab(options);
  const json listed = list(lab);
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  EXPECT_EQ(reason(get(lab, 0, listed["Blocks"][0]["BlockToken"])), "INVALID_BLOCK_TOKEN");
  EXPECT_EQ(reason(lab.ebs(kBlocks, "pageToken=" + percent_encode(listed["NextToken"].get<std::string>()))), "INVALID_PAGE_TOKEN");
}

TEST(EbsQuota, ThrottlesPastTheBurst) {
  LabOptions options;
  options.ebs_list = {1, 3};
  TestLab lab(options);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(lab.ebs(kBlocks).status, 200);
  const Reply reply = lab.ebs(kBlocks);
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.header("x-amzn-errortype"), "ThrottlingException");
}

TEST(EbsRead, RefusesWhatIsNotTheAccountsOwn) {
  json world = small_world();
  world["snapshots"][0]["OwnerId"] = "2";
  TestLab strange({}, world);
  EXPECT_EQ(strange.ebs(kBlocks).status, 403);
  EXPECT_EQ(reason(strange.ebs(kBlocks)), "UNAUTHORIZED_ACCOUNT");
  world["snapshots"][0]["_accounts"] = {"1"};
  EXPECT_EQ(TestLab({}, world).ebs(kBlocks).status, 200);
  world["snapshots"][0].erase("_accounts");
  world["snapshots"][0]["_public"] = true;
  EXPECT_EQ(TestLab({}, world).ebs(kBlocks).status, 404);
}

TEST(EbsRead, EncryptedNeedsKmsDecrypt) {
  json world = small_world();
  world["snapshots"][0]["Encrypted"] = true;
  world["snapshots"][0]["KmsKeyId"] = "arn:aws:kms:us-west-2:1:key/k";
  world["principals"][0]["_policies"] = json::array({json{{"Statement", {{"Effect", "Allow"}, {"Action", "ebs:*"}, {"Resource", "*"}}}}});
  TestLab lab({}, world);
  EXPECT_EQ(reason(lab.ebs(kBlocks)), "DEPENDENCY_ACCESS_DENIED");
  world["principals"][0]["_policies"][0]["Statement"]["Action"] = {"ebs:*", "kms:Decrypt"};
  EXPECT_EQ(TestLab({}, world).ebs(kBlocks).status, 200);
}

TEST(EbsChanged, NeedsOneLineage) {
  json world = small_world();
  json other = world["snapshots"][0];
  other["SnapshotId"] = "snap-00000000000000002";
  other["VolumeId"] = "vol-00000000000000002";
  world["snapshots"].push_back(other);
  TestLab lab({}, world);
  EXPECT_EQ(reason(lab.ebs(std::string("/snapshots/snap-00000000000000002/changedblocks"), std::string("firstSnapshotId=") + kSnapshot)),
            "UNRELATED_SNAPSHOTS");
}

TEST(EbsPatches, CoverTheFile) {
  json world = small_world();
  world["snapshots"][0]["_patches"] = {{"2", "disk.raw"}, {"5", "disk.raw"}};  // the first block of the same file
  TestLab lab({}, world);
  EXPECT_EQ(lab.lab->world->image(kSnapshot)->read(2), std::string(kBlockSize, 'a'));
  const json listed = list(lab);
  std::vector<int> indexes;
  for (const json& block : listed["Blocks"]) indexes.push_back(block["BlockIndex"]);
  EXPECT_EQ(indexes, (std::vector<int>{0, 2, 3, 5, 7}));
}

}  // namespace
}  // namespace icelab::test
