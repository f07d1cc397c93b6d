#include "aws/signer.h"

#include <fstream>
#include <random>

#include "core/file.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/text.h"
#include "support/support.h"

namespace icecore::aws {
namespace {

constexpr Timestamp kTime{1795509806, 0};  // 2026-11-24T08:43:26Z

Json read_suite() {
  const auto text = read_text_file(test::data_file("sigv4/suite.json"));
  return Json::parse(text.value());
}

HttpRequest suite_request(const Json& given) {
  HttpRequest request;
  request.method = given.at("method");
  request.origin = "https://" + given.at("hostname").get<std::string>();
  request.path = given.at("path");
  for (const auto& [name, value] : given.at("query").items()) request.query.push_back({name, value});
  for (const auto& [name, value] : given.at("headers").items()) request.headers.push_back({name, value});
  if (given.contains("body")) request.body = given.at("body");
  return request;
}

/// The suite gives paths as they are before encoding, and the signer encodes what is on the wire once more.
std::string signed_by_us(const Json& item, const Json& suite) {
  const Credentials credentials{.access_key_id = suite.at("credentials").at("accessKeyId"),
                                .secret_access_key = suite.at("credentials").at("secretAccessKey"),
                                .session_token = {},
                                .expires = {},
                                .source = {}};
  const HttpRequest request = suite_request(item.at("request"));
  const std::string hash = to_hex(sha256(as_bytes(request.body)));
  const auto time = parse_iso8601(suite.at("time").get<std::string>());
  return compute_signature(request, credentials, {suite.at("region"), suite.at("service")}, *time, hash).authorization;
}

TEST(Signer, GivesTheSignaturesOfAwsTestSuite) {
  const Json suite = read_suite();
  ASSERT_EQ(suite.at("requests").size(), 24U);
  for (const Json& item : suite.at("requests")) {
    EXPECT_EQ(signed_by_us(item, suite), item.at("authorization").get<std::string>()) << item.at("name");
  }
}

class RequestMaker {
 public:
  explicit RequestMaker(unsigned seed) : random_(seed) {}

  Json make() {
    static const std::vector<std::string> methods = {"GET", "POST", "PUT", "DELETE"};
    static const std::vector<std::string> services = {"ec2", "ebs", "cloudtrail", "sts", "s3", "ssm"};
    static const std::vector<std::string> origins = {"http://127.0.0.1:8080", "https://ebs.us-west-2.amazonaws.com", "https://example.com:443",
                                                     "http://example.com:80", "http://localhost:443"};
    Json item;
    item["method"] = pick(methods);
    item["service"] = pick(services);
    item["region"] = "us-west-2";
    item["origin"] = item["service"] == "s3" ? "http://127.0.0.1:9000" : pick(origins);
    item["path"] = path();
    item["query"] = query();
    item["headers"] = headers();
    item["body"] = chance(2) ? text(200) : "";
    item["key"] = "AKIAIOSFODNN7EXAMPLE";
    item["secret"] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    item["token"] = chance(2) ? "IQoJb3JpZ2luX2VjEA+/==" + word() : "";
    item["timestamp"] = amz_date(kTime);
    return item;
  }

 private:
  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }
  bool chance(std::size_t one_in) { return below(one_in) == 0; }
  const std::string& pick(const std::vector<std::string>& from) { return from[below(from.size())]; }

  std::string text(std::size_t longest) {
    static const std::vector<std::string> pieces = {"a",
                                                    "Z",
                                                    "0",
                                                    "-",
                                                    "_",
                                                    ".",
                                                    "~",
                                                    "/",
                                                    "+",
                                                    "=",
                                                    "&",
                                                    "?",
                                                    "%",
                                                    "%20",
                                                    ":",
                                                    "@",
                                                    "!",
                                                    "$",
                                                    "'",
                                                    "(",
                                                    ")",
                                                    "*",
                                                    ",",
                                                    ";",
                                                    " ",
                                                    "\xC3\xA9",
                                                    "\xE1\x88\xB4",
                                                    "\"",
                                                    "<",
                                                    ">",
                                                    "[",
                                                    "]",
                                                    "|",
                                                    "\\",
                                                    "^",
                                                    "`",
                                                    "{",
                                                    "}",
                                                    "#",
                                                    "\xF0\x9F\x92\xBE"};
    std::string made;
    for (std::size_t i = below(longest + 1); i > 0; --i) made += pick(pieces);
    return made;
  }

  std::string word() {
    std::string made;
    for (std::size_t i = 1 + below(8); i > 0; --i) made += static_cast<char>('a' + below(26));
    return made;
  }

  std::string path() {
    static const std::vector<std::string> plain = {"/", "/snapshots/snap-0123456789abcdef0/blocks/17", "/a/../b", "/a/./b//c/", "/%7Ea/b%2Fc"};
    return chance(2) ? pick(plain) : "/" + percent_encode(text(12), true);
  }

