// ssh-keygen makes the files and says what the fingerprints are.
#include "artefact/ssh.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "core/file.h"
#include "core/text.h"
#include "support/fake_machine.h"

namespace icecore::artefact {
namespace {

struct Keys {
  test::ScratchFolder scratch;
  std::string path(const std::string& name) const { return (scratch / name).string(); }
  std::string text(const std::string& name) const { return read_text_file(scratch / name).value(); }
  void make(const std::string& type, const std::string& more = "-N ''") const {
    test::run_ok(fmt::format("ssh-keygen -q -t {0} -f {1} -C '{0} key' {2}", type, path(type), more));
  }
  // "256 SHA256:… comment (ED25519)"
  std::string fingerprint(const std::string& file) const { return std::string(split_fields(test::run_ok("ssh-keygen -l -f " + path(file))).at(1)); }
};

TEST(Ssh, FingerprintsAreWhatSshKeygenSays) {
  const Keys keys;
  std::string text = "# comment\n\n";
  for (const std::string type : {"ed25519", "ecdsa", "rsa"}) {
    keys.make(type);
    if (type == "rsa") text += "from=\"10.0.0.0/8\",command=\"echo \\\"a b\\\"\" ";
    text += keys.text(type + ".pub");
  }
  text += "ssh-ed25519 not*base64 broken\nnonsense\n";
  const auto parsed = parse_authorized_keys(text);
  ASSERT_EQ(parsed.size(), 4U);
  EXPECT_EQ(parsed[0].fingerprint, keys.fingerprint("ed25519.pub"));
  EXPECT_EQ(parsed[0].comment, "ed25519 key");
  EXPECT_EQ(parsed[0].line, 3U);
  EXPECT_EQ(parsed[1].fingerprint, keys.fingerprint("ecdsa.pub"));
  EXPECT_EQ(parsed[1].type, "ecdsa-sha2-nistp256");
  EXPECT_EQ(parsed[2].fingerprint, keys.fingerprint("rsa.pub"));
  EXPECT_EQ(parsed[2].options, "from=\"10.0.0.0/8\",command=\"echo \\\"a b\\\"\"");
  EXPECT_EQ(parsed[3].fingerprint, "");
}

TEST(Ssh, PrivateKeysAreKnownWithTheirFingerprint) {
  const Keys keys;
  keys.make("ed25519");
  keys.make("ecdsa", "-N secret-phrase");
  keys.make("rsa", "-m PEM -N ''");
  const auto open = parse_private_key(keys.text("ed25519"));
  ASSERT_TRUE(open);
  EXPECT_EQ(open->format, "OPENSSH");
  EXPECT_FALSE(open->encrypted);
  EXPECT_EQ(open->fingerprint, keys.fingerprint("ed25519.pub"));
  const auto locked = parse_private_key(keys.text("ecdsa"));
  ASSERT_TRUE(locked);
  EXPECT_TRUE(locked->encrypted);
  EXPECT_EQ(locked->fingerprint, keys.fingerprint("ecdsa.pub"));
  const auto pem = parse_private_key(keys.text("rsa"));
  ASSERT_TRUE(pem);
  EXPECT_EQ(pem->format, "RSA");
  EXPECT_FALSE(pem->encrypted);
  EXPECT_FALSE(parse_private_key(keys.text("rsa.pub")));
  EXPECT_TRUE(parse_private_key("-----BEGIN OPENSSH PRIVATE KEY-----\n*broken*\n"));
}

TEST(Ssh, KnownHostsPlainAndHashed) {
  const Keys keys;
  keys.make("ed25519");
  const std::string key = keys.text("ed25519.pub");
  ICECORE_ASSERT_OK(write_file_atomically(keys.scratch / "known_hosts", "10.0.2.12,[h.example]:2222 " + key + "@revoked 10.0.2.13 " + key));
  auto hosts = parse_known_hosts(keys.text("known_hosts"));
  ASSERT_EQ(hosts.size(), 2U);
  EXPECT_THAT(hosts[0].hosts, ::testing::ElementsAre("10.0.2.12", "[h.example]:2222"));
  EXPECT_EQ(hosts[0].fingerprint, keys.fingerprint("ed25519.pub"));
  EXPECT_EQ(hosts[1].marker, "@revoked");
  test::run_ok("ssh-keygen -q -H -f " + keys.path("known_hosts") + " 2>/dev/null");
  hosts = parse_known_hosts(keys.text("known_hosts"));
  ASSERT_GE(hosts.size(), 2U);
  EXPECT_TRUE(hosts[0].hashed);
  EXPECT_TRUE(hosts[0].hosts.empty());
}

TEST(Ssh, KeyFilesThatTheConfigurationNames) {
  test::FakeMachine fake;
  fake.root->file("/etc/passwd", "root:x:0:0::/root:/bin/bash\nadmin:x:1000:1000::/home/admin:/bin/bash\n");
  fake.root->file(
      "/etc/ssh/sshd_config",
      "# x\nPort 22\nAuthorizedKeysFile .ssh/authorized_keys /etc/ssh/keys/%u %h/.hidden\nMatch User admin\n  PasswordAuthentication yes\n");
  fake.root->file("/home/admin/.ssh/authorized_keys", "ssh-ed25519 AAAA a\n");
  fake.root->file("/home/admin/.hidden", "ssh-ed25519 AAAA b\n");
  fake.root->file("/etc/ssh/keys/root", "ssh-ed25519 AAAA c\n");
  fake.start();
  const auto files = authorized_keys_files({*fake.machine, fake.facts, fake.anomalies});
  ICECORE_ASSERT_OK(files);
  std::vector<std::string> seen;
  for (const auto& file : *files) seen.push_back(file.user + " " + file.file.path);
  EXPECT_THAT(seen,
              ::testing::UnorderedElementsAre("root /etc/ssh/keys/root", "admin /home/admin/.ssh/authorized_keys", "admin /home/admin/.hidden"));
  const auto settings = parse_sshd_config("Port=22\nMatch User admin\nPasswordAuthentication yes\n");
  ASSERT_EQ(settings.size(), 2U);
  EXPECT_EQ(settings[0].key, "port");
  EXPECT_EQ(settings[0].value, "22");
  EXPECT_EQ(settings[1].match, "User admin");
}

}  // namespace
}  // namespace icecore::artefact
