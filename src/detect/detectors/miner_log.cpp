// miner-log: the log that a miner keeps (hash rates, accepted and rejected shares), beside a miner or in a hidden or temporary folder, three telling
// lines at least; and the console's words on exhausted CPU credits or on hash rates. Credits alone are no crime: without a miner on the disk the
// console gives a note.
#include <fmt/format.h>
#include <algorithm>

#include "artefact/console_output.h"
#include "core/text.h"
#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/heuristics/miners.h"
#include "detect/heuristics/programs.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

constexpr std::size_t kLeastLines = 3;

struct MinerLog {
  machine::FileRef file;
  std::string content;
  std::vector<TextLine> lines;
};

// "[2026-11-24 05:21:07] …", "2026-11-24T05:21:07Z …": a time near the beginning of the line, by the machine's clock.
std::optional<Timestamp> time_of(const Scene& scene, std::string_view line) {
  for (std::size_t i = 0; i + 19 <= line.size() && i < 32; ++i) {
    if (line[i] != '2' || line[i + 4] != '-') continue;
    const auto time = parse_iso8601(std::string(line.substr(i, 19)) + "Z");
    if (time) return Timestamp{scene.facts.zone.to_utc(time->seconds), 0};
  }
  return std::nullopt;
}

Result<std::vector<MinerLog>> logs(const Scene& scene, const std::vector<MinerHome>& homes) {
  std::vector<std::string> folders = odd_folders(scene);
  for (const MinerHome& home : homes) folders.push_back(home.folder);
  std::vector<MinerLog> found;
  for (const machine::FileRef& file : small_files_in(scene, folders)) {
    ICECORE_ASSIGN(auto content, scene.machine->content(file));
    if (!content || content->starts_with(kElfMagic) || content->find('\0') != std::string::npos) continue;
    MinerLog log{file, std::move(*content), {}};
    for (const TextLine& line : lines_of(log.content))
      if (is_mining_log_line(line.text)) log.lines.push_back(line);
    if (log.lines.size() < kLeastLines) continue;
    found.push_back(std::move(log));
    // The views lead into a string that has just moved (small strings move their bytes).
    MinerLog& kept = found.back();
    kept.lines.clear();
    for (const TextLine& line : lines_of(kept.content))
      if (is_mining_log_line(line.text)) kept.lines.push_back(line);
  }
  return found;
}

Finding finding_for(const Scene& scene, const MinerLog& log) {
  Finding finding = finding_of("miner-log");
  finding.confidence = Confidence::kHigh;
  finding.first = time_of(scene, log.lines.front().text).value_or(appeared(log.file.info));
  finding.last = std::max(written(log.file.info), *finding.first);
  finding.time = written(log.file.info);
  const auto rejected = std::ranges::find_if(log.lines, [](const TextLine& line) { return to_lower(line.text).find("reject") != std::string::npos; });
  std::vector<const TextLine*> chosen{&log.lines.front()};
  if (rejected != log.lines.end() && &*rejected != chosen.front()) chosen.push_back(&*rejected);
  if (&log.lines.back() != chosen.back()) chosen.push_back(&log.lines.back());
  for (const TextLine* line : chosen) finding.locations.push_back(place_line(scene, log.file, line->number, line->offset, line->text));
  finding.locations.front().sha256 = sha256_hex(log.content);
  finding.sentence = fmt::format("{} is a miner's log: {} lines of hash rates and shares from {} to {}; the last says \"{}\".", shown(log.file.path),
                                 log.lines.size(), when(*finding.first), when(*finding.last), shown(trim(log.lines.back().text)));
  return finding;
}

bool tells_of_credits(std::string_view line) {
  const std::string lower = to_lower(line.substr(0, 1024));
  return lower.find("credit") != std::string::npos &&
         (lower.find("cpu") != std::string::npos || lower.find("exhaust") != std::string::npos || lower.find("burst") != std::string::npos);
}

void from_console(const Scene& scene, bool miner, FindingSink& sink) {
  std::optional<Finding> finding;
  for (const InstanceText& console : scene.instance.console_output) {
    std::size_t kept = 0;
    for (const artefact::ConsoleLine& line : artefact::parse_console(console.text)) {
      if (!tells_of_credits(line.text) && !is_mining_log_line(line.text)) continue;
      if (!finding) finding = finding_of("miner-log");
      if (++kept > 5) continue;
      Provenance where = place_instance(scene, "console-output", console, line.text);
      where.line = line.line;
      where.offset = line.offset;
      where.time = line.time;
      if (line.time && (!finding->time || *line.time < *finding->time)) finding->time = line.time;
      if (line.time && (!finding->last || *line.time > *finding->last)) finding->last = line.time;
      finding->locations.push_back(std::move(where));
    }
  }
  if (!finding) return;
  finding->first = finding->time;
  if (!miner) finding->severity = Severity::kInfo;
  finding->confidence = miner ? Confidence::kMedium : Confidence::kLow;
  finding->sentence = fmt::format("The console of {} shows a processor at its limit{}: \"{}\".", shown(scene.instance.instance),
                                  finding->time ? fmt::format(" from {} on", when(*finding->time)) : "", shown(finding->locations.front().excerpt));
  sink.add(std::move(*finding));
}

}  // namespace

ICECORE_DETECTOR(detect_miner_log) {
  (void)anomalies;
  std::vector<MinerHome> homes;
  if (scene.has_machine()) {
    ICECORE_ASSIGN(homes, miner_homes(scene));
    ICECORE_ASSIGN(const auto found, logs(scene, homes));
    for (const MinerLog& log : found) sink.add(finding_for(scene, log));
  }
  from_console(scene, !homes.empty(), sink);
  return {};
}

}  // namespace icecore::detect
