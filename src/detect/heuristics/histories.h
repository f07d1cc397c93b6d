// Shell histories with what their lines show (tricks.h), for the detectors that read them.
#pragma once

#include <string>
#include <vector>

#include "artefact/shell_history.h"
#include "detect/heuristics/tricks.h"
#include "detect/scene.h"

namespace icecore::detect {

struct TellingLine {
  artefact::HistoryEntry entry;
  std::vector<const Trick*> tricks;  ///< never empty, heaviest first
  bool shows(std::string_view trick) const;
};

struct History {
  artefact::HistoryFile file;
  std::vector<TellingLine> lines;  ///< those that show something, in file order
  int score = 0;                   ///< each trick's weight once

  /// A trick that is hardly ever innocent, or many that are seldom so.
  bool is_attack() const;
};

/// Of every user. Links and what cannot be read have no lines.
Result<std::vector<History>> histories(const Scene& scene, Anomalies& anomalies);

/// The location of a line, with its time where it has one.
Provenance place_history(const Scene& scene, const History& history, const artefact::HistoryEntry& entry);

}  // namespace icecore::detect
