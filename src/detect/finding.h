// What icecore says happened: a rule (docs/rules.md), one plain sentence, and where anyone can see it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/provenance.h"

namespace icecore::detect {

enum class Severity { kInfo, kLow, kMedium, kHigh, kCritical };
enum class Confidence { kLow, kMedium, kHigh };

struct Finding {
  std::string rule;
  Severity severity = Severity::kInfo;
  Confidence confidence = Confidence::kMedium;
  std::vector<std::string> attack;  ///< MITRE ATT&CK technique ids
  std::string title;
  std::string sentence;
  std::optional<Timestamp> time;         ///< when it happened, as well as it is known
  std::optional<Timestamp> first, last;  ///< for what lasted or repeated
  std::vector<Provenance> locations;     ///< at least one
};

}  // namespace icecore::detect
