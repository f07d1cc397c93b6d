#include "aws/credentials.h"

#include <fstream>

#include "aws/memory_transport.h"
#include "core/json.h"
#include "fake_clock.h"
#include "server_process.h"

namespace icecore::aws {
namespace {

using test_support::FakeClock;
using test_support::PythonServer;

using Variables = std::map<std::string, std::string, std::less<>>;

/// One user's set-up. `{PORT}` and `{DIR}` are filled in.
struct Scenario {
  std::string name;
  Variables environment;
  std::string config, credentials;
  std::optional<std::string> profile_flag = std::nullopt;
  std::string key = {};  ///< the access key expected, so that a test cannot pass by both being wrong; empty: an error
  int since = 0;         ///< the minor version of botocore 1 that first knew this; older ones (Debian 12 has 1.29) are no oracle for it
};

const Variables kEnvironmentKeys = {{"AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT"}, {"AWS_SECRET_ACCESS_KEY", "s1"}, {"AWS_SESSION_TOKEN", "t1"}};
constexpr const char* kKeys =
    "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = s2\n"
    "[work]\naws_access_key_id=AKIAWORK\naws_secret_access_key=s3\naws_session_token=t3\n";
constexpr const char* kRoleConfig = R"(
[profile role]
role_arn = arn:aws:iam::111122223333:role/forensics
source_profile = work
external_id = external
[profile chain]
role_arn = arn:aws:iam::111122223333:role/second
source_profile = role
[profile environment]
role_arn = arn:aws:iam::111122223333:role/from-environment
credential_source = Environment
[profile instance]
role_arn = arn:aws:iam::111122223333:role/from-instance
credential_source = Ec2InstanceMetadata
[profile container]
role_arn = arn:aws:iam::111122223333:role/from-container
credential_source = EcsContainer
[profile self]
role_arn = arn:aws:iam::111122223333:role/own
source_profile = self
aws_access_key_id = AKIASELF
aws_secret_access_key = s4
[profile circle-a]
role_arn = arn:aws:iam::111122223333:role/a
source_profile = circle-b
[profile circle-b]
role_arn = arn:aws:iam::111122223333:role/b
source_profile = circle-a
[profile both]
role_arn = arn:aws:iam::111122223333:role/x
source_profile = work
credential_source = Environment
[profile lost]
role_arn = arn:aws:iam::111122223333:role/x
source_profile = nowhere
[profile process]
credential_process = sh -c 'echo "{\"Version\": 1, \"AccessKeyId\": \"AKIAPROCESS\", \"SecretAccessKey\": \"s5\", \"SessionToken\": \"t5\"}"'
[profile via-process]
role_arn = arn:aws:iam::111122223333:role/p
source_profile = process
[profile web]
role_arn = arn:aws:iam::111122223333:role/web
web_identity_token_file = {DIR}/token
region = eu-west-1
[profile in-config]
aws_access_key_id = AKIACONFIG
aws_secret_access_key = s6
[profile "with space"]
aws_access_key_id = AKIASPACE
aws_secret_access_key = s7
)";

Variables with(Variables variables, const Variables& more) {
  for (const auto& [name, value] : more) variables[name] = value;
  return variables;
}

std::vector<Scenario> scenarios() {
  const Variables nothing;
  const Variables container = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:{PORT}/container"},
                               {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "secret"}};
  const Variables identity = {{"AWS_WEB_IDENTITY_TOKEN_FILE", "{DIR}/token"}, {"AWS_ROLE_ARN", "arn:aws:iam::1:role/oidc"}};
  return {
      {"environment alone", kEnvironmentKeys, "", "", {}, "AKIAENVIRONMENT"},
      {"environment beats files", kEnvironmentKeys, "", kKeys, {}, "AKIAENVIRONMENT"},
      {"--profile beats environment", kEnvironmentKeys, "", kKeys, "work", "AKIAWORK"},
      {"AWS_PROFILE does not beat environment", with(kEnvironmentKeys, {{"AWS_PROFILE", "work"}}), "", kKeys, {}, "AKIAENVIRONMENT"},
      {"AWS_PROFILE", {{"AWS_PROFILE", "work"}}, "", kKeys, {}, "AKIAWORK"},
      {"AWS_DEFAULT_PROFILE", {{"AWS_DEFAULT_PROFILE", "work"}}, "", kKeys, {}, "AKIAWORK"},
      {"both profile variables", {{"AWS_DEFAULT_PROFILE", "work"}, {"AWS_PROFILE", "in-config"}}, kRoleConfig, kKeys, {}, "AKIAWORK"},
      {"the default profile", nothing, "", kKeys, {}, "AKIADEFAULT"},
      {"empty key in the environment", {{"AWS_ACCESS_KEY_ID", ""}}, "", kKeys, {}, "AKIADEFAULT"},
      {"half the environment", {{"AWS_ACCESS_KEY_ID", "AKIAHALF"}}, "", kKeys, {}, ""},
      {"old name of the token", {{"AWS_ACCESS_KEY_ID", "A1"}, {"AWS_SECRET_ACCESS_KEY", "b"}, {"AWS_SECURITY_TOKEN", "c"}}, "", "", {}, "A1"},
      {"keys in the config file", nothing, kRoleConfig, "", "in-config", "AKIACONFIG"},
      {"credentials file before config file", nothing, kRoleConfig, "[in-config]\naws_access_key_id=AKIAFIRST\naws_secret_access_key=s\n",
       "in-config", "AKIAFIRST"},
      {"profile with a space", nothing, kRoleConfig, "", "with space", "AKIASPACE"},
      {"role by source_profile", nothing, kRoleConfig, kKeys, "role", "AKIAWORK>forensics"},
      {"role before environment by --profile", kEnvironmentKeys, kRoleConfig, kKeys, "role", "AKIAWORK>forensics"},
      {"environment before role", with(kEnvironmentKeys, {{"AWS_PROFILE", "role"}}), kRoleConfig, kKeys, {}, "AKIAENVIRONMENT"},
      {"roles in a chain", nothing, kRoleConfig, kKeys, "chain", "AKIAWORK>forensics>second"},
      {"role from the environment", kEnvironmentKeys, kRoleConfig, kKeys, "environment", "AKIAENVIRONMENT>from-environment"},
      {"role from the instance", nothing, kRoleConfig, kKeys, "instance", "ASIAMETADATA>from-instance"},
      {"role from the container", container, kRoleConfig, kKeys, "container", "ASIACONTAINERSECRET>from-container"},
      {"role whose source is itself", nothing, kRoleConfig, kKeys, "self", "AKIASELF>own"},
      {"role in a circle", nothing, kRoleConfig, kKeys, "circle-a", ""},
      {"role with two sources", nothing, kRoleConfig, kKeys, "both", ""},
      {"role of a lost source", nothing, kRoleConfig, kKeys, "lost", ""},
      {"role without a source of credentials in the environment", nothing, kRoleConfig, kKeys, "environment", ""},
      {"credential_process", nothing, kRoleConfig, kKeys, "process", "AKIAPROCESS"},
      {"role by credential_process", nothing, kRoleConfig, kKeys, "via-process", "AKIAPROCESS>p"},
      {"web identity of a profile", nothing, kRoleConfig, kKeys, "web", "OIDC>web"},
      {"web identity of the environment", identity, "", "", {}, "OIDC>oidc"},
      {"web identity before the keys of the default profile", identity, "", kKeys, {}, "OIDC>oidc"},
      {"environment keys before web identity", with(kEnvironmentKeys, identity), "", "", {}, "AKIAENVIRONMENT"},
      {"--profile ignores web identity of the environment", identity, "", kKeys, "work", "AKIAWORK"},
      {"container", container, "", "", {}, "ASIACONTAINERSECRET"},
      {"files before container", container, "", kKeys, {}, "AKIADEFAULT"},
      {"container's token in a file",
       {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost:{PORT}/container?x=1"}, {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "{DIR}/token"}},
       "",
       "",
       {},
       "ASIACONTAINEROIDC",
       33},
      {"container before instance", container, "", "", {}, "ASIACONTAINERSECRET"},
      {"a token is not sent to a stranger", {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.1/x"}}, "", "", {}, ""},
      {"instance metadata", nothing, "", "", {}, "ASIAMETADATA"},
      {"instance metadata turned off", {{"AWS_EC2_METADATA_DISABLED", "true"}}, "", "", {}, ""},
      {"a named profile without keys goes on to the instance", nothing, "[profile empty]\nregion = eu-west-1\n", "", "empty", "ASIAMETADATA"},
  };
}

std::string filled(std::string text, const std::string& port, const std::string& folder) {
  for (const auto& [mark, value] : std::map<std::string, std::string>{{"{PORT}", port}, {"{DIR}", folder}}) {
    for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos;) text.replace(at, mark.size(), value);
  }
  return text;
}

/// Writes the scenario's files and gives its whole environment.
Variables set_up(const Scenario& scenario, const std::string& port, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "config") << filled(scenario.config, port, folder.string());
  std::ofstream(folder / "credentials") << filled(scenario.credentials, port, folder.string());
  std::ofstream(folder / "token") << "OIDC";
  Variables variables = {{"HOME", folder.string()},
                         {"PATH", "/usr/bin:/bin"},
                         {"AWS_CONFIG_FILE", (folder / "config").string()},
                         {"AWS_SHARED_CREDENTIALS_FILE", (folder / "credentials").string()},
                         {"AWS_ENDPOINT_URL_STS", "http://127.0.0.1:" + port},
                         {"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:" + port + "/"},
                         {"AWS_DEFAULT_REGION", "us-west-2"}};
  for (const auto& [name, value] : scenario.environment) variables[name] = filled(value, port, folder.string());
  return variables;
}

struct Resolved {
  std::optional<Credentials> credentials;
  std::string error;
};

Resolved resolved_by_us(const Scenario& scenario, const Variables& variables) {
  Flags flags;
  flags.profile = scenario.profile_flag;
  auto config = load_config(flags, fixed_environment(variables));
  if (!config) return {std::nullopt, to_string(config.error())};
  const auto transport = make_curl_transport();
  const auto source = make_credential_source({*config, *transport, *transport, system_clock()});
  auto credentials = source->get();
  if (!credentials) return {std::nullopt, to_string(credentials.error())};
  return {std::move(*credentials), ""};
}

Json resolved_by_botocore(const Json& items) {
  const test::ScratchFolder scratch;
  std::ofstream(scratch / "scenarios.json") << items.dump();
  const std::string script = test::data_file("../aws/oracle/resolve.py").string();
  return Json::parse(test::run_ok("python3 " + script + " < " + (scratch / "scenarios.json").string()));
}

TEST(Credentials, ComeFromWhereBotocoreTakesThem) {
  const PythonServer stub("stub.py");
  const test::ScratchFolder scratch;
  const std::vector<Scenario> all = scenarios();
  Json items = Json::array();
  std::vector<Variables> environments;
  for (std::size_t i = 0; i < all.size(); ++i) {
    environments.push_back(set_up(all[i], stub.port(), scratch / std::to_string(i)));
    Json item = {{"env", environments.back()}};
    if (all[i].profile_flag) item["profile"] = *all[i].profile_flag;
    items.push_back(std::move(item));
  }
  const Json told = resolved_by_botocore(items);
  const Json& answers = told.at("answers");
  const int minor = told.at("version").at(1);
  for (std::size_t i = 0; i < all.size(); ++i) {
    SCOPED_TRACE(all[i].name + "\nbotocore: " + answers[i].dump());
    const Resolved ours = resolved_by_us(all[i], environments[i]);
    EXPECT_EQ(ours.credentials ? ours.credentials->access_key_id : "", all[i].key) << ours.error;
    if (minor < all[i].since) continue;
    EXPECT_EQ(answers[i].contains("error"), !ours.credentials.has_value()) << ours.error;
    if (!ours.credentials || answers[i].contains("error")) continue;
    EXPECT_EQ(answers[i].at("access_key"), ours.credentials->access_key_id);
    EXPECT_EQ(answers[i].at("secret_key"), ours.credentials->secret_access_key);
    EXPECT_EQ(answers[i].at("token"), ours.credentials->session_token);
  }
}

struct Chain {
  explicit Chain(const Variables& variables, HttpTransport& http, const Clock& clock, MfaPrompt prompt = nullptr, Flags flags = {})
      : config(load_config(flags, fixed_environment(variables)).value()),
        source(make_credential_source({config, http, http, clock, std::move(prompt)})) {}
  Config config;
  std::unique_ptr<CredentialSource> source;
};

TEST(Credentials, AskForTheCodeOfAnMfaDevice) {
  const PythonServer stub("stub.py");
  const test::ScratchFolder scratch;
  const Scenario scenario{"mfa", {}, "[profile m]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=work\nmfa_serial=arn:aws:iam::1:mfa/me\n", kKeys};
  const Variables variables = set_up(scenario, stub.port(), scratch.path());
  const auto transport = make_curl_transport();
  Flags flags;
  flags.profile = "m";
  std::string asked;
  const auto prompt = [&](const std::string& code) {
    return [&asked, code](const std::string& serial) -> Result<std::string> {
      asked = serial;
      return code;
    };
  };
  auto good = Chain(variables, *transport, system_clock(), prompt("123456"), flags).source->get();
  ICECORE_ASSERT_OK(good);
  EXPECT_EQ(good->access_key_id, "AKIAWORK>r+MFA");
  EXPECT_EQ(asked, "arn:aws:iam::1:mfa/me");
  auto wrong = Chain(variables, *transport, system_clock(), prompt("000000"), flags).source->get();
  ICECORE_EXPECT_CODE(wrong, Code::kPermission);
  EXPECT_NE(to_string(wrong.error()).find("MultiFactorAuthentication failed"), std::string::npos) << to_string(wrong.error());
  auto silent = Chain(variables, *transport, system_clock(), nullptr, flags).source->get();
  ICECORE_EXPECT_CODE(silent, Code::kCredentials);
}

/// Container credentials that live an hour from the clock's now, numbered.
MemoryTransport numbered_container(const FakeClock& clock, std::atomic<int>& count, std::atomic<bool>& broken) {
  return MemoryTransport([&](const HttpRequest&) -> HttpResult {
    if (broken) return text_reply(500, "");
    const Timestamp expires{clock.now().seconds + 3600, 0};
    const Json body = {{"AccessKeyId", "KEY" + std::to_string(++count)},
                       {"SecretAccessKey", "s"},
                       {"Token", "t" + std::to_string(count)},
                       {"Expiration", to_iso8601(expires, 0)}};
    return text_reply(200, body.dump());
  });
}

const Variables kContainer = {{"HOME", "/nonexistent"}, {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/c"}};

TEST(Credentials, AreRefreshedBeforeTheyExpire) {
  FakeClock clock;
  std::atomic<int> count{0};
  std::atomic<bool> broken{false};
  auto transport = numbered_container(clock, count, broken);
  const Chain chain(kContainer, transport, clock);
  EXPECT_EQ(chain.source->get()->access_key_id, "KEY1");
  clock.advance_seconds(3600 - 16 * 60);
  EXPECT_EQ(chain.source->get()->access_key_id, "KEY1");
  clock.advance_seconds(2 * 60);
  EXPECT_EQ(chain.source->get()->access_key_id, "KEY2") << "14 minutes before the end a new one is fetched";
  chain.source->expire();
  EXPECT_EQ(chain.source->get()->access_key_id, "KEY3") << "refused as expired by the service";
}

TEST(Credentials, ThatCannotBeRefreshedServeUntilTheyExpire) {
  FakeClock clock;
  std::atomic<int> count{0};
  std::atomic<bool> broken{false};
  auto transport = numbered_container(clock, count, broken);
  const Chain chain(kContainer, transport, clock);
  ICECORE_ASSERT_OK(chain.source->get());
  broken = true;
  clock.advance_seconds(3600 - 5 * 60);
  EXPECT_EQ(chain.source->get()->access_key_id, "KEY1");
  clock.advance_seconds(6 * 60);
  ICECORE_EXPECT_CODE(chain.source->get(), Code::kCredentials);
  broken = false;
  EXPECT_EQ(chain.source->get()->access_key_id, "KEY2");
}

TEST(Credentials, AreFetchedOnceForManyThreads) {
  FakeClock clock;
  std::atomic<int> count{0};
  std::atomic<bool> broken{false};
  auto transport = numbered_container(clock, count, broken);
  const Chain chain(kContainer, transport, clock);
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 200; ++j) EXPECT_TRUE(chain.source->get().has_value());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, 1);
}

TEST(Credentials, ExpiredOnesAreToldInPlainWords) {
  const FakeClock clock;
  MemoryTransport nobody([](const HttpRequest&) -> HttpResult { return text_reply(404, ""); });
  Variables variables = kEnvironmentKeys;
  variables["HOME"] = "/nonexistent";
  variables["AWS_CREDENTIAL_EXPIRATION"] = "2020-01-01T00:00:00Z";
  const auto result = Chain(variables, nobody, clock).source->get();
  ICECORE_EXPECT_CODE(result, Code::kCredentials);
  EXPECT_EQ(result.error().message,
            "the credentials from the environment expired at 2020-01-01T00:00:00Z; get new ones and run the same command again");
}

TEST(Credentials, MissingOnesSayWhereItLooked) {
  const FakeClock clock;
  MemoryTransport nobody([](const HttpRequest&) -> HttpResult { return text_reply(404, ""); });
  const auto result = Chain({{"HOME", "/nonexistent"}}, nobody, clock).source->get();
  ICECORE_EXPECT_CODE(result, Code::kCredentials);
  EXPECT_NE(result.error().message.find("/nonexistent/.aws/credentials"), std::string::npos) << result.error().message;
  EXPECT_NE(result.error().message.find("aws configure"), std::string::npos);
}

TEST(Credentials, ErrorsNeverRepeatASecret) {
  const FakeClock clock;
  MemoryTransport leaky([](const HttpRequest&) -> HttpResult { return text_reply(200, R"({"AccessKeyId":"A","SecretAccessKey":"hunter2")"); });
  const auto result = Chain(kContainer, leaky, clock).source->get();
  ICECORE_EXPECT_CODE(result, Code::kCredentials);
  EXPECT_EQ(to_string(result.error()).find("hunter2"), std::string::npos);
  const test::ScratchFolder scratch;
  std::ofstream(scratch / "credentials") << "[default]\naws_access_key_id = A\nhunter2 without an equals sign\n";
  const auto config = load_config({}, fixed_environment({{"AWS_SHARED_CREDENTIALS_FILE", (scratch / "credentials").string()}, {"HOME", "/none"}}));
  ICECORE_EXPECT_CODE(config, Code::kInvalidArgument);
  EXPECT_EQ(to_string(config.error()).find("hunter2"), std::string::npos);
  EXPECT_NE(to_string(config.error()).find("line 3"), std::string::npos);
}

}  // namespace
}  // namespace icecore::aws
