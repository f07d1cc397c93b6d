// The case folder: its identity, its lock, what it takes and refuses, and what the next run makes of one that was killed.
#include "evidence/case_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <random>

#include "case_fixture.h"
#include "evidence/verify.h"

namespace icecore::evidence::test {
namespace {

using icecore::test::run_ok;

TEST_F(CaseTest, IsPrivateAndKnowsWhatItBelongsTo) {
  const auto work = open();
  EXPECT_EQ(run_ok("stat -c %a " + folder.string()), "700\n");
  EXPECT_EQ(run_ok("find " + folder.string() + " -type f ! -perm 600"), "");
  EXPECT_EQ(run_ok("jq -r .account+.region+.instances[0] " + (folder / "case.json").string()), "123456789012eu-central-1i-0123456789abcdef0\n");
}

TEST_F(CaseTest, SecondRunIsRefusedWithTheHoldersPid) {
  const auto work = open();
  const auto second = CaseFolder::open(folder, run_identity("run-2"), clock);
  ICECORE_EXPECT_CODE(second, Code::kBusy);
  EXPECT_NE(second.error().message.find("process " + std::to_string(::getpid())), std::string::npos) << second.error().message;
}

TEST_F(CaseTest, AnotherAccountOrRegionIsAConflictAndLeavesTheCaseFinished) {
  make_case();
  ICECORE_EXPECT_CODE(CaseFolder::open_or_create(folder, {"999999999999", "", {}}, run_identity(), clock), Code::kConflict);
  ICECORE_EXPECT_CODE(CaseFolder::open_or_create(folder, {"", "us-east-1", {}}, run_identity(), clock), Code::kConflict);
  run_ok("cd " + folder.string() + " && sha256sum --quiet --strict -c MANIFEST.sha256");
}

TEST_F(CaseTest, BindsWhatIsLearntLater) {
  auto opened = CaseFolder::open_or_create(folder, {}, run_identity(), clock);
  ICECORE_ASSERT_OK(opened);
  ICECORE_ASSERT_OK((*opened)->bind(binding));
  ICECORE_ASSERT_OK((*opened)->bind({"", "", {"i-2"}}));
  ICECORE_EXPECT_CODE((*opened)->bind({"999999999999", "", {}}), Code::kConflict);
  opened->reset();
  EXPECT_EQ(open()->identity().binding.instances.size(), 2U);
}

TEST_F(CaseTest, AFolderOfOtherThingsIsNoCase) {
  run_ok("mkdir -p " + folder.string() + " && touch " + (folder / "holiday.jpg").string());
  ICECORE_EXPECT_CODE(CaseFolder::open_or_create(folder, binding, run_identity(), clock), Code::kConflict);
  ICECORE_EXPECT_CODE(CaseFolder::open(folder, run_identity(), clock), Code::kNotFound);
  EXPECT_EQ(run_ok("ls -A " + folder.string()), "holiday.jpg\n");
}

TEST_F(CaseTest, NothingLeavesTheCase) {
  const auto work = open();
  for (const std::string path : {"/etc/passwd", "../x", "a/../../x", "a//b", ".", "", "a/./b", "ledger.jsonl", "MANIFEST.sha256", ".lock", "x.tmp"})
    ICECORE_EXPECT_CODE(work->write_evidence(path, "x", "a test"), Code::kInvalidArgument);
  ICECORE_EXPECT_CODE(work->write_evidence(std::string("a\0b", 3), "x", "a test"), Code::kInvalidArgument);
  ICECORE_EXPECT_CODE(work->write_evidence("a\xff", "x", "a test"), Code::kInvalidArgument);
  run_ok("ln -s /etc " + (folder / "link").string() + " && ln -s /etc/passwd " + (folder / "passwd").string());
  ICECORE_EXPECT_CODE(work->write_evidence("link/x", "x", "a test"), Code::kConflict);
  ICECORE_EXPECT_CODE(work->read("link/passwd"), Code::kConflict);
  ICECORE_EXPECT_CODE(work->read("passwd"), Code::kConflict);
  ICECORE_EXPECT_CODE(work->read("../key.pem"), Code::kInvalidArgument);
}

TEST_F(CaseTest, EvidenceIsWrittenOnceAndResultsAgain) {
  const auto work = open();
  const auto first = work->write_evidence("instances/i-1/user-data", "one", "a test");
  ICECORE_ASSERT_OK(first);
  EXPECT_EQ(first->sha256, run_ok("printf one | sha256sum").substr(0, 64));
  const std::uint64_t lines = work->ledger().summary().count();
  ICECORE_ASSERT_OK(work->write_evidence("instances/i-1/user-data", "one", "a test"));
  EXPECT_EQ(work->ledger().summary().count(), lines) << "equal bytes are not written twice";
  ICECORE_EXPECT_CODE(work->write_evidence("instances/i-1/user-data", "two", "a test"), Code::kConflict);
  EXPECT_EQ(work->read("instances/i-1/user-data").value(), "one");
  ICECORE_ASSERT_OK(work->write_evidence("analysis/findings.json", "one", "a test", Existing::kReplace));
  ICECORE_ASSERT_OK(work->write_evidence("analysis/findings.json", "two", "a test", Existing::kReplace));
  EXPECT_EQ(work->read("analysis/findings.json").value(), "two");
}

TEST_F(CaseTest, ContentInPiecesAppearsWholeOrNotAtAll) {
  const auto work = open();
  {
    auto writer = work->begin_evidence("analysis/timeline.jsonl", "a test");
    ICECORE_ASSERT_OK(writer);
    ICECORE_ASSERT_OK((*writer)->write("lost"));
  }
  EXPECT_EQ(run_ok("ls " + (folder / "analysis").string()), "");
  auto writer = work->begin_evidence("analysis/timeline.jsonl", "a test");
  std::string all;
  for (int i = 0; i < 50'000; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    all += line;
    ASSERT_TRUE((*writer)->write(line).has_value());
  }
  const auto record = (*writer)->commit();
  ICECORE_ASSERT_OK(record);
  EXPECT_EQ(record->size, all.size());
  EXPECT_EQ(work->read("analysis/timeline.jsonl").value(), all);
  EXPECT_EQ(run_ok("sha256sum < " + (folder / "analysis/timeline.jsonl").string()).substr(0, 64), record->sha256);
}

TEST_F(CaseTest, ManifestPassesSha256sumWithNoIcecoreAtHand) {
  make_case();
  const std::string output = run_ok("cd " + folder.string() + " && sha256sum --strict -c MANIFEST.sha256");
  const auto listed = std::count(output.begin(), output.end(), '\n');
  const std::string files =
      run_ok("cd " + folder.string() + " && find . -type f ! -name .lock ! -name MANIFEST.sha256 ! -name manifest.dsse.json -printf x | wc -c");
  EXPECT_EQ(std::to_string(listed) + "\n", files);
  run_ok("printf x >> " + (folder / "cloudtrail/events.jsonl").string());
  EXPECT_NE(icecore::test::run("cd " + folder.string() + " && sha256sum --quiet -c MANIFEST.sha256 2>/dev/null").exit_code, 0);
}

TEST_F(CaseTest, ARunningCaseHasNoManifest) {
  make_case();
  const auto work = open("run-3");
  EXPECT_FALSE(std::filesystem::exists(folder / "MANIFEST.sha256"));
}

// Children fill the case and are killed at random moments; whatever they leave verifies, and the last one finishes.
TEST_F(CaseTest, SurvivesSigkillAtAnyMoment) {
  std::mt19937_64 engine(11);
  for (int round = 0; round < 30; ++round) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const std::string name = "run-" + std::to_string(round);
      auto work = CaseFolder::open_or_create(folder, binding, run_identity(name), clock);
      if (!work) ::_exit(1);
      for (int i = 0;; ++i) {
        if (!(*work)->write_evidence("instances/" + std::to_string(i), std::string(3000, 'e'), "a test")) ::_exit(2);
        if (!(*work)->write_evidence("analysis/findings.json", name + std::to_string(i), "a test", Existing::kReplace)) ::_exit(3);
        if (i % 3 == 2 && !(*work)->sign_checkpoint(key)) ::_exit(4);
      }
    }
    ::usleep(static_cast<useconds_t>(1000 + engine() % 60'000));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child failed by itself: " << WEXITSTATUS(status);
    if (!std::filesystem::exists(folder / "ledger.jsonl")) continue;
    const auto report = verify_case(folder);
    if (!report && report.error().code == Code::kNotFound) continue;
    ICECORE_ASSERT_OK(report);
    for (const Problem& problem : report->problems)
      if (problem.kind != "torn" && report->entries > 0) ADD_FAILURE() << to_string(problem) << " in round " << round;
  }
  {
    const auto work = open("run-last");
    ICECORE_ASSERT_OK(work->finish_run(key, {.ok = true, .summary = "done", .known_hashes = {}, .left_out = {}}));
  }
  const auto report = verify_case(folder);
  ICECORE_ASSERT_OK(report);
  for (const Problem& problem : report->problems) ADD_FAILURE() << to_string(problem);
  run_ok("cd " + folder.string() + " && sha256sum --quiet --strict -c MANIFEST.sha256");
}

}  // namespace
}  // namespace icecore::evidence::test
