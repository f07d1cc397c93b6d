// A case with a bit of everything, made through the public interface, and a clock that the test moves.
#pragma once

#include <atomic>

#include "evidence/case_folder.h"
#include "support/support.h"

namespace icecore::evidence::test {

class FakeClock : public Clock {
 public:
  Timestamp now() const override { return Timestamp::from_microseconds(us_ += 1000); }
  void sleep_for(std::int64_t milliseconds) const override { us_ += milliseconds * 1000; }

 private:
  mutable std::atomic<std::int64_t> us_{1'790'000'000'000'000};
};

inline RunIdentity run_identity(const std::string& run = "run-1") { return {run, "root", "bench", "0.1.0", "icecore test"}; }

class CaseTest : public ::testing::Test {
 protected:
  icecore::test::ScratchFolder scratch;
  FakeClock clock;
  Path folder = scratch / "case";
  SigningKey key = SigningKey::load_or_create(scratch / "key.pem").value();
  const CaseBinding binding{"123456789012", "eu-central-1", {"i-0123456789abcdef0"}};

  std::unique_ptr<CaseFolder> open(const std::string& run = "run-1") {
    auto opened = CaseFolder::open_or_create(folder, binding, run_identity(run), clock);
    EXPECT_TRUE(opened.has_value()) << to_string(opened.error());
    return std::move(opened).value();
  }

  void fill(CaseFolder& work) {
    const auto act = work.ledger().intend({{"act", "aws-call"}, {"service", "ec2"}, {"operation", "CreateSnapshots"}});
    ASSERT_TRUE(act.has_value());
    ASSERT_TRUE(work.ledger()
                    .conclude(*act, {{"ok", true},
                                     {"request_id", "6f1c"},
                                     {"created", Json::array({{{"kind", "snapshot"}, {"id", "snap-01"}, {"evidence", true}}})}})
                    .has_value());
    for (const std::string name : {"instances/i-0123456789abcdef0/describe-instances.xml", "instances/i-0123456789abcdef0/console-output.txt",
                                   "cloudtrail/events.jsonl", "analysis/findings.json", "analysis/with\\backslash and\nnewline"})
      ASSERT_TRUE(work.write_evidence(name, "content of " + name + std::string(2000, '.'), "a test").has_value()) << name;
    ASSERT_TRUE(work.ledger().note({{"note", "a note"}}).has_value());
  }

  /// A finished case of two runs.
  void make_case() {
    auto work = open("run-1");
    fill(*work);
    ASSERT_TRUE(work->sign_checkpoint(key).has_value());
    ASSERT_TRUE(work->finish_run(key, {.ok = true, .summary = "first", .known_hashes = {}, .left_out = {}}).has_value());
    work.reset();
    work = open("run-2");
    ASSERT_TRUE(work->write_evidence("report/report.html", "<html></html>", "a test", Existing::kReplace).has_value());
    ASSERT_TRUE(work->finish_run(key, {.ok = true, .summary = "second", .known_hashes = {}, .left_out = {}}).has_value());
  }
};

}  // namespace icecore::evidence::test