  Json query() {
    Json pairs = Json::array();
    for (std::size_t i = below(6); i > 0; --i) {
      const std::string name = chance(3) ? text(4) + "k" : word();
      pairs.push_back({name, chance(4) ? "" : text(10)});
      if (chance(3)) pairs.push_back({name, text(3)});  // the same key again
    }
    return pairs;
  }

  Json headers() {
    Json pairs = Json::array();
    if (chance(2)) pairs.push_back({"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"});
    if (chance(2)) {
      pairs.push_back({"x-amz-Checksum-Algorithm", "SHA256"});
      pairs.push_back({"x-amz-Checksum", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="});
    }
    if (chance(3)) {
      pairs.push_back({"x-amz-checksum-sha256", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="});
      pairs.push_back({"x-amz-object-lock-mode", "COMPLIANCE"});
      pairs.push_back({"x-amz-object-lock-retain-until-date", "2027-01-02T03:04:05Z"});
      pairs.push_back({"x-amz-meta-icecore-raw-sha256", "e3b0c442"});
    }
    if (chance(3)) pairs.push_back({"My-Header", "  many   spaces \t inside  "});
    if (chance(3)) pairs.push_back({"My-Header", "again"});
    if (chance(3)) pairs.push_back({"User-Agent", "icecore"});
    if (chance(4)) pairs.push_back({"X-Empty", ""});
    if (chance(4)) pairs.push_back({"X-Amz-Target", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents"});
    return pairs;
  }

  std::mt19937 random_;
};

HttpRequest request_of(const Json& item) {
  HttpRequest request;
  request.method = item.at("method");
  request.origin = item.at("origin");
  request.path = item.at("path");
  request.body = item.at("body");
  for (const Json& pair : item.at("query")) request.query.push_back({pair[0], pair[1]});
  for (const Json& pair : item.at("headers")) request.headers.push_back({pair[0], pair[1]});
  return request;
}

Json ask_botocore(const Json& items) {
  const test::ScratchFolder scratch;
  std::ofstream(scratch / "requests.json") << items.dump();
  const std::string script = test::data_file("../aws/oracle/sign.py").string();
  return Json::parse(test::run_ok("python3 " + script + " < " + (scratch / "requests.json").string()));
}

TEST(Signer, AgreesWithBotocoreRequestByRequest) {
  RequestMaker maker(20261124);
  Json items = Json::array();
  for (int i = 0; i < 400; ++i) {
    Json item = maker.make();
    item["url"] = request_url(request_of(item));
    items.push_back(std::move(item));
  }
  const Json answers = ask_botocore(items);
  ASSERT_EQ(answers.size(), items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Json& item = items[i];
    HttpRequest request = request_of(item);
    const Credentials credentials{
        .access_key_id = item.at("key"), .secret_access_key = item.at("secret"), .session_token = item.at("token"), .expires = {}, .source = {}};
    const SigningScope scope{item.at("region"), item.at("service")};
    sign(request, credentials, scope, kTime);
    const std::string ours(header(request.headers, "Authorization"));
    ASSERT_EQ(ours, answers[i].at("parts").at("authorization").get<std::string>())
        << item.dump(1) << "\nbotocore's canonical request:\n"
        << answers[i].at("parts").at("canonical").get<std::string>() << "\nours:\n"
        << compute_signature(request, credentials, scope, kTime, header(request.headers, "x-amz-content-sha256")).canonical_request;
    ASSERT_EQ(ours, answers[i].at("wire").at("authorization").get<std::string>()) << "as sent: " << item.at("url");
  }
}

TEST(Signer, SigningAgainReplacesTheOldSignature) {
  HttpRequest request{.origin = "https://ebs.us-west-2.amazonaws.com", .path = "/snapshots"};
  const Credentials with_token{.access_key_id = "A", .secret_access_key = "s", .session_token = "t", .expires = {}, .source = {}};
  const Credentials without{.access_key_id = "A", .secret_access_key = "s", .session_token = {}, .expires = {}, .source = {}};
  sign(request, with_token, {"us-west-2", "ebs"}, kTime);
  EXPECT_EQ(header(request.headers, "x-amz-security-token"), "t");
  sign(request, without, {"us-west-2", "ebs"}, kTime);
  EXPECT_EQ(header(request.headers, "x-amz-security-token"), "");
  HttpRequest fresh{.origin = "https://ebs.us-west-2.amazonaws.com", .path = "/snapshots"};
  sign(fresh, without, {"us-west-2", "ebs"}, kTime);
  EXPECT_EQ(request.headers, fresh.headers);
}

TEST(Signer, EncodesEveryByteByRfc3986) {
  EXPECT_EQ(percent_encode("a/b c~\xFF+"), "a%2Fb%20c~%FF%2B");
  EXPECT_EQ(percent_encode("/a b/", true), "/a%20b/");
  EXPECT_EQ(canonical_query({{"b", "2"}, {"a", "="}, {"a", ""}, {"B", ""}}), "B=&a=&a=%3D&b=2");
}

}  // namespace
}  // namespace icecore::aws
