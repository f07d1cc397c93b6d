// Strictness of the front door, faults, and input that is no request at all.
#include "front.h"

#include <gtest/gtest.h>

#include <random>

#include "support.h"

namespace icelab::test {
namespace {

std::string code_of(const Reply& reply) { return element(reply.body, "Code"); }

TEST(Query, UnknownThingsAreRefused) {
  TestLab lab;
  EXPECT_EQ(code_of(lab.ec2("Action=DescribeVolumess")), "InvalidAction");
  EXPECT_EQ(code_of(lab.ec2("Action=DescribeVolumes&Colour=blue")), "UnknownParameter");
  EXPECT_EQ(code_of(lab.ec2("Action=DescribeVolumes&Filter.1.Nam=x")), "UnknownParameter");
  EXPECT_EQ(code_of(lab.ec2("Action=DescribeVolumes&Filter.1.Name=colour&Filter.1.Value.1=x")), "InvalidParameterValue");
  EXPECT_EQ(code_of(lab.ec2("Action=DescribeVolumes&MaxResults=many")), "InvalidParameterValue");
  EXPECT_EQ(code_of(lab.ec2("Action=DescribeVolumes&DryRun=maybe")), "InvalidParameterValue");
  Request old{"POST", "/", "", {{"Content-Type", "application/x-www-form-urlencoded"}}, "Action=DescribeVolumes&Version=2010-01-01"};
  EXPECT_EQ(code_of(lab.send(old, "ec2")), "NoSuchVersion");
}

TEST(Query, EveryActionOfTheModelHasAHandler) {
  TestLab lab;
  const json models = json::parse(std::ifstream(std::string(LAB_SOURCE) + "/model/services.json"));
  for (const auto& [action, shapes] : models["ec2"]["ops"].items()) {
    const Reply reply = lab.ec2("Action=" + action);
    EXPECT_EQ(reply.body.find("icecore-lab itself failed"), std::string::npos) << action << ": " << reply.body;
  }
}

TEST(Query, FiltersTakeWildcardsAndTags) {
  json world = small_world();
  world["volumes"][0]["Tags"] = json::array({json{{"Key", "case"}, {"Value", "C-17"}}});
  TestLab lab({}, world);
  const auto finds = [&](const std::string& name, const std::string& value) {
    return lab.ec2("Action=DescribeVolumes&Filter.1.Name=" + percent_encode(name) + "&Filter.1.Value.1=" + percent_encode(value))
               .body.find(kVolume) != std::string::npos;
  };
  EXPECT_TRUE(finds("tag:case", "C-*"));
  EXPECT_FALSE(finds("tag:case", "D-*"));
  EXPECT_TRUE(finds("tag-key", "case"));
  EXPECT_TRUE(finds("availability-zone", "us-west-2?"));
  EXPECT_FALSE(finds("status", "in-use"));
}

TEST(Faults, AScriptStrikesTheNthCall) {
  LabOptions options;
  options.faults = fault_settings_from_json({{"script", {{{"action", "DescribeVolumes"}, {"nth", 2}, {"code", "Unavailable"}, {"status", 503}}}}});
  TestLab lab(options);
  EXPECT_EQ(lab.ec2("Action=DescribeVolumes").status, 200);
  EXPECT_EQ(code_of(lab.ec2("Action=DescribeVolumes")), "Unavailable");
  EXPECT_EQ(lab.ec2("Action=DescribeVolumes").status, 200);
}

TEST(Faults, AnActCanBeDoneAndItsReplyLost) {
  LabOptions options;
  options.faults = fault_settings_from_json({{"script", {{{"action", "CreateSnapshot"}, {"lose_reply", true}}}}});
  TestLab lab(options);
  lab.ec2(std::string("Action=CreateSnapshot&VolumeId=") + kVolume);
  EXPECT_TRUE(lab.delivery.reset);
  const json state = json::parse(serve(*lab.lab, {"GET", "/_lab/state", "", {}, ""}, lab.delivery).body);
  EXPECT_EQ(state["us-west-2"]["snapshots"].size(), 2U);
}

TEST(Faults, OneSeedOneFate) {
  const auto fate = [](std::uint64_t seed) {
    LabOptions options;
    options.faults.seed = seed;
    options.faults.throttle = 50;
    TestLab lab(options);
    std::string out;
    for (int i = 0; i < 32; ++i) out += lab.ec2("Action=DescribeVolumes").status == 200 ? '.' : 'x';
    return out;
  };
  EXPECT_EQ(fate(7), fate(7));
  EXPECT_NE(fate(7), fate(8));
  EXPECT_NE(fate(7).find('x'), std::string::npos);
  EXPECT_NE(fate(7).find('.'), std::string::npos);
}

TEST(Faults, AnUnknownFaultIsNamed) {
  TestLab lab;
  const Reply reply = serve(*lab.lab, {"PUT", "/_lab/faults", "", {}, R"({"colour": 1})"}, lab.delivery);
  EXPECT_EQ(reply.status, 400);
  EXPECT_NE(reply.body.find("colour"), std::string::npos);
}

TEST(World, WhatDoesNotFitTheModelIsNamed) {
  json world = small_world();
  world["volumes"][0]["Sizes"] = 1;
  try {
    TestLab lab({}, world);
    FAIL() << "a world with an unknown member was taken";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "world.json: volumes[0].Sizes: no such member of Volume");
  }
  world = small_world();
  world["volumes"][0]["State"] = "lost";
  EXPECT_THROW(TestLab({}, world), std::runtime_error);
}

// Random bytes and random cuts of good requests: an error of some kind, never an exception or a hole in the lab.
TEST(Garbage, IsAnsweredWithAnError) {
  LabOptions options;
  options.ec2_read = options.ec2_write = options.ebs_get = {0, 0};
  TestLab lab(options);
  std::mt19937 random(1);
  const std::vector<std::string> good = {
      "Action=DescribeVolumes&Filter.1.Name=status&Filter.1.Value.1=available", "Action=CreateTags&ResourceId.1=vol-1&Tag.1.Key=a",
      "Action=RunInstances&MinCount=1&MaxCount=1&TagSpecification.1.Tag.1.Key=x", "Action=CreateSnapshots&InstanceSpecification.InstanceId=i-1"};
  for (int round = 0; round < 2000; ++round) {
    std::string form = good[random() % good.size()];
    for (unsigned edits = random() % 4; edits > 0; --edits) form[random() % form.size()] = static_cast<char>(random());
    const Reply reply = lab.ec2(form);
    EXPECT_EQ(reply.body.find("icecore-lab itself failed"), std::string::npos) << form << "\n" << reply.body;
  }
  for (int round = 0; round < 500; ++round) {
    std::string path = "/snapshots/snap-00000000000000001/blocks/";
    for (int i = 0; i < 6; ++i) path += static_cast<char>(33 + random() % 94);
    EXPECT_GE(lab.ebs(path, "blockToken=%" + std::to_string(random())).status, 400);
  }
}

}  // namespace
}  // namespace icelab::test
