#include "artefact/utmp.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "artefact/lastlog.h"
#include "core/file.h"
#include "core/text.h"
#include "support/fake_machine.h"

namespace icecore::artefact {
namespace {

// As utmpdump prints it; utmpdump -r makes the binary file from the same text.
const std::string kDump =
    "[2] [00000] [~~  ] [reboot  ] [~           ] [6.1.0-41-cloud-amd64] [0.0.0.0        ] [2026-11-24T05:43:00,250000+00:00]\n"
    "[7] [04719] [ts/0] [admin   ] [pts/0       ] [203.0.113.66        ] [203.0.113.66   ] [2026-11-24T05:55:00,123456+00:00]\n"
    "[7] [04720] [ts/1] [six     ] [pts/1       ] [2001:db8::1         ] [2001:db8::1    ] [2026-11-24T05:56:00,000001+00:00]\n"
    "[8] [04719] [    ] [        ] [pts/0       ] [                    ] [0.0.0.0        ] [2026-11-24T06:19:00,000000+00:00]\n";

Bytes make(const test::ScratchFolder& scratch) {
  EXPECT_TRUE(write_file_atomically(scratch / "dump", kDump));
  test::run_ok(fmt::format("utmpdump -r < {} > {} 2>/dev/null", (scratch / "dump").string(), (scratch / "wtmp").string()));
  return read_file(scratch / "wtmp").value();
}

std::string dump_of(const UtmpRecord& r) {
  const std::string address = r.address.empty() ? "0.0.0.0" : r.address;
  const std::string time = to_iso8601(r.time, 6);
  return fmt::format("[{}] [{:05}] [{:<4}] [{:<8}] [{:<12}] [{:<20}] [{:<15}] [{},{}+00:00]\n", r.type, r.pid, r.id, r.user, r.line, r.host, address,
                     time.substr(0, 19), time.substr(20, 6));
}

TEST(Utmp, ReadsWhatUtmpdumpReads) {
  const test::ScratchFolder scratch;
  const Bytes bytes = make(scratch);
  ASSERT_EQ(bytes.size(), 4 * kUtmpSize);
  std::string ours;
  for (const UtmpRecord& record : parse_utmp(bytes)) ours += dump_of(record);
  EXPECT_EQ(ours, test::run_ok(fmt::format("utmpdump {} 2>/dev/null", (scratch / "wtmp").string())));
}

TEST(Utmp, LoginsAreEventsWithTheirPlaceInTheFile) {
  const test::ScratchFolder scratch;
  std::string bytes(as_text(make(scratch)));
  test::FakeMachine fake;
  fake.root->file("/var/log/btmp", bytes + "cut");
  fake.root->file("/var/log/wtmp.1", bytes);
  fake.start();
  EventList events;
  ICECORE_ASSERT_OK(collect_utmp({*fake.machine, fake.facts, fake.anomalies}, events));
  ASSERT_EQ(events.events.size(), 8U);
  const Event& login = events.events[1];
  EXPECT_EQ(login.description, "Login");
  EXPECT_EQ(login.field("rotation"), "1");
  EXPECT_EQ(login.field("ip"), "203.0.113.66");
  EXPECT_EQ(login.field("user"), "admin");
  EXPECT_EQ(login.where.path, "/var/log/wtmp.1");
  EXPECT_EQ(login.where.offset, kUtmpSize);
  const auto file = fake.machine->resolve("/var/log/wtmp.1");
  EXPECT_EQ(login.where.image_offset, fake.machine->content_extents(*file)->front().offset + kUtmpSize);
  EXPECT_EQ(events.events[5].description, "Failed Login");
  ASSERT_EQ(fake.anomalies.count(), 1U);  // the rest shorter than a record
  EXPECT_EQ(fake.anomalies.list()[0].kind, "utmp.record");
}

// struct lastlog as glibc's header on this machine lays it out.
TEST(Lastlog, ReadsWhatTheCompilersStructHolds) {
  const test::ScratchFolder scratch;
  ICECORE_ASSERT_OK(write_file_atomically(
      scratch / "make.c",
      "#include <lastlog.h>\n#include <stdio.h>\n#include <string.h>\nint main(void) { struct lastlog l; for (int u = 0; u < 3; ++u) {"
      "memset(&l, 0, sizeof l); if (u == 2) { l.ll_time = 1764000000; strcpy(l.ll_line, \"pts/0\"); strcpy(l.ll_host, \"203.0.113.66\"); }"
      "fwrite(&l, sizeof l, 1, stdout); } return 0; }\n"));
  test::run_ok(fmt::format("cd {} && cc make.c -o make && ./make > lastlog", scratch.path().string()));
  const std::string bytes = read_text_file(scratch / "lastlog").value();
  const auto records = parse_lastlog(as_bytes(bytes));
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].uid, 2U);
  EXPECT_EQ(records[0].time, (Timestamp{1764000000, 0}));
  EXPECT_EQ(records[0].terminal, "pts/0");
  EXPECT_EQ(records[0].host, "203.0.113.66");
}

}  // namespace
}  // namespace icecore::artefact
