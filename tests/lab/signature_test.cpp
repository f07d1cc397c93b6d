// What the lab answers to a request that is not signed as it should be, in the words of each service.
#include <gtest/gtest.h>

#include "support.h"

namespace icelab::test {
namespace {

const char* const kDescribe = "Action=DescribeVolumes";

std::string ec2_code(const Reply& reply) { return element(reply.body, "Code"); }

TEST(Signature, ARightOneIsServed) {
  TestLab lab;
  const Reply reply = lab.ec2(kDescribe);
  EXPECT_EQ(reply.status, 200);
  EXPECT_NE(reply.body.find(kVolume), std::string::npos);
  EXPECT_FALSE(reply.header("x-amzn-requestid").empty());
  EXPECT_FALSE(reply.header("date").empty());
}

TEST(Signature, AWrongSecretIsRefusedByEachService) {
  TestLab lab;
  const Reply ec2 = lab.send(TestLab::ec2_request(kDescribe), "ec2", "us-west-2", "wrong");
  EXPECT_EQ(ec2.status, 403);
  EXPECT_EQ(ec2_code(ec2), "SignatureDoesNotMatch");
  const Reply ebs = lab.send({"GET", std::string("/snapshots/") + kSnapshot + "/blocks", "", {}, ""}, "ebs", "us-west-2", "wrong");
  EXPECT_EQ(ebs.status, 403);
  EXPECT_EQ(ebs.header("x-amzn-errortype"), "InvalidSignatureException");
}

TEST(Signature, AChangedBodyIsRefused) {
  TestLab lab;
  Request request = TestLab::ec2_request(kDescribe);
  request.headers.emplace_back("X-Amz-Content-Sha256", hex_encode(sha256("another body")));
  EXPECT_EQ(ec2_code(lab.send(request, "ec2")), "SignatureDoesNotMatch");
}

TEST(Signature, AnUnsignedAmzHeaderIsRefused) {
  TestLab lab;
  Request request = TestLab::ec2_request(kDescribe);
  const Reply fine = lab.send(request, "ec2");
  ASSERT_EQ(fine.status, 200);
  // Sent again by hand with a header that the signature does not cover.
  Request forged = request;
  forged.headers.emplace_back("Host", "localhost");
  forged.headers.emplace_back("X-Amz-Date", amz_date(lab.lab->clock.now()));
  forged.headers.emplace_back("X-Amz-Extra", "1");
  forged.headers.emplace_back("Authorization", std::string("AWS4-HMAC-SHA256 Credential=") + kKey + "/" +
                                                   amz_date(lab.lab->clock.now()).substr(0, 8) +
                                                   "/us-west-2/ec2/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + std::string(64, '0'));
  const Reply refused = serve(*lab.lab, forged, lab.delivery);
  EXPECT_EQ(refused.status, 403);
  EXPECT_NE(refused.body.find("x-amz-extra"), std::string::npos);
}

TEST(Signature, SixMinutesOffAreTooMany) {
  TestLab lab;
  for (const Millis minutes : {-6, 6}) {
    Request ebs{
        "GET", std::string("/snapshots/") + kSnapshot + "/blocks", "", {{"X-Amz-Date", amz_date(lab.lab->clock.now() + minutes * 60'000)}}, ""};
    const Reply reply = lab.send(ebs, "ebs");
    EXPECT_EQ(reply.status, 403);
    EXPECT_EQ(reply.header("x-amzn-errortype"), "InvalidSignatureException");
    EXPECT_FALSE(reply.header("date").empty());  // what a client corrects its clock from
  }
  Request late = TestLab::ec2_request(kDescribe);
  late.headers.emplace_back("X-Amz-Date", amz_date(lab.lab->clock.now() - 6 * 60'000));
  EXPECT_EQ(ec2_code(lab.send(late, "ec2")), "RequestExpired");
}

TEST(Signature, FourMinutesOffAreNot) {
  TestLab lab;
  Request early = TestLab::ec2_request(kDescribe);
  early.headers.emplace_back("X-Amz-Date", amz_date(lab.lab->clock.now() + 4 * 60'000));
  EXPECT_EQ(lab.send(early, "ec2").status, 200);
}

TEST(Signature, OfAnotherServiceOrNoRegionIsRefused) {
  TestLab lab;
  EXPECT_EQ(lab.send(TestLab::ec2_request(kDescribe), "ebs").status, 401);
  EXPECT_EQ(lab.send(TestLab::ec2_request(kDescribe), "ec2", "us-nowhere-1").status, 401);
}

TEST(Signature, AnotherRegionIsAnEmptyAccount) {
  TestLab lab;
  const Reply reply = lab.send(TestLab::ec2_request(std::string(kDescribe) + "&VolumeId.1=" + kVolume), "ec2", "eu-west-1");
  EXPECT_EQ(ec2_code(reply), "InvalidVolume.NotFound");
}

TEST(Signature, NoneAtAllIsSaidSo) {
  TestLab lab;
  EXPECT_EQ(ec2_code(serve(*lab.lab, TestLab::ec2_request(kDescribe), lab.delivery)), "MissingAuthenticationToken");
}

TEST(Session, NeedsItsTokenAndItsTime) {
  json world = small_world();
  world["principals"][0]["_access_keys"][0]["SessionToken"] = "token";
  TestLab lab({}, world);
  EXPECT_EQ(ec2_code(lab.ec2(kDescribe)), "AuthFailure");
  Request right = TestLab::ec2_request(kDescribe);
  right.headers.emplace_back("X-Amz-Security-Token", "token");
  EXPECT_EQ(lab.send(right, "ec2").status, 200);
  world["principals"][0]["_access_keys"][0]["Expiration"] = "2020-01-01T00:00:00Z";
  TestLab expired({}, world);
  EXPECT_EQ(ec2_code(expired.send(right, "ec2")), "RequestExpired");
}

}  // namespace
}  // namespace icelab::test
