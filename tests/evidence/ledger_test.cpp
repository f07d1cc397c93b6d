// The ledger: what was acknowledged is there after any death, what is not as it was is named, and many threads write one chain.
#include "evidence/ledger.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <random>
#include <thread>

#include "case_fixture.h"
#include "core/text.h"
#include "support/support.h"

namespace icecore::evidence::test {
namespace {

using icecore::test::run_ok;

class LedgerTest : public ::testing::Test {
 protected:
  icecore::test::ScratchFolder scratch;
  FakeClock clock;
  Path file = scratch / "ledger.jsonl";

  std::unique_ptr<Ledger> open(const std::string& run = "run-1") {
    auto ledger = Ledger::open(file, run_identity(run), clock);
    EXPECT_TRUE(ledger.has_value()) << to_string(ledger.error());
    return ledger ? std::move(*ledger) : nullptr;
  }
  std::string text() const { return read_text_file(file).value(); }
  void put(std::string_view content) const { ASSERT_TRUE(write_file_atomically(file, content).has_value()); }
  Result<LedgerTail> read() const {
    return read_ledger(file, [](const Entry&, std::uint64_t) { return Result<void>(); });
  }
  void ten_lines() {
    const auto ledger = open();
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(ledger->conclude(ledger->intend({{"act", "test"}, {"i", i}}).value(), {{"ok", true}}).has_value());
  }
};

TEST_F(LedgerTest, RemembersWhatItWasTold) {
  {
    const auto ledger = open();
    const auto first = ledger->intend({{"act", "aws-call"}, {"operation", "CreateSnapshots"}});
    const auto second = ledger->intend({{"act", "aws-call"}, {"operation", "CreateVolume"}});
    ICECORE_ASSERT_OK(ledger->conclude(
        *first, {{"ok", true}, {"request_id", "1f0"}, {"created", Json::array({{{"kind", "snapshot"}, {"id", "snap-1"}, {"evidence", true}}})}}));
    ICECORE_ASSERT_OK(second);
  }
  const LedgerSummary summary = open("run-2")->summary();
  EXPECT_EQ(summary.count(), 3U);
  ASSERT_EQ(summary.open_intents().size(), 1U);
  EXPECT_EQ(text_at(summary.open_intents()[0].body, "operation"), "CreateVolume");
  ASSERT_EQ(summary.resources().size(), 1U);
  EXPECT_EQ(summary.resources()[0].id, "snap-1");
  EXPECT_TRUE(summary.resources()[0].evidence);
  EXPECT_TRUE(summary.requests().contains("1f0"));
}

// The chain checked by the shell alone, as docs/ledger.md says.
TEST_F(LedgerTest, ChainCanBeCheckedWithSedAndSha256sum) {
  ten_lines();
  const std::string script =
      "prev=$(printf '0%.0s' $(seq 64)); while IFS= read -r line; do "
      "sum=$(printf '%s' \"$line\" | sed 's/,\"sha256\":\"[0-9a-f]*\"}$//' | tr -d '\\n' | sha256sum | cut -c1-64); "
      "case $line in *'\"prev\":\"'$prev'\"'*'\"sha256\":\"'$sum'\"}') prev=$sum;; *) exit 1;; esac; done < " +
      file.string();
  ASSERT_TRUE(write_file_atomically(scratch / "check.sh", script).has_value());
  run_ok("sh " + (scratch / "check.sh").string());
}

TEST_F(LedgerTest, AnyChangedByteIsFoundInItsLine) {
  ten_lines();
  const std::string good = text();
  std::mt19937_64 engine(1);
  for (int i = 0; i < 400; ++i) {
    std::string bad = good;
    const std::size_t at = engine() % bad.size();
    bad[at] = static_cast<char>(bad[at] ^ (1 << (engine() % 8)));
    put(bad);
    const auto line = 1 + std::count(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    const auto result = read();
    if (at + 1 == good.size()) {
      EXPECT_TRUE(!result || !result->bytes.empty());  // the last newline: a torn line
      continue;
    }
    ASSERT_FALSE(result.has_value()) << "byte " << at;
    EXPECT_EQ(result.error().code, Code::kIntegrity);
    EXPECT_NE(result.error().message.find("line " + std::to_string(line) + ":"), std::string::npos) << result.error().message << " byte " << at;
  }
}

TEST_F(LedgerTest, RemovedAddedAndMovedLinesAreFound) {
  ten_lines();
  const std::string good = text();
  std::vector<std::string> lines;
  for (const auto line : split_lines(good)) lines.emplace_back(line);
  const auto check = [&](const std::vector<std::string>& changed, std::size_t line) {
    std::string bad;
    for (const std::string& one : changed) bad += one + "\n";
    put(bad);
    const auto result = read();
    ICECORE_EXPECT_CODE(result, Code::kIntegrity);
    EXPECT_NE(result.error().message.find("line " + std::to_string(line) + ":"), std::string::npos) << result.error().message;
  };
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    auto removed = lines;
    removed.erase(removed.begin() + static_cast<std::ptrdiff_t>(i));
    check(removed, i + 1);
    auto doubled = lines;
    doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(i), lines[i]);
    check(doubled, i + 2);
    auto moved = lines;
    std::swap(moved[i], moved[i + 1]);
    check(moved, i + 1);
  }
}

TEST_F(LedgerTest, TornLastLineIsSetAsideInANoteAndNothingElseIsLost) {
  ten_lines();
  const std::string good = text();
  const std::size_t last = good.rfind('\n', good.size() - 2) + 1;
  for (const std::size_t cut : {last + 1, last + 40, good.size() - 1}) {
    put(good.substr(0, cut));
    const auto ledger = open("run-2");
    ASSERT_NE(ledger, nullptr);
    EXPECT_EQ(ledger->summary().count(), 10U) << "nine lines and the note";
    std::vector<Entry> entries;
    ICECORE_ASSERT_OK(read_ledger(file, [&](const Entry& entry, std::uint64_t) {
      entries.push_back(entry);
      return Result<void>();
    }));
    EXPECT_EQ(text_at(entries.back().body, "note"), "torn-tail");
    EXPECT_EQ(as_text(from_base64(text_at(entries.back().body, "bytes_base64")).value()), good.substr(last, cut - last));
    EXPECT_EQ(text().substr(0, last), good.substr(0, last));
  }
  // As after a power loss: the length was kept, the bytes were not.
  put(good.substr(0, last) + std::string(700, '\0'));
  EXPECT_EQ(open("run-2")->summary().count(), 10U);
}

TEST_F(LedgerTest, RefusesToGoOnBehindABrokenLine) {
  ten_lines();
  std::string bad = text();
  bad[bad.size() / 2] ^= 1;
  put(bad);
  ICECORE_EXPECT_CODE(Ledger::open(file, run_identity(), clock), Code::kIntegrity);
  EXPECT_EQ(text(), bad) << "and changes nothing";
}

TEST_F(LedgerTest, ManyThreadsWriteOneChain) {
  const auto ledger = open();
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 50; ++i) {
          const auto act = ledger->intend({{"act", "test"}}, i % 5 == 0 ? Sync::kNow : Sync::kLater);
          EXPECT_TRUE(act.has_value());
          EXPECT_TRUE(ledger->conclude(*act, {{"ok", true}}, Sync::kLater).has_value());
        }
      });
  }
  ICECORE_ASSERT_OK(read());
  EXPECT_EQ(open("run-2")->summary().count(), 800U);
  EXPECT_TRUE(open("run-3")->summary().open_intents().empty());
}

