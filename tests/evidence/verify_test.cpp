// `icecore verify`: whatever is changed, removed, added or moved in a case, anywhere, is found and its file named; a good case is good.
#include "evidence/verify.h"

#include <fcntl.h>
#include <algorithm>
#include <random>

#include "case_fixture.h"
#include "core/text.h"
#include "evidence/checkpoint.h"
#include "evidence/manifest.h"

namespace icecore::evidence::test {
namespace {

using icecore::test::run_ok;

class VerifyTest : public CaseTest {
 protected:
  void SetUp() override {
    make_case();
    run_ok("cp -a " + folder.string() + " " + good.string());
  }
  void restore() { run_ok("rm -rf " + folder.string() + " && cp -a " + good.string() + " " + folder.string()); }
  VerifyReport verify(const VerifyOptions& options = {}) {
    auto report = verify_case(folder, options);
    EXPECT_TRUE(report.has_value()) << to_string(report.error());
    return report.value_or(VerifyReport{});
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names = {std::string(kManifestFile), std::string(kManifestSignature)};
    const std::vector<CaseFile> listed = list_case(folder).value();
    for (const CaseFile& file : listed) names.push_back(file.path);
    return names;
  }
  void expect_found(const std::string& file, const std::string& what) {
    const VerifyReport report = verify();
    const bool named = std::ranges::any_of(report.problems, [&](const Problem& problem) { return problem.file == file; });
    std::string all;
    for (const Problem& problem : report.problems) all += to_string(problem) + "\n";
    EXPECT_TRUE(named) << what << " in " << file << " was not found:\n" << all;
  }
  void put(const std::string& name, std::string_view content) {
    const auto file = open_file(folder / name, O_WRONLY | O_TRUNC).value();
    ASSERT_TRUE(write_exactly(file.get(), as_bytes(content), 0, folder / name).has_value());
  }

