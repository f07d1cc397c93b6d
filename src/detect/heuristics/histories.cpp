#include "detect/heuristics/histories.h"

#include <algorithm>
#include <set>

#include "detect/evidence.h"

namespace icecore::detect {

bool TellingLine::shows(std::string_view trick) const {
  return std::ranges::any_of(tricks, [&](const Trick* shown) { return shown->id == trick; });
}

bool History::is_attack() const {
  const bool strong = std::ranges::any_of(lines, [](const TellingLine& line) { return line.tricks.front()->weight >= 3; });
  return strong || score >= 5;
}

Result<std::vector<History>> histories(const Scene& scene, Anomalies& anomalies) {
  std::vector<History> found;
  if (!scene.has_machine()) return found;
  const artefact::Subject subject{*scene.machine, scene.facts, anomalies};
  ICECORE_ASSIGN(const auto files, artefact::history_files(subject));
  for (const artefact::HistoryFile& file : files) {
    History history{file, {}, 0};
    ICECORE_ASSIGN(auto entries, artefact::read_history(*scene.machine, file));
    std::set<std::string_view> seen;
    for (artefact::HistoryEntry& entry : entries) {
      auto tricks = tricks_of(entry.command);
      if (tricks.empty()) continue;
      for (const Trick* trick : tricks)
        if (seen.insert(trick->id).second) history.score += trick->weight;
      history.lines.push_back({std::move(entry), std::move(tricks)});
    }
    found.push_back(std::move(history));
  }
  return found;
}

Provenance place_history(const Scene& scene, const History& history, const artefact::HistoryEntry& entry) {
  Provenance where = place_line(scene, history.file.file, entry.line, entry.offset, entry.command);
  if (entry.time) where.time = entry.time;
  return where;
}

}  // namespace icecore::detect