TEST_F(LedgerTest, HostileTextIsKeptReadable) {
  {
    const auto ledger = open();
    ICECORE_ASSERT_OK(ledger->note({{"name", "\x1b[31m\xff\xfe\n\"\\"}, {"nested", Json::array({"\xc3"})}}));
    Json deep = 1;
    for (int i = 0; i < 100; ++i) deep = Json::array({deep});
    ICECORE_EXPECT_CODE(ledger->note({{"deep", deep}}), Code::kCorrupt);
    ICECORE_EXPECT_CODE(ledger->note({{"large", std::string(kMaximumLine, 'x')}}), Code::kInternal);
    ICECORE_ASSERT_OK(ledger->note({{"after", "refusals"}}));
  }
  ICECORE_ASSERT_OK(read());
  EXPECT_EQ(split_lines(text()).size(), 2U);
}

// A child writes and says over a pipe what was acknowledged; it is killed at a random moment.
TEST_F(LedgerTest, SurvivesSigkillAtAnyMoment) {
  std::mt19937_64 engine(3);
  std::uint64_t acknowledged_in_all = 0;
  for (int round = 0; round < 30; ++round) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(ends[0]);
      auto ledger = Ledger::open(file, run_identity("run-" + std::to_string(round)), clock);
      if (!ledger) ::_exit(1);
      for (;;) {
        const auto act = (*ledger)->intend({{"act", "test"}, {"padding", std::string(10'000, 'x')}}, Sync::kLater);
        if (!act || ::write(ends[1], &*act, sizeof *act) != sizeof *act) ::_exit(1);
      }
    }
    ::close(ends[1]);
    ::usleep(static_cast<useconds_t>(2000 + engine() % 15'000));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child failed by itself";
    std::uint64_t acknowledged = 0;
    std::uint64_t last = 0;
    while (::read(ends[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged) last = acknowledged;
    ::close(ends[0]);
    const auto ledger = open("after");
    ASSERT_NE(ledger, nullptr);
    EXPECT_GE(ledger->summary().count(), last);
    acknowledged_in_all += last;
  }
  EXPECT_GT(acknowledged_in_all, 0U);
  ICECORE_ASSERT_OK(read());
}

}  // namespace
}  // namespace icecore::evidence::test
