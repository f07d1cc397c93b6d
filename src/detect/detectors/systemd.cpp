// systemd-unit-masquerade: a service that no package owns and that runs something hidden, temporary or downloaded, or that stands where only packages
// put files; posing as systemd's own ("systemd-…") or as a sister of a packaged unit adds to it. A private service that runs a program from
// /usr/local, /opt or /srv under a name of its own is ordinary. Points: hidden or temporary program 3, downloads or mines 3, unowned program on the
// packages' ground 2, systemd's name 2, sister's name 1, borrowed documentation 1. From 3 on high, 2 medium.
#include <fmt/format.h>
#include <algorithm>
#include <set>

#include "artefact/systemd_unit.h"
#include "core/text.h"
#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/heuristics/download.h"
#include "detect/heuristics/places.h"
#include "detect/heuristics/shell.h"
#include "detect/heuristics/tricks.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

constexpr std::uint64_t kLimit = std::uint64_t{1} << 20;

struct Verdict {
  int score = 0;
  std::vector<std::string> reasons;
  std::vector<machine::FileRef> programs;
  artefact::UnitSetting exec;

  void add(int points, std::string reason) {
    if (std::ranges::find(reasons, reason) != reasons.end()) return;
    score += points;
    reasons.push_back(std::move(reason));
  }
};

std::string stem_of(std::string_view path) {
  std::string_view name = base_name(path);
  name = name.substr(0, name.rfind('.'));
  return std::string(name.substr(0, name.find('@')));
}

// Names of units that packages installed; only the folders are read, not the units.
Result<std::set<std::string>> packaged_units(const Scene& scene) {
  std::set<std::string> stems;
  for (const std::string_view pattern : {"/usr/lib/systemd/system/*.service", "/lib/systemd/system/*.service"}) {
    ICECORE_ASSIGN(const auto files, scene.machine->glob(pattern, machine::Links::kKeep));
    for (const machine::FileRef& file : files)
      if (ownership(scene, file.path) != Ownership::kUnpackaged) stems.insert(stem_of(file.path));
  }
  return stems;
}

Result<void> judge_program(const Scene& scene, std::string_view word, Verdict& verdict) {
  while (!word.empty() && std::string_view("-@:+!").find(word.front()) != std::string_view::npos)
    word.remove_prefix(1);  // systemd.service(5), "Special executable prefixes"
  if (!word.starts_with('/')) return {};
  if (is_hidden_path(word)) verdict.add(3, "its program lies in a hidden folder");
  if (is_temporary_path(word)) verdict.add(3, "its program lies in a temporary folder");
  ICECORE_ASSIGN(const auto file, scene.machine->find(word));
  if (!file || file->info.type != fs::FileType::kRegular) return {};
  if (is_hidden_path(file->path)) verdict.add(3, "its program lies in a hidden folder");
  if (ownership(scene, file->path) != Ownership::kUnpackaged) return {};
  if (is_packages_ground(file->path)) verdict.add(2, "its program lies among the packages' files, yet no package owns it");
  verdict.programs.push_back(*file);
  return {};
}

Result<void> judge_settings(const Scene& scene, const std::vector<artefact::UnitSetting>& settings, Verdict& verdict) {
  for (const artefact::UnitSetting& setting : settings) {
    if (setting.section == "Unit" && setting.key == "Documentation" && setting.value.find("systemd") != std::string::npos)
      verdict.add(1, "it borrows systemd's documentation");
    if (setting.section != "Service" || !setting.key.starts_with("Exec")) continue;
    if (verdict.exec.value.empty() || setting.key == "ExecStart") verdict.exec = setting;
    if (const auto found = download_and_run(setting.value); found && found->anonymous)
      verdict.add(3, found->decoded ? "it decodes hidden code and runs it" : "it downloads code and runs it");
    for (const Trick* trick : tricks_of(setting.value)) {
      if (trick->id == "reverse-shell") verdict.add(3, "it opens a shell to a remote host");
      if (trick->id == "miner") verdict.add(3, "it runs a miner");
    }
    const auto words = split_fields(setting.value);
    for (std::size_t i = 0; i < std::min(words.size(), std::size_t{8}); ++i) ICECORE_CHECK(judge_program(scene, words[i], verdict));
  }
  return {};
}

