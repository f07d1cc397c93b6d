#include <gtest/gtest.h>

#include "workstation/prices.h"
#include "workstation/up.h"

namespace icecore::workstation {
namespace {

UpOptions with_inbound(const std::string& cidr) {
  UpOptions options;
  options.key_pair = "k";
  options.inbound = cidr;
  return options;
}

TEST(UpOptions, TheWholeInternetIsRefusedHoweverItIsSpelt) {
  for (const char* cidr : {"0.0.0.0/0", "::/0", "1.2.3.4/0", "0:0:0:0:0:0:0:0/0", "203.0.113.7/00"}) {
    const auto fine = check_options(with_inbound(cidr));
    ASSERT_FALSE(fine) << cidr;
    EXPECT_EQ(fine.error().code, Code::kInvalidArgument);
    EXPECT_NE(fine.error().message.find("whole internet"), std::string::npos) << fine.error().message;
  }
}

TEST(UpOptions, OneCidrOrNothing) {
  EXPECT_TRUE(check_options(with_inbound("203.0.113.7/32")));
  EXPECT_TRUE(check_options(with_inbound("10.0.0.0/8")));
  for (const char* cidr : {"2001:db8::7/128", "2001:db8:1::/48", "fe80::/10", "2001:db8::203.0.113.7/128"})
    EXPECT_TRUE(check_options(with_inbound(cidr))) << cidr;
  for (const char* cidr : {"2001:db8::7", "2001:db8::7/129", "2001:db8::7/", "2001:db8::7%eth0/64", "2001:db8:::/48", "::ffff:203.0.113.7/128"})
    EXPECT_FALSE(check_options(with_inbound(cidr))) << cidr;
  for (const char* cidr : {"", "203.0.113.7", "203.0.113.7/", "203.0.113.7/33", "203.0.113.7/-1", "203.0.113.7/8 ", "x/8", "1.2.3/8"})
    EXPECT_FALSE(check_options(with_inbound(cidr))) << cidr;
}

// IPv4-mapped addresses (RFC 4291, 2.5.5.2): all of IPv4 must not come in under another name.
TEST(UpOptions, TheWholeOfIpv4IsRefusedInIpv6sWords) {
  for (const char* cidr : {"::ffff:0:0/96", "::ffff:0.0.0.0/96"}) EXPECT_FALSE(check_options(with_inbound(cidr))) << cidr;
}

TEST(UpOptions, ThereHasToBeAWayIn) {
  UpOptions options;
  EXPECT_TRUE(check_options(options));
  options.systems_manager = false;
  EXPECT_FALSE(check_options(options));
  options.public_key = "-----BEGIN OPENSSH PRIVATE KEY-----";
  EXPECT_FALSE(check_options(options));
  options.public_key = "ssh-ed25519 AAAA x";
  EXPECT_TRUE(check_options(options));
}

TEST(UpOptions, WhatTheWorkstationFetchesIsPlainAndHashed) {
  UpOptions options;
  options.icecore_url = "https://example.org/icecore";
  EXPECT_FALSE(check_options(options));
  options.icecore_sha256 = std::string(64, 'a');
  EXPECT_TRUE(check_options(options));
  for (const char* url : {"http://example.org/icecore", "https://example.org/\"; reboot", "https://example.org/$(reboot)", "https://x/'y"}) {
    options.icecore_url = url;
    EXPECT_FALSE(check_options(options)) << url;
  }
}

// aws.amazon.com/ec2/pricing/on-demand, us-west-2, Linux.
TEST(Prices, AreThoseOfTheList) {
  EXPECT_NEAR(instance_price("m6i.large").value_or(0), 0.096, 1e-9);
  EXPECT_NEAR(instance_price("m6i.4xlarge").value_or(0), 0.768, 1e-9);
  EXPECT_NEAR(instance_price("t3.micro").value_or(0), 0.0104, 1e-9);
  EXPECT_FALSE(instance_price("u-24tb1.metal"));
  EXPECT_FALSE(instance_price("nonsense"));
}

}  // namespace
}  // namespace icecore::workstation
