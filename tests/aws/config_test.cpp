#include "aws/config.h"

#include <fstream>

#include "core/json.h"
#include "support/support.h"

namespace icecore::aws {
namespace {

using Variables = std::map<std::string, std::string, std::less<>>;

class ConfigTest : public ::testing::Test {
 protected:
  Result<Config> load(const std::string& config_text, Variables variables, const Flags& flags = {}) {
    std::ofstream(scratch_ / "config") << config_text;
    variables.try_emplace("AWS_CONFIG_FILE", (scratch_ / "config").string());
    variables.try_emplace("HOME", scratch_.path().string());
    return load_config(flags, fixed_environment(std::move(variables)));
  }

  test::ScratchFolder scratch_;
};

constexpr const char* kProfiles = R"(
# a comment
[default]
region = us-east-1
endpoint_url = http://default.example:1
[profile work]
region=eu-central-1
ca_bundle = /etc/work.pem
services = local
; nested block
s3 =
    max_concurrent_requests = 10
    addressing_style = path
[services local]
ec2 =
  endpoint_url = http://ec2.example:2
cloudtrail =
  endpoint_url = http://trail.example:3
)";

TEST_F(ConfigTest, RegionOfFlagThenEnvironmentThenProfile) {
  Flags flags;
  flags.region = "ap-south-1";
  const Variables both = {{"AWS_REGION", "us-west-2"}, {"AWS_DEFAULT_REGION", "us-west-1"}};
  EXPECT_EQ(load(kProfiles, both, flags)->region, "ap-south-1");
  EXPECT_EQ(load(kProfiles, both)->region, "us-west-2");
  EXPECT_EQ(load(kProfiles, {{"AWS_DEFAULT_REGION", "us-west-1"}})->region, "us-west-1");
  EXPECT_EQ(load(kProfiles, {})->region, "us-east-1");
  EXPECT_EQ(load(kProfiles, {{"AWS_PROFILE", "work"}})->region, "eu-central-1");
  const auto none = load("[default]\n", {});
  ICECORE_ASSERT_OK(none);
  ICECORE_EXPECT_CODE(none->require_region(), Code::kInvalidArgument);
  EXPECT_NE(none->require_region().error().message.find("--region"), std::string::npos);
}

TEST_F(ConfigTest, ANamedProfileMustExist) {
  Flags flags;
  flags.profile = "wrok";
  const auto result = load(kProfiles, {}, flags);
  ICECORE_EXPECT_CODE(result, Code::kInvalidArgument);
  EXPECT_NE(result.error().message.find("'wrok'"), std::string::npos);
  ICECORE_EXPECT_CODE(load(kProfiles, {{"AWS_PROFILE", "wrok"}}), Code::kInvalidArgument);
}

TEST_F(ConfigTest, EndpointsInTheOrderOfTheAwsCli) {
  const auto at = [&](const Variables& variables, const std::string& service, const Flags& flags = {}) {
    return load(kProfiles, variables, flags)->endpoint(service, "us-west-2").value();
  };
  Flags flag;
  flag.endpoint_url = "https://flag.example/";
  const Variables all = {{"AWS_ENDPOINT_URL", "http://any.example:8"}, {"AWS_ENDPOINT_URL_EC2", "http://special.example:9"}, {"AWS_PROFILE", "work"}};
  EXPECT_EQ(at(all, "ec2", flag), "https://flag.example");
  EXPECT_EQ(at(all, "ec2"), "http://special.example:9");
  EXPECT_EQ(at(all, "ebs"), "http://any.example:8");
  EXPECT_EQ(at({{"AWS_PROFILE", "work"}}, "ec2"), "http://ec2.example:2");
  EXPECT_EQ(at({{"AWS_PROFILE", "work"}}, "cloudtrail"), "http://trail.example:3");
  EXPECT_EQ(at({{"AWS_PROFILE", "work"}}, "ebs"), "https://ebs.us-west-2.amazonaws.com");
  EXPECT_EQ(at({}, "sts"), "http://default.example:1");
  EXPECT_EQ(at({{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"}}, "sts"), "https://sts.us-west-2.amazonaws.com");
}

TEST_F(ConfigTest, HostsAreThoseOfBotocore) {
  const std::string regions = "['us-west-2','eu-central-1','ap-southeast-4','us-gov-west-1','cn-north-1','us-iso-east-1','us-isob-east-1']";
  const std::string script =
      "import botocore.session,json; s=botocore.session.Session(); print(json.dumps([[v,r,s.create_client(v,region_name=r,"
      "aws_access_key_id='a',aws_secret_access_key='b',**({'config':__import__('botocore.config').config.Config()})).meta."
      "endpoint_url] for r in " +
      regions + " for v in ['ec2','ebs','cloudtrail','sts'] if not (v=='ebs' and 'iso' in r)]))";
  const Json answers = Json::parse(test::run_ok("AWS_STS_REGIONAL_ENDPOINTS=regional AWS_EC2_METADATA_DISABLED=true python3 -c \"" + script + "\""));
  ASSERT_GT(answers.size(), 20U);
  const auto config = load("", {});
  for (const Json& answer : answers) {
    EXPECT_EQ(config->endpoint(answer[0].get<std::string>(), answer[1].get<std::string>()).value(), answer[2].get<std::string>());
  }
}

TEST_F(ConfigTest, ARegionCannotNameAnotherHost) {
  for (const char* region : {"evil.example/", "us-west-2@evil", "US-WEST-2", ""}) {
    ICECORE_EXPECT_CODE(load("", {})->endpoint("ec2", region), Code::kInvalidArgument);
  }
  ICECORE_EXPECT_CODE(load("", {{"AWS_REGION", "a b"}}), Code::kInvalidArgument);
}

TEST_F(ConfigTest, EndpointsMustBeAddresses) {
  for (const char* url : {"127.0.0.1:80", "ftp://x", "http://", "http://x/path", "http://user@x", "http://x?y"}) {
    ICECORE_EXPECT_CODE(load("", {{"AWS_ENDPOINT_URL", url}})->endpoint("ec2", "us-west-2"), Code::kInvalidArgument);
  }
}

TEST_F(ConfigTest, TrustAndProxies) {
  const Variables variables = {
      {"AWS_PROFILE", "work"}, {"HTTPS_PROXY", "http://upper:1"}, {"https_proxy", "http://lower:2"}, {"NO_PROXY", "localhost"}};
  const auto config = load(kProfiles, variables);
  EXPECT_EQ(config->transport.ca_bundle, "/etc/work.pem");
  EXPECT_EQ(config->transport.https_proxy, "http://lower:2") << "as Python has it";
  EXPECT_EQ(config->transport.no_proxy, "localhost");
  EXPECT_EQ(load(kProfiles, {{"AWS_PROFILE", "work"}, {"AWS_CA_BUNDLE", "/a.pem"}})->transport.ca_bundle, "/a.pem");
  Flags flags;
  flags.ca_bundle = "/flag.pem";
  EXPECT_EQ(load(kProfiles, {{"AWS_CA_BUNDLE", "/a.pem"}}, flags)->transport.ca_bundle, "/flag.pem");
}

TEST_F(ConfigTest, ReadsTheDialectAsBotocoreDoes) {
  const std::string text =
      "\xEF\xBB\xBF[default]\nregion: us-east-2\nOutput = json\n[profile \"two words\"]\nkey = a = b\n  more\n\n"
      "[profile tabs]\n\tindented = 1\nnext = \n\tinner = 2\n  other= 3 # not a comment\n[preview]\nx = 1\n";
  const auto config = load(text, {});
  ICECORE_ASSERT_OK(config);
  const std::string script =
      "import botocore.configloader as c,json; print(json.dumps(c.load_config('" + (scratch_ / "plain").string() + "')['profiles']))";
  std::ofstream(scratch_ / "plain") << text.substr(3);
  const Json theirs = Json::parse(test::run_ok("python3 -c \"" + script + "\""));
  EXPECT_EQ(theirs.size(), config->files.config.size());
  for (const auto& [profile, settings] : theirs.items()) {
    for (const auto& [name, value] : settings.items()) {
      if (value.is_object()) {
        for (const auto& [inner, inner_value] : value.items()) {
          EXPECT_EQ(config->files.setting(profile, name + "." + inner), inner_value.get<std::string>()) << profile << name << inner;
        }
      } else {
        EXPECT_EQ(config->files.setting(profile, name), value.get<std::string>()) << profile << " " << name;
      }
    }
  }
}

TEST_F(ConfigTest, BrokenFilesNameTheLine) {
  const auto result = load("[default]\nregion = x\n[broken\n", {});
  ICECORE_EXPECT_CODE(result, Code::kInvalidArgument);
  EXPECT_NE(result.error().message.find("line 3"), std::string::npos) << result.error().message;
}

}  // namespace
}  // namespace icecore::aws