  Path good = scratch / "good";
};

TEST_F(VerifyTest, AGoodCaseIsGood) {
  const VerifyReport report = verify();
  for (const Problem& problem : report.problems) ADD_FAILURE() << to_string(problem);
  EXPECT_TRUE(report.finished);
  EXPECT_EQ(report.checkpoints, 3U);
  EXPECT_EQ(report.files, files().size() - 2);
  VerifyOptions trusting;
  trusting.trusted_key = key.public_key().key_id();
  EXPECT_TRUE(verify(trusting).ok());
}

TEST_F(VerifyTest, AnyFlippedByteIsFoundAndItsFileNamed) {
  std::mt19937_64 engine(5);
  for (const std::string& name : files()) {
    const std::string content = read_text_file(folder / name).value();
    for (int i = 0; i < 12; ++i) {
      std::string bad = content;
      const std::size_t at = engine() % bad.size();
      bad[at] = static_cast<char>(bad[at] ^ (1 << (engine() % 8)));
      put(name, bad);
      expect_found(name, "byte " + std::to_string(at));
    }
    put(name, content);
  }
  EXPECT_TRUE(verify().ok());
}

TEST_F(VerifyTest, AnyInsertedOrDeletedPieceIsFound) {
  std::mt19937_64 engine(6);
  for (const std::string& name : files()) {
    const std::string content = read_text_file(folder / name).value();
    for (int i = 0; i < 8; ++i) {
      std::string bad = content;
      const std::size_t at = engine() % bad.size();
      if (i % 2 == 0)
        bad.erase(at, 1 + engine() % 20);
      else
        bad.insert(at, 1 + engine() % 20, i % 4 == 1 ? '\n' : ' ');
      put(name, bad);
      expect_found(name, "piece at " + std::to_string(at));
    }
    put(name, content + "\n");
    expect_found(name, "added newline");
    put(name, content);
  }
}

TEST_F(VerifyTest, AnyRemovedOrSwappedLineOfLedgerAndManifestIsFound) {
  for (const std::string name : {"ledger.jsonl", "MANIFEST.sha256"}) {
    const std::string content = read_text_file(folder / name).value();
    std::vector<std::string> lines;
    for (const auto line : split_lines(content)) lines.emplace_back(line);
    const auto write = [&](const std::vector<std::string>& changed) {
      std::string text;
      for (const std::string& line : changed) text += line + "\n";
      put(name, text);
    };
    for (std::size_t i = 0; i < lines.size(); ++i) {
      auto changed = lines;
      changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
      write(changed);
      expect_found(name, "removed line " + std::to_string(i + 1));
      changed = lines;
      std::swap(changed[i], changed[(i + 1) % lines.size()]);
      write(changed);
      expect_found(name, "swapped line " + std::to_string(i + 1));
    }
    put(name, content);
  }
}

TEST_F(VerifyTest, AnyRemovedFileIsFound) {
  for (const std::string& name : files()) {
    if (name == "ledger.jsonl") continue;
    std::filesystem::remove(folder / name);
    expect_found(name, "removal");
    restore();
  }
  std::filesystem::remove(folder / "ledger.jsonl");
  ICECORE_EXPECT_CODE(verify_case(folder), Code::kNotFound);
}

TEST_F(VerifyTest, AnythingAddedIsFound) {
  for (const std::string name : {"extra", "signatures/checkpoint-0009.dsse.json", "analysis/new\nline", "snapshots/snap-1/image.raw", "x.tmp"}) {
    std::filesystem::create_directories((folder / name).parent_path());
    ASSERT_TRUE(write_file_atomically(folder / name, "x").has_value());
    expect_found(name, "added file");
    restore();
  }
  run_ok("ln -s /etc/passwd " + (folder / "link").string());
  expect_found("link", "link");
  restore();
  run_ok("mkfifo " + (folder / "fifo").string());
  expect_found("fifo", "fifo");
  restore();
  std::filesystem::remove(folder / "cloudtrail/events.jsonl");
  run_ok("ln -s " + (good / "cloudtrail/events.jsonl").string() + " " + (folder / "cloudtrail/events.jsonl").string());
  expect_found("cloudtrail/events.jsonl", "file replaced by a link to its equal");
}

TEST_F(VerifyTest, AForgedCaseSignedByAnotherKeyIsFoundWhenTheKeyIsKnown) {
  // The forger makes the whole case anew with his own key: only who signed tells.
  std::filesystem::remove_all(folder);
  const SigningKey own = key;
  key = SigningKey::load_or_create(scratch / "forger.pem").value();
  make_case();
  EXPECT_TRUE(verify().ok());
  VerifyOptions options;
  options.trusted_key = own.public_key().key_id();
  EXPECT_FALSE(verify(options).ok());
}

TEST_F(VerifyTest, CuttingBackToACheckpointIsFound) {
  std::string kept;
  const std::string ledger = read_text_file(folder / "ledger.jsonl").value();
  for (const auto line : split_lines(ledger)) {
    kept += std::string(line) + "\n";
    if (line.find("\"kind\":\"checkpoint\"") != std::string_view::npos) break;
  }
  put("ledger.jsonl", kept);
  expect_found("ledger.jsonl", "cut");
  std::filesystem::remove(folder / kManifestFile);
  std::filesystem::remove(folder / kManifestSignature);
  expect_found("signatures/checkpoint-0002.dsse.json", "a checkpoint that nothing announces");
}

TEST_F(VerifyTest, AKilledRunIsARemarkAndItsFilesAreStillChecked) {
  {
    const auto work = open("run-3");
    ICECORE_ASSERT_OK(work->write_evidence("instances/late", "late", "a test"));
  }
  const VerifyReport report = verify();
  for (const Problem& problem : report.problems) ADD_FAILURE() << to_string(problem);
  EXPECT_FALSE(report.finished);
  EXPECT_TRUE(std::ranges::any_of(report.notes, [](const std::string& note) { return note.find("run-3") != std::string::npos; }));
  put("instances/late", "lite");
  expect_found("instances/late", "change");
  put("instances/late", "late");
  put("case.json", "{}");
  expect_found("case.json", "change");
}

TEST_F(VerifyTest, ImagesGoToTheirVerifierWithTheirSeals) {
  const std::string image = "snapshots/snap-1/image.raw";
  {
    const auto work = open("run-3");
    const Path path = work->place(image).value();
    ASSERT_TRUE(write_file_atomically(path, "data").has_value());
    ASSERT_TRUE(write_file_atomically(path.parent_path() / "blocks.db", "rows").has_value());
    ICECORE_ASSERT_OK(work->seal_image(image, 7, std::string(64, 'a')));
    ICECORE_ASSERT_OK(work->finish_run(
        key, {.ok = true, .summary = "", .known_hashes = {}, .left_out = {{image, "it is being filled; icecore verify checks it"}}}));
  }
  run_ok("cd " + folder.string() + " && sha256sum --quiet --strict -c MANIFEST.sha256");
  EXPECT_FALSE(verify().ok()) << "without a verifier the case is not whole";
  class Fake : public ImageVerifier {
   public:
    Result<void> verify(const Request& request, const ProblemSink& problem, const std::function<void(std::string)>&) override {
      seen = request;
      if (bad) problem({"block", request.relative, {}, 9 * 524'288, 9, "changed"});
      return {};
    }
    Request seen;
    bool bad = false;
  } fake;
  VerifyOptions options;
  options.images = &fake;
  EXPECT_TRUE(verify(options).ok());
  EXPECT_EQ(fake.seen.relative, image);
  ASSERT_EQ(fake.seen.seals.size(), 1U);
  EXPECT_EQ(fake.seen.seals[0].blocks, 7U);
  fake.bad = true;
  EXPECT_EQ(to_string(verify(options).problems.at(0)), "block: snapshots/snap-1/image.raw, block 9, byte 4718592: changed");
}

}  // namespace
}  // namespace icecore::evidence::test