void judge_name(std::string_view path, const std::set<std::string>& packaged, Verdict& verdict) {
  const std::string stem = stem_of(path);
  if (stem.starts_with("systemd-")) {
    verdict.add(2, "it bears systemd's name");
    return;
  }
  for (const std::string& known : packaged) {
    const bool sister = known.size() >= 4 && stem.size() > known.size() && stem.starts_with(known) &&
                        std::string_view("-_.d").find(stem[known.size()]) != std::string_view::npos;
    if (sister && verdict.score > 0) {
      verdict.add(1, fmt::format("it is named like {}", shown(known, 40)));
      return;
    }
  }
}

Result<void> add_links(const Scene& scene, std::string_view unit, Finding& finding) {
  const std::string_view name = base_name(unit);
  if (name.find_first_of("*?[") != std::string_view::npos) return {};
  for (const std::string_view kind : {"wants", "requires"}) {
    ICECORE_ASSIGN(const auto links, scene.machine->glob(fmt::format("/etc/systemd/system/*.{}/{}", kind, name), machine::Links::kKeep));
    for (const machine::FileRef& link : links) {
      if (link.info.type != fs::FileType::kSymlink) continue;
      const auto target = scene.machine->readlink(link);
      finding.locations.push_back(place_link(scene, link, target ? *target : "?"));
    }
  }
  return {};
}

Result<void> report(const Scene& scene, const machine::FileRef& file, std::string_view content, const Verdict& verdict, FindingSink& sink) {
  Finding finding = finding_of("systemd-unit-masquerade");
  if (verdict.score < 3) finding.severity = Severity::kMedium;
  finding.confidence = verdict.score >= 5 ? Confidence::kHigh : Confidence::kMedium;
  finding.time = appeared(file.info);
  finding.locations.push_back(place_line(scene, file, verdict.exec.line, verdict.exec.offset, line_at(content, verdict.exec.offset).text));
  finding.locations.back().sha256 = sha256_hex(content);
  const std::size_t before = finding.locations.size();
  ICECORE_CHECK(add_links(scene, file.path, finding));
  const bool enabled = finding.locations.size() > before;
  for (const machine::FileRef& program : verdict.programs)
    if (finding.locations.size() < kMostLocations) finding.locations.push_back(place(scene, program));
  finding.sentence = fmt::format("The service {}, made at {}{}, runs \"{}\": no package owns it, {}.", shown(base_name(file.path)),
                                 when(*finding.time), enabled ? " and enabled at boot" : "", shown(verdict.exec.value), list_of(verdict.reasons, 3));
  sink.add(std::move(finding));
  return {};
}

Result<void> judge_file(const Scene& scene, const machine::FileRef& file, const std::set<std::string>& packaged, bool drop_in, FindingSink& sink) {
  if (file.info.type != fs::FileType::kRegular || file.info.size > kLimit || ownership(scene, file.path) == Ownership::kPackaged) return {};
  ICECORE_ASSIGN(const auto content, scene.machine->content(file, kLimit));
  if (!content) return {};
  Verdict verdict;
  ICECORE_CHECK(judge_settings(scene, artefact::parse_unit(*content), verdict));
  if (verdict.exec.value.empty()) return {};
  if (!drop_in) judge_name(file.path, packaged, verdict);
  return verdict.score >= 2 ? report(scene, file, *content, verdict, sink) : Result<void>();
}

}  // namespace

ICECORE_DETECTOR(detect_systemd) {
  (void)anomalies;
  if (!scene.has_machine()) return {};
  ICECORE_ASSIGN(const auto packaged, packaged_units(scene));
  std::set<std::string> seen;
  const auto visit = [&](std::string_view pattern, bool drop_in) -> Result<void> {
    ICECORE_ASSIGN(const auto files, scene.machine->glob(pattern, machine::Links::kKeep));
    for (const machine::FileRef& file : files)
      if (seen.insert(file.path).second) ICECORE_CHECK(judge_file(scene, file, packaged, drop_in, sink));
    return {};
  };
  for (const std::string_view folder :
       {"/etc/systemd/system", "/etc/systemd/user", "/usr/local/lib/systemd/system", "/root/.config/systemd/user", "/home/*/.config/systemd/user"}) {
    ICECORE_CHECK(visit(fmt::format("{}/*.service", folder), false));
    ICECORE_CHECK(visit(fmt::format("{}/*.service.d/*.conf", folder), true));
  }
  // Among the vendor's units only those that no package owns are worth reading, and that is known only with dpkg.
  if (!scene.dpkg.empty()) {
    ICECORE_CHECK(visit("/usr/lib/systemd/system/*.service", false));
    ICECORE_CHECK(visit("/lib/systemd/system/*.service", false));
  }
  return {};
}

}  // namespace icecore::detect
