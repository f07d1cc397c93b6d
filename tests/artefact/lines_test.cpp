#include "artefact/lines.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "artefact/gzip.h"
#include "core/file.h"
#include "support/fake_machine.h"

namespace icecore::artefact {
namespace {

using ::testing::ElementsAre;

std::string gzipped(const std::string& text) {
  const test::ScratchFolder scratch;
  EXPECT_TRUE(write_file_atomically(scratch / "x", text));
  test::run_ok("gzip -k " + (scratch / "x").string());
  return read_text_file(scratch / "x.gz").value();
}

struct Seen {
  std::vector<std::string> texts;
  std::vector<std::uint64_t> offsets;
  LineVisitor visitor() {
    return [this](const Line& line) -> Result<void> {
      texts.emplace_back(line.text);
      offsets.push_back(line.offset);
      return {};
    };
  }
};

TEST(Lines, KnowsWhereEachBegins) {
  Seen seen;
  ICECORE_ASSERT_OK(for_each_line("one\n\nthree", seen.visitor()));
  EXPECT_THAT(seen.texts, ElementsAre("one", "", "three"));
  EXPECT_THAT(seen.offsets, ElementsAre(0, 4, 5));
}

TEST(Lines, AFileIsCutAtNoChunk) {
  std::string text;
  for (int i = 0; i < 60'000; ++i) text += fmt::format("line {} {}\n", i, std::string(static_cast<std::size_t>(i % 40), 'x'));
  test::FakeMachine fake;
  fake.root->file("/var/log/plain", text);
  fake.root->file("/var/log/packed.gz", gzipped(text) + gzipped("after\n"));  // members one after the other, as logrotate's copy makes them
  fake.start();
  Seen memory, plain, packed;
  ICECORE_ASSERT_OK(for_each_line(text, memory.visitor()));
  ICECORE_ASSERT_OK(for_each_line(*fake.machine, *fake.machine->resolve("/var/log/plain"), plain.visitor()));
  ICECORE_ASSERT_OK(for_each_line(*fake.machine, *fake.machine->resolve("/var/log/packed.gz"), packed.visitor()));
  EXPECT_EQ(plain.texts, memory.texts);
  EXPECT_EQ(plain.offsets, memory.offsets);
  ASSERT_EQ(packed.texts.size(), memory.texts.size() + 1);
  EXPECT_EQ(packed.texts.back(), "after");
  EXPECT_EQ(fake.anomalies.count(), 0U);
}

TEST(Lines, ADamagedGzipGivesWhatCameBefore) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += fmt::format("{}\n", i * 7919);
  std::string packed = gzipped(text);
  test::FakeMachine fake;
  fake.root->file("/var/log/cut.gz", packed.substr(0, packed.size() / 2));
  packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 0x55);
  fake.root->file("/var/log/flipped.gz", packed);
  fake.start();
  for (const std::string name : {"/var/log/cut.gz", "/var/log/flipped.gz"}) {
    Seen seen;
    ICECORE_ASSERT_OK(for_each_line(*fake.machine, *fake.machine->resolve(name), seen.visitor()));
    ASSERT_GT(seen.texts.size(), 10'000U) << name;
    EXPECT_EQ(seen.texts[5000], "39595000");
  }
  EXPECT_EQ(fake.anomalies.count(), 2U);
}

TEST(Lines, AVeryLongLineIsCutAndTheNextIsWhole) {
  test::FakeMachine fake;
  fake.root->file("/var/log/long", std::string(1'000'000, 'a') + "\nnext\n");
  fake.start();
  Seen seen;
  ICECORE_ASSERT_OK(for_each_line(*fake.machine, *fake.machine->resolve("/var/log/long"), seen.visitor()));
  ASSERT_EQ(seen.texts.size(), 2U);
  EXPECT_EQ(seen.texts[0].size(), kLongestLine);
  EXPECT_EQ(seen.texts[1], "next");
  EXPECT_EQ(seen.offsets[1], 1'000'001U);
}

TEST(Gzip, ABombStaysBounded) {
  const std::string bomb = gzipped(std::string(64 << 20, '\0'));
  ASSERT_LT(bomb.size(), 100'000U);
  const Unpacked unpacked = gunzip(as_bytes(bomb), 1 << 20);
  EXPECT_EQ(unpacked.text.size(), 1U << 20);
  EXPECT_FALSE(unpacked.complete);
}

TEST(LogFamily, OldestFirst) {
  test::FakeMachine fake;
  for (const std::string name : {"auth.log", "auth.log.1", "auth.log.2.gz", "auth.log.10.gz", "auth.logger", "auth.log.old", "dated.log-20261101.gz",
                                 "dated.log-20261108", "dated.log", "packed.log.1.xz"})
    fake.root->file("/var/log/" + name, "x");
  fake.start();
  const auto names = [&](std::string_view pattern) {
    std::vector<std::string> found;
    const auto family = log_family(*fake.machine, pattern);
    for (const LogFile& log : *family) found.push_back(log.file.path.substr(9) + "|" + log.rotation);
    return found;
  };
  EXPECT_THAT(names("/var/log/auth.log"), ElementsAre("auth.log.10.gz|10.gz", "auth.log.2.gz|2.gz", "auth.log.1|1", "auth.log|"));
  EXPECT_THAT(names("/var/log/dated.log"), ElementsAre("dated.log-20261101.gz|20261101.gz", "dated.log-20261108|20261108", "dated.log|"));
  EXPECT_TRUE(names("/var/log/packed.log").empty());
  EXPECT_EQ(fake.anomalies.count(), 1U);  // .xz is said to be unread
}

}  // namespace
}  // namespace icecore::artefact
