// The rules of docs/rules.md as a table: a detector names a rule, and severity, ATT&CK ids and title come from here.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "detect/finding.h"

namespace icecore::detect {

struct Rule {
  std::string_view id;
  Severity severity;  ///< the highest that it raises; a detector may say less
  std::vector<std::string_view> attack;
  std::string_view title;
};

const std::vector<Rule>& all_rules();

/// A finding of that rule with severity, ATT&CK ids and title filled in. Precondition: the rule exists.
Finding finding_of(std::string_view rule);

std::string_view severity_name(Severity severity);
std::string_view confidence_name(Confidence confidence);

}  // namespace icecore::detect
