// Journals made by systemd-journal-remote and read by journalctl: the oracle for every field of every entry.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <lz4.h>
#include <map>
#include <random>

#include "artefact/journal.h"
#include "artefact/journal_file.h"
#include "artefact/journal_format.h"
#include "artefact/journal_payload.h"
#include "core/file.h"
#include "core/json.h"
#include "core/text.h"
#include "support/fake_machine.h"

namespace icecore::artefact {
namespace {

constexpr int kEntries = 300;

std::string export_stream() {
  std::string text;
  for (int i = 0; i < kEntries; ++i) {
    const std::string message =
        i % 10 == 0 ? std::string(static_cast<std::size_t>(3000 + i), static_cast<char>('a' + i % 26)) : fmt::format("message {}", i);
    text += fmt::format(
        "__REALTIME_TIMESTAMP={}\n__MONOTONIC_TIMESTAMP={}\n_BOOT_ID=0123456789abcdef0123456789abcdef\n_HOSTNAME=ip-10-0-2-37\nSYSLOG_IDENTIFIER="
        "sshd\n"
        "_PID={}\nPRIORITY=6\n_UID=0\nMESSAGE={}\n\n",
        1764000000000000 + i * 1000003L, 1000 + i, 700 + i % 7, message);
  }
  return text;
}

std::string make_journal(const std::string& environment, const std::string& options) {
  const test::ScratchFolder scratch;
  EXPECT_TRUE(write_file_atomically(scratch / "export", export_stream()));
  test::run_ok(fmt::format("{} /lib/systemd/systemd-journal-remote --split-mode=none {} -o {} {} 2>/dev/null", environment, options,
                           (scratch / "system.journal").string(), (scratch / "export").string()));
  return read_text_file(scratch / "system.journal").value();
}

using FieldsOfEntry = std::multimap<std::string, std::string>;

std::vector<FieldsOfEntry> by_journalctl(const std::string& journal) {
  const test::ScratchFolder scratch;
  EXPECT_TRUE(write_file_atomically(scratch / "x.journal", journal));
  const std::string output = test::run("journalctl -o json --all --file " + (scratch / "x.journal").string() + " 2>/dev/null").output;
  std::vector<FieldsOfEntry> entries;
  for (const std::string_view line : split_lines(output)) {
    const auto json = parse_json(line, "journalctl");
    if (!json) continue;
    FieldsOfEntry fields;
    for (const auto& [name, value] : json->items())
      if (name != "__CURSOR" && value.is_string()) fields.emplace(name, value.get<std::string>());
    entries.push_back(std::move(fields));
  }
  return entries;
}

struct Ours {
  std::vector<FieldsOfEntry> entries;
  JournalSummary summary;
  Anomalies anomalies;
};

void read_ours(const std::string& journal, Ours& ours) {
  MemoryAccess source(as_bytes(journal));
  const auto summary = read_journal(
      source, "test",
      [&](const JournalEntry& entry) -> Result<void> {
        FieldsOfEntry fields{{"__REALTIME_TIMESTAMP", std::to_string(entry.time.microseconds())},
                             {"__MONOTONIC_TIMESTAMP", std::to_string(entry.monotonic_us)},
                             {"_BOOT_ID", entry.boot_id}};
        for (const JournalField& field : entry.fields)
          if (field.name != "_BOOT_ID") fields.emplace(field.name, field.value);
        ours.entries.push_back(std::move(fields));
        return {};
      },
      ours.anomalies);
  ICECORE_ASSERT_OK(summary);
  ours.summary = *summary;
}

class Forms : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(Forms, EveryFieldIsWhatJournalctlPrints) {
  const std::string journal = make_journal(GetParam().first, GetParam().second);
  const auto theirs = by_journalctl(journal);
  ASSERT_EQ(theirs.size(), static_cast<std::size_t>(kEntries));
  Ours ours;
  read_ours(journal, ours);
  EXPECT_EQ(ours.entries, theirs);
  EXPECT_EQ(ours.anomalies.count(), 0U);
  EXPECT_EQ(ours.summary.declared, ours.summary.entries);
}

INSTANTIATE_TEST_SUITE_P(Journal, Forms,
                         ::testing::Values(std::pair{"SYSTEMD_JOURNAL_COMPACT=1", "--compress=yes"},
                                           std::pair{"SYSTEMD_JOURNAL_COMPACT=1", "--compress=no"},
                                           std::pair{"SYSTEMD_JOURNAL_COMPACT=0", "--compress=yes"},
                                           std::pair{"SYSTEMD_JOURNAL_COMPACT=0 SYSTEMD_JOURNAL_KEYED_HASH=0", "--compress=no"}));

// Offsets of all objects of a type, by the format's own chain.
std::vector<std::size_t> objects_of(const std::string& journal, journal::ObjectType type) {
  std::vector<std::size_t> found;
  const ByteView bytes = as_bytes(journal);
  std::uint64_t at = load_le<std::uint64_t>(bytes, journal::header::kHeaderSize);
  const std::uint64_t tail = load_le<std::uint64_t>(bytes, journal::header::kTailObject);
  while (at <= tail) {
    if (bytes[at] == static_cast<std::byte>(type)) found.push_back(at);
    at += journal::align(load_le<std::uint64_t>(bytes, at + 8));
  }
  return found;
}

TEST(Journal, OneCorruptEntryCostsOneEntry) {
  const std::string good = make_journal("SYSTEMD_JOURNAL_COMPACT=1", "--compress=yes");
  const auto entries = objects_of(good, journal::ObjectType::kEntry);
  ASSERT_EQ(entries.size(), static_cast<std::size_t>(kEntries));
  struct Damage {
    const char* what;
    std::size_t offset, length;
    char value;
  };
  // Type, size, time, and all references of the 101st entry.
  for (const Damage& damage : {Damage{"type", 0, 1, 0x55}, Damage{"size", 8, 8, '\x7f'}, Damage{"reserved", 4, 1, 1}, Damage{"time", 24, 8, '\xff'},
                               Damage{"items", 64, 28, '\xf1'}, Damage{"zeros", 0, 64, 0}}) {
    std::string bad = good;
    bad.replace(entries[100] + damage.offset, damage.length, damage.length, damage.value);
    Ours ours;
    read_ours(bad, ours);
    EXPECT_EQ(ours.entries.size(), static_cast<std::size_t>(kEntries - 1)) << damage.what;
    EXPECT_GE(ours.anomalies.count(), 1U) << damage.what;
    EXPECT_EQ(ours.entries.back().find("MESSAGE")->second, "message 299") << damage.what;
    EXPECT_EQ(ours.entries.front().find("SYSLOG_IDENTIFIER")->second, "sshd") << damage.what;
  }
}

TEST(Journal, ADamagedFieldCostsThatFieldOnly) {
  const std::string good = make_journal("SYSTEMD_JOURNAL_COMPACT=1", "--compress=yes");
  const std::size_t text = good.find("MESSAGE=message 123");
  ASSERT_NE(text, std::string::npos);
  std::string edited = good;
  edited.replace(text, 19, "MESSAGE=message 999");  // an editor who knows the format a little
  Ours ours;
  read_ours(edited, ours);
  EXPECT_EQ(ours.entries.size(), static_cast<std::size_t>(kEntries));
  ASSERT_EQ(ours.anomalies.count(), 1U);
  EXPECT_NE(ours.anomalies.list()[0].error.message.find("does not match its hash"), std::string::npos);

  std::size_t packed = 0;  // a zstd frame
  for (const std::size_t at : objects_of(good, journal::ObjectType::kData))
    if (good[at + 1] == static_cast<char>(journal::kObjectZstd)) packed = at;
  ASSERT_NE(packed, 0U);
  std::string broken = good;
  broken.replace(packed + journal::kDataPayloadCompact, 6, 6, '\0');
  Ours second;
  read_ours(broken, second);
  EXPECT_EQ(second.entries.size(), static_cast<std::size_t>(kEntries));
  EXPECT_EQ(second.anomalies.count(), 1U);
}

TEST(Journal, ALostPageAndACutFileLeaveTheRest) {
  const std::string good = make_journal("SYSTEMD_JOURNAL_COMPACT=0", "--compress=no");
  const auto entries = objects_of(good, journal::ObjectType::kEntry);
  std::string holed = good;
  const std::size_t page = entries[150] / 4096 * 4096;
  holed.replace(page, 4096, 4096, '\0');
  Ours ours;
  read_ours(holed, ours);
  EXPECT_GT(ours.entries.size(), 270U);
  EXPECT_EQ(ours.entries.back().find("MESSAGE")->second, "message 299");
  Ours cut;
  read_ours(good.substr(0, entries[200]), cut);
  EXPECT_EQ(cut.entries.size(), 200U);
  EXPECT_GE(cut.anomalies.count(), 1U);
}

TEST(Journal, NoDamageMakesItHangOrCrash) {
  const std::string good = make_journal("SYSTEMD_JOURNAL_COMPACT=1", "--compress=yes");
  std::mt19937 random(20261124);
  for (int round = 0; round < 60; ++round) {
    std::string bad = good.substr(0, good.size() / 16);
    for (int i = 0; i < 200; ++i) bad[random() % bad.size()] = static_cast<char>(random());
    MemoryAccess source(as_bytes(bad));
    Anomalies anomalies;
    (void)read_journal(
        source, "x", [](const JournalEntry&) -> Result<void> { return {}; }, anomalies);
  }
}

TEST(Journal, UnpacksXzAndLz4) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += fmt::format("{} ", i);
  const test::ScratchFolder scratch;
  ICECORE_ASSERT_OK(write_file_atomically(scratch / "x", text));
  test::run_ok("xz -k " + (scratch / "x").string());
  const std::string xz = read_text_file(scratch / "x.xz").value();
  EXPECT_EQ(journal::unpack(as_bytes(xz), journal::kObjectXz, 1 << 20).value(), text);
  EXPECT_EQ(journal::unpack(as_bytes(xz), journal::kObjectXz, 100).value(), text.substr(0, 100));
  ICECORE_EXPECT_CODE(journal::unpack(as_bytes(xz).first(xz.size() / 2), journal::kObjectXz, 1 << 20), Code::kCorrupt);
  std::string lz4(8 + static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(text.size()))), '\0');
  const std::uint64_t size = text.size();
  std::memcpy(lz4.data(), &size, 8);
  const int packed = LZ4_compress_default(text.data(), lz4.data() + 8, static_cast<int>(text.size()), static_cast<int>(lz4.size() - 8));
  lz4.resize(8 + static_cast<std::size_t>(packed));
  EXPECT_EQ(journal::unpack(as_bytes(lz4), journal::kObjectLz4, 1 << 20).value(), text);
  EXPECT_EQ(journal::unpack(as_bytes(lz4), journal::kObjectLz4, 100).value(), text.substr(0, 100));
}

TEST(Journal, EntriesBecomeEventsWithTheirPlace) {
  test::FakeMachine fake;
  const std::string journal = make_journal("SYSTEMD_JOURNAL_COMPACT=1", "--compress=yes");
  fake.root->file("/var/log/journal/0123456789abcdef0123456789abcdef/system.journal", journal);
  fake.root->file("/var/log/journal/0123456789abcdef0123456789abcdef/user-1000.journal", "no journal");
  fake.start();
  EventList events;
  ICECORE_ASSERT_OK(collect_journal({*fake.machine, fake.facts, fake.anomalies}, events));
  ASSERT_EQ(events.events.size(), static_cast<std::size_t>(kEntries));
  const Event& event = events.events[1];
  EXPECT_EQ(event.data_type, "systemd:journal");
  EXPECT_EQ(event.message, "sshd[701]: message 1");
  EXPECT_EQ(to_iso8601(event.time, 6), "2025-11-24T16:00:01.000003Z");
  EXPECT_EQ(event.where.offset, objects_of(journal, journal::ObjectType::kEntry)[1]);
  EXPECT_EQ(fake.anomalies.count(), 1U);  // the file that is none
}

}  // namespace
}  // namespace icecore::artefact
