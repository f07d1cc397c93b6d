#include "detect/findings_json.h"

#include <set>

#include "scene_builder.h"

namespace icecore::detect::test {
namespace {

Finding sample(const char* rule, Timestamp time, const char* path) {
  Finding finding = finding_of(rule);
  finding.time = time;
  finding.sentence = std::string("about ") + path;
  Provenance where;
  where.snapshot = "snap-1";
  where.volume = "vol-1";
  where.partition = 1;
  where.filesystem = "ext4";
  where.inode = 77;
  where.path = path;
  where.line = 3;
  where.excerpt = std::string("raw \033[31m\xff", 10);
  where.blocks = {{5, "ab"}};
  finding.locations.push_back(where);
  return finding;
}

TEST(FindingsJson, IsAsTheContractSays) {
  const std::string text = findings_json({"C-1", "snap-1", t(0), false, 2, {"disk\xff partition 2"}, {"LABEL=x on /srv"}},
                                         {sample("ld-so-preload", t(5), "/etc/ld.so.preload")});
  const auto document = parse_json(text, "findings");
  ICECORE_ASSERT_OK(document);
  EXPECT_EQ((*document)["format"], "icecore-findings/1");
  EXPECT_EQ((*document)["complete"], false);
  EXPECT_EQ((*document)["anomalies"], 2);
  EXPECT_EQ((*document)["empty_volumes"], Json::array({"disk\\xff partition 2"}));
  EXPECT_EQ((*document)["missing_mounts"], Json::array({"LABEL=x on /srv"}));
  const Json& finding = (*document)["findings"][0];
  EXPECT_EQ(finding["id"], "F-001");
  EXPECT_EQ(finding["severity"], "critical");
  EXPECT_EQ(finding["attack"][0], "T1574.006");
  EXPECT_EQ(finding["time"], to_iso8601(t(5)));
  const Json& where = finding["locations"][0];
  EXPECT_EQ(where["kind"], "file");
  EXPECT_EQ(where["inode"], 77);
  EXPECT_EQ(where["partition"], 1);
  EXPECT_EQ(where["blocks"][0]["index"], 5);
  EXPECT_EQ(where["excerpt"], "raw \033[31m\\xff") << "invalid bytes are spelled out";
}

TEST(FindingsJson, TheOrderDoesNotDependOnTheDetectors) {
  std::vector<Finding> one = {sample("updates-masked", t(1), "/a"), sample("ld-so-preload", t(9), "/b"), sample("ld-so-preload", t(2), "/c"),
                              sample("ld-so-preload", t(2), "/c")};
  std::vector<Finding> two(one.rbegin(), one.rend());
  sort_findings(one);
  sort_findings(two);
  ASSERT_EQ(one.size(), 3U);
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_EQ(one[i].sentence, two[i].sentence);
  EXPECT_EQ(one[0].sentence, "about /c");
  EXPECT_EQ(one[2].rule, "updates-masked");
}

TEST(FindingsJson, ComesBack) {
  const auto back = parse_findings(findings_json({}, {sample("web-shell", t(5), "/srv/x.php")}));
  ICECORE_ASSERT_OK(back);
  ASSERT_EQ(back->size(), 1U);
  EXPECT_EQ((*back)[0].severity, Severity::kCritical);
  EXPECT_EQ((*back)[0].time, t(5));
  EXPECT_EQ((*back)[0].locations[0].path, "/srv/x.php");
  EXPECT_EQ((*back)[0].locations[0].line, 3U);
  ICECORE_EXPECT_CODE(parse_findings("[]"), Code::kCorrupt);
  ICECORE_EXPECT_CODE(parse_findings("{"), Code::kCorrupt);
  (void)parse_findings(R"({"format":"icecore-findings/1","findings":[1,null,{"locations":[3,{"blocks":[4]}],"attack":[5]}]})");
}

TEST(FindingsJson, AnomaliesAreOneLineEach) {
  const std::string lines =
      anomalies_jsonl({{"x.y", wrap(Error{Code::kCorrupt, "inner\n", Location{"snap-1", 5, 6, "/p"}, nullptr}, "outer").value()}});
  EXPECT_EQ(std::ranges::count(lines, '\n'), 1);
  const auto line = parse_json(lines, "anomaly");
  ICECORE_ASSERT_OK(line);
  EXPECT_EQ((*line)["path"], "/p");
  EXPECT_EQ((*line)["causes"][0], "inner\n");
}

TEST(Rules, AreThoseOfTheDocument) {
  // docs/rules.md is the contract: every rule of its table is raised by some detector with that severity and those ATT&CK ids.
  const std::string document =
      icecore::test::run_ok("cat " + (icecore::test::data_file("").parent_path().parent_path().parent_path() / "docs/rules.md").string());
  std::map<std::string, std::string> documented;
  for (const TextLine& line : lines_of(document)) {
    std::vector<std::string> cells;
    for (std::size_t begin = 0, end = 0; (end = line.text.find('|', begin)) != std::string_view::npos; begin = end + 1)
      cells.emplace_back(line.text.substr(begin, end - begin));
    if (cells.size() < 6 || cells[2].find('`') == std::string::npos) continue;
    const std::string id = cells[2].substr(cells[2].find('`') + 1, cells[2].rfind('`') - cells[2].find('`') - 1);
    documented[id] = cells[3] + "|" + cells[4];
  }
  EXPECT_GE(documented.size(), 31U);
  std::set<std::string_view> raised;
  for (const Detector& detector : all_detectors()) raised.insert(detector.rules.begin(), detector.rules.end());
  for (const auto& [id, cells] : documented) {
    ASSERT_TRUE(raised.contains(id)) << id;
    const Finding finding = finding_of(id);
    std::string attack;
    for (const std::string& technique : finding.attack) attack += (attack.empty() ? "" : ", ") + technique;
    EXPECT_EQ(cells, fmt::format(" {} | {} ", severity_name(finding.severity), attack)) << id;
  }
  EXPECT_EQ(raised.size(), documented.size());
}

TEST(Detectors, NeedsGrowInTheOrderOfRunning) {
  Needs last = Needs::kControlPlane;
  for (const Detector& detector : all_detectors()) {
    EXPECT_GE(detector.needs, last) << detector.name;
    last = detector.needs;
  }
}

}  // namespace
}  // namespace icecore::detect::test
