// Making and removing things in the account, once each whatever happens in between: an intent in the ledger before the call, an outcome after it, and
// after a kill the tags in the account tell how the call in flight ended.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "workstation/case_account.h"

namespace icecore::workstation {

struct Making {
  std::string kind;        ///< "instance", "volume", "security-group", "key-pair", "role", "instance-profile"
  std::string subject;     ///< value of the tag icecore:subject: what it is for
  bool evidence = false;   ///< cleanup may never remove it
  bool has_token = false;  ///< the call takes a ClientToken: it may be repeated with the same one
  /// Ids of what is there for this subject and alive.
  std::function<Result<std::vector<std::string>>()> find;
  /// Makes it; the id.
  std::function<aws::CallResult<std::string>(const std::string& token, const aws::Tags& tags)> create;
};

/// The id of what is there already, or of what was made now.
aws::CallResult<std::string> make_once(CaseAccount& account, const Making& making);

/// Removes one thing that this case made; gone already is fine. Writes `removed` into the ledger.
Result<void> remove_once(CaseAccount& account, const std::string& kind, const std::string& id, const std::function<aws::CallResult<void>()>& remove);

/// What the ledger says was made, is not removed, and is not evidence. `kind` empty: all.
std::vector<evidence::ResourceRecord> standing(CaseAccount& account, std::string_view kind = "");

/// Whether an earlier run was killed (or failed) between asking for this and hearing of it.
bool is_unfinished(CaseAccount& account, std::string_view subject);

/// Whether the ledger answers for this thing: it says that it was made, or that a call for its subject was in flight.
bool is_ours(CaseAccount& account, std::string_view id, std::string_view subject);

/// Ends the intents of makings that never came to anything, once what they were for has been looked for and removed.
Result<void> conclude_unfinished(CaseAccount& account);

}  // namespace icecore::workstation
