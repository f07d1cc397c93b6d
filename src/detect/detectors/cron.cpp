// cron-download-run: a scheduled job that downloads code and runs it, decodes and runs it, or runs something in a hidden or temporary folder,
// wherever cron looks: tables, users' tables, scripts in cron.daily and the like, and at's jobs. A private job that runs a program of the machine's
// own is ordinary.
#include <fmt/format.h>
#include <array>

#include "artefact/cron.h"
#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/heuristics/download.h"
#include "detect/heuristics/tricks.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

constexpr std::uint64_t kScriptLimit = std::uint64_t{1} << 20;

struct Verdict {
  Severity severity = Severity::kCritical;
  std::string does;
};

std::optional<Verdict> verdict_on(std::string_view command) {
  if (const auto found = download_and_run(command)) {
    if (found->decoded) return Verdict{Severity::kCritical, "decodes hidden code and runs it"};
    // Scheduled, an installer from a named https host is still odd: nobody installs every ten minutes.
    if (!found->anonymous) return Verdict{Severity::kMedium, "downloads code and runs it"};
    return Verdict{Severity::kCritical, "downloads code and runs it"};
  }
  for (const Trick* trick : tricks_of(command)) {
    if (trick->id == "reverse-shell" || trick->id == "miner")
      return Verdict{Severity::kCritical, trick->id == "miner" ? "runs a miner" : "opens a shell to a remote host"};
    if (trick->id == "hidden-place") return Verdict{Severity::kHigh, "runs what lies in a hidden folder"};
  }
  return std::nullopt;
}

Finding finding_for(const machine::FileRef& file, const Verdict& verdict, Provenance where) {
  Finding finding = finding_of("cron-download-run");
  finding.severity = verdict.severity;
  finding.confidence = verdict.severity == Severity::kCritical ? Confidence::kHigh : Confidence::kMedium;
  finding.time = appeared(file.info);
  if (written(file.info) > *finding.time) {
    finding.first = finding.time;
    finding.last = written(file.info);
  }
  finding.locations.push_back(std::move(where));
  return finding;
}

Result<void> tables(const Scene& scene, FindingSink& sink) {
  ICECORE_ASSIGN(const auto files, artefact::cron_files(*scene.machine));
  for (const artefact::CronFile& table : files) {
    ICECORE_ASSIGN(const auto content, scene.machine->content(table.file, kScriptLimit));
    if (!content) continue;
    std::size_t found = 0;
    for (const artefact::CronJob& job : artefact::parse_crontab(*content, table.kind)) {
      const auto verdict = verdict_on(job.command);
      if (!verdict || ++found > kMostLocations) continue;
      Provenance where = place_line(scene, table.file, job.line, job.offset, line_at(*content, job.offset).text);
      where.sha256 = sha256_hex(*content);
      Finding finding = finding_for(table.file, *verdict, std::move(where));
      const std::string user = table.kind == artefact::CronTable::kUser ? table.user : job.user;
      finding.sentence =
          fmt::format("{} {} ({}, as {}): \"{}\"; the file appeared at {}{}.", shown(table.file.path), verdict->does, shown(job.schedule, 40),
                      shown(user, 40), shown(job.command), when(*finding.time), table.ignored ? " (cron passes over a file of this name)" : "");
      sink.add(std::move(finding));
    }
  }
  return {};
}

Result<void> scripts(const Scene& scene, FindingSink& sink) {
  ICECORE_ASSIGN(auto files, artefact::cron_scripts(*scene.machine));
  for (const std::string_view pattern : {"/var/spool/cron/atjobs/*", "/var/spool/at/*", "/etc/anacrontab"}) {
    ICECORE_ASSIGN(const auto more, scene.machine->glob(pattern));
    files.insert(files.end(), more.begin(), more.end());
  }
  ICECORE_CHECK(prefetch(scene, files, kScriptLimit));
  for (const machine::FileRef& file : files) {
    if (file.info.type != fs::FileType::kRegular || file.info.size > kScriptLimit) continue;
    const auto owner = scene.dpkg.owner(file.path);
    if (owner && !owner->conffile) continue;
    ICECORE_ASSIGN(const auto content, scene.machine->content(file, kScriptLimit));
    if (!content) continue;
    for (const ScriptHit& hit : download_and_run_in(*content)) {
      const Verdict verdict{hit.what.anonymous ? Severity::kCritical : Severity::kMedium,
                            hit.what.decoded ? "decodes hidden code and runs it" : "downloads code and runs it"};
      Finding finding = finding_for(file, verdict, place_line(scene, file, hit.line, hit.offset, line_at(*content, hit.offset).text));
      finding.sentence = fmt::format("The scheduled script {} {}: \"{}\"; the file appeared at {}.", shown(file.path), verdict.does, shown(hit.text),
                                     when(*finding.time));
      sink.add(std::move(finding));
      break;
    }
  }
  return {};
}

}  // namespace

ICECORE_DETECTOR(detect_cron) {
  (void)anomalies;
  if (!scene.has_machine()) return {};
  ICECORE_CHECK(tables(scene, sink));
  return scripts(scene, sink);
}

}  // namespace icecore::detect
