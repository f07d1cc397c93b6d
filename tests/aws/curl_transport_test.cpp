#include "aws/curl_transport.h"

#include <csignal>
#include <set>

#include "core/interrupt.h"
#include "core/json.h"
#include "core/parallel.h"
#include "server_process.h"

namespace icecore::aws {
namespace {

using test_support::PythonServer;
using Kind = TransportError::Kind;
using SteadyClock = std::chrono::steady_clock;

double seconds_since(SteadyClock::time_point start) { return std::chrono::duration<double>(SteadyClock::now() - start).count(); }

class CurlTransportTest : public ::testing::Test {
 protected:
  HttpRequest to(const std::string& path) const {
    HttpRequest request;
    request.origin = server_.origin();
    request.path = path;
    request.limits = {.connect_ms = 2'000, .stall_ms = 1'000, .total_ms = 8'000, .body_bytes = 1 << 20};
    return request;
  }

  PythonServer server_{"http_faults.py"};
  std::unique_ptr<HttpTransport> transport_ = make_curl_transport();
};

TEST_F(CurlTransportTest, SendsExactlyWhatWasSigned) {
  HttpRequest request = to("/a/../b//%20c");
  request.method = "PUT";
  request.query = {{"z", "1"}, {"token", "a+/="}, {"empty", ""}, {"a", "\xC3\xA9"}};
  request.headers = {{"X-Empty", ""}, {"X-Amz-Date", "20261124T084326Z"}};
  request.body = std::string("with\0nul", 8);
  const HttpResult reply = transport_->send(request);
  ASSERT_TRUE(reply.has_value()) << reply.error().message;
  const Json seen = Json::parse(as_text(reply->body));
  EXPECT_EQ(seen.at("method"), "PUT");
  EXPECT_EQ(seen.at("path"), "/a/../b//%20c?a=%C3%A9&empty=&token=a%2B%2F%3D&z=1");
  EXPECT_EQ(seen.at("body").get<std::string>(), request.body);
  std::set<std::string> names;
  for (const Json& pair : seen.at("headers")) names.insert(pair[0]);
  EXPECT_EQ(names, (std::set<std::string>{"Host", "User-Agent", "X-Empty", "X-Amz-Date", "Content-Length"})) << "libcurl adds nothing of its own";
  EXPECT_EQ(header(reply->headers, "x-test"), "spaced");
}

TEST_F(CurlTransportTest, KeepsConnectionsAndDoesNotReuseThemForWhatMayNotBeSentTwice) {
  const auto port = [&](bool once) {
    HttpRequest request = to("/echo");
    request.send_once = once;
    return Json::parse(as_text(transport_->send(request).value().body)).at("client_port").get<int>();
  };
  const int first = port(false);
  EXPECT_EQ(port(false), first);
  EXPECT_NE(port(true), first);
}

TEST_F(CurlTransportTest, StalledAndSlowRepliesEnd) {
  for (const char* path : {"/stall", "/silent"}) {
    const auto start = SteadyClock::now();
    const HttpResult reply = transport_->send(to(path));
    ASSERT_FALSE(reply.has_value()) << path;
    EXPECT_EQ(reply.error().kind, Kind::kBroken) << reply.error().message;
    EXPECT_LT(seconds_since(start), 5) << path;
  }
  HttpRequest trickle = to("/trickle");
  trickle.limits.total_ms = 1'000;
  const auto start = SteadyClock::now();
  ASSERT_FALSE(transport_->send(trickle).has_value());
  EXPECT_LT(seconds_since(start), 3) << "bytes keep coming, the total time ends it";
}

TEST_F(CurlTransportTest, BrokenRepliesAreOfUnknownOutcome) {
  for (const char* path : {"/short", "/reset"}) {
    const HttpResult reply = transport_->send(to(path));
    ASSERT_FALSE(reply.has_value()) << path;
    EXPECT_EQ(reply.error().kind, Kind::kBroken) << reply.error().message;
    EXPECT_EQ(reply.error().code, Code::kNetwork);
  }
}

TEST_F(CurlTransportTest, NobodyThereWasCertainlyNotSent) {
  HttpRequest request = to("/");
  request.origin = "http://127.0.0.1:1";
  const HttpResult reply = transport_->send(request);
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().kind, Kind::kNotSent);
  request.origin = "http://no-such-host.invalid";
  const HttpResult unknown = transport_->send(request);
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().kind, Kind::kNotSent);
}

TEST_F(CurlTransportTest, BodiesAreBounded) {
  for (const char* path : {"/large", "/endless"}) {
    HttpRequest request = to(path);
    request.limits.body_bytes = 50'000;
    const HttpResult reply = transport_->send(request);
    ASSERT_FALSE(reply.has_value()) << path;
    EXPECT_EQ(reply.error().kind, Kind::kTooLarge) << reply.error().message;
  }
}

TEST_F(CurlTransportTest, RedirectsAreNotFollowed) {
  const HttpResult reply = transport_->send(to("/redirect"));
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->status, 302);
}

