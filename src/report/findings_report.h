// The findings for people: on the terminal, and as report/findings.txt.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/anomaly.h"
#include "detect/finding.h"
#include "report/style.h"

namespace icecore::report {

struct FindingsReport {
  std::string target;                         ///< "i-… (case …)", "snap-…", a path
  std::vector<std::string> facts;             ///< one line each: what was read, how much of it, what it cost
  std::span<const detect::Finding> findings;  ///< in any order
  std::span<const Anomaly> anomalies;
  std::size_t anomaly_count = 0;  ///< all, also those beyond what is kept
};

/// Worst first, then by time. Every line from evidence is made printable. Locations are shortened to what a person needs to look there; findings.json
/// has them whole.
std::string render(const FindingsReport& report, const Style& style);

/// One sentence: how many findings of which severity, from when to when.
std::string verdict(std::span<const detect::Finding> findings);

}  // namespace icecore::report
