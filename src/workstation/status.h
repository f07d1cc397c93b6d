// `icecore workstation status`: what the case has in the account, since when, and what it costs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "workstation/case_account.h"

namespace icecore::workstation {

struct Item {
  std::string kind;  ///< "instance", "volume", "security-group", "key-pair", "instance-profile", "role", "snapshot", "kms-key"
  std::string id, state, since, words;
  std::optional<double> dollars_per_hour;  ///< absent: unknown; 0: free
  bool evidence = false;                   ///< never removed
};

struct Status {
  std::vector<Item> items;
  std::vector<std::string> ways_in;
  double dollars_per_hour() const;  ///< of all whose price is known
  bool all_prices_known() const;
};

/// Reads only.
Result<Status> status(CaseAccount& account);

}  // namespace icecore::workstation