TEST_F(CurlTransportTest, HeadersCannotBeSmuggledIn) {
  HttpRequest request = to("/echo");
  request.headers = {{"X-Amz-Security-Token", "a\r\nX-Evil: 1"}};
  const HttpResult reply = transport_->send(request);
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().code, Code::kInvalidArgument);
}

TEST_F(CurlTransportTest, LendsTheMemoryOfTheBuffer) {
  Bytes buffer;
  buffer.reserve(1 << 20);
  const std::byte* memory = buffer.data();
  const HttpResult reply = transport_->send(to("/block"), std::move(buffer));
  ASSERT_TRUE(reply.has_value()) << reply.error().message;
  EXPECT_EQ(reply->body.data(), memory);
  EXPECT_EQ(reply->body.size(), 524'288U);
}

TEST_F(CurlTransportTest, ServesSixtyFourThreadsAtOnce) {
  std::atomic<int> good{0};
  const auto result = parallel_for(256, 64, [&](std::size_t) -> Result<void> {
    HttpRequest request = to("/block");
    request.limits.total_ms = 60'000;
    request.limits.stall_ms = 30'000;
    const HttpResult reply = transport_->send(request);
    if (reply && reply->body.size() == 524'288U) ++good;
    return {};
  });
  ICECORE_ASSERT_OK(result);
  EXPECT_EQ(good, 256);
}

TEST_F(CurlTransportTest, GoesThroughTheProxyUnlessTheHostIsExcepted) {
  HttpRequest request = to("/through");
  request.origin = "http://elsewhere.invalid";
  const auto proxied = make_curl_transport({.http_proxy = server_.origin()});
  const HttpResult reply = proxied->send(request);
  ASSERT_TRUE(reply.has_value()) << reply.error().message;
  EXPECT_EQ(Json::parse(as_text(reply->body)).at("path"), "http://elsewhere.invalid/through");
  const auto excepted = make_curl_transport({.http_proxy = server_.origin(), .no_proxy = "localhost,.invalid"});
  EXPECT_FALSE(excepted->send(request).has_value());
}

TEST(CurlTransportInterrupt, EndsAWaitingRequest) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  // The server must end inside: it has inherited the pipe whose end the death test waits for.
  const auto waits_and_is_interrupted = [] {
    const PythonServer server("http_faults.py");
    catch_interrupts();
    std::thread signaller([] {
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      std::raise(SIGINT);
    });
    const auto start = SteadyClock::now();
    HttpRequest request;
    request.origin = server.origin();
    request.path = "/silent";
    const HttpResult reply = make_curl_transport()->send(request);
    signaller.join();
    return !reply && reply.error().kind == Kind::kInterrupted && reply.error().code == Code::kInterrupted && seconds_since(start) < 3;
  };
  EXPECT_EXIT(std::_Exit(waits_and_is_interrupted() ? 0 : 1), ::testing::ExitedWithCode(0), "");
}

/// A certificate for 127.0.0.1 of a CA of its own, made by openssl.
class TlsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string folder = scratch_.path().string();
    test::run_ok("cd " + folder +
                 " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=lab "
                 "-addext subjectAltName=IP:127.0.0.1 2>/dev/null && cat key.pem cert.pem > both.pem");
    server_ = std::make_unique<PythonServer>("http_faults.py", std::vector<std::string>{folder + "/both.pem"});
    request_.origin = server_->origin("https");
    request_.path = "/echo";
  }

  test::ScratchFolder scratch_;
  std::unique_ptr<PythonServer> server_;
  HttpRequest request_;
};

TEST_F(TlsTest, VerifiesByTheGivenBundleOnly) {
  const auto trusting = make_curl_transport({.ca_bundle = (scratch_ / "cert.pem").string()});
  const HttpResult reply = trusting->send(request_);
  ASSERT_TRUE(reply.has_value()) << reply.error().message;
  const auto system = make_curl_transport();
  const HttpResult refused = system->send(request_);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, Kind::kUntrusted) << refused.error().message;
  EXPECT_NE(refused.error().message.find("AWS_CA_BUNDLE"), std::string::npos);
}

TEST_F(TlsTest, TheNameMustMatch) {
  const auto trusting = make_curl_transport({.ca_bundle = (scratch_ / "cert.pem").string()});
  request_.origin = "https://localhost:" + server_->port();
  const HttpResult refused = trusting->send(request_);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, Kind::kUntrusted) << refused.error().message;
}

TEST_F(TlsTest, AnUnreadableBundleIsSaid) {
  const auto lost = make_curl_transport({.ca_bundle = "/nonexistent/ca.pem"});
  const HttpResult refused = lost->send(request_);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
  EXPECT_NE(refused.error().message.find("/nonexistent/ca.pem"), std::string::npos);
}

}  // namespace
}  // namespace icecore::aws
