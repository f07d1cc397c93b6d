// The detectors' view of hostile text: command lines, scripts, histories, configurations, and findings read back.
#include "budget.h"
#include "core/bytes.h"
#include "detect/findings_json.h"
#include "detect/heuristics/addresses.h"
#include "detect/heuristics/download.h"
#include "detect/heuristics/mining.h"
#include "detect/heuristics/shell.h"
#include "detect/heuristics/tricks.h"

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  using namespace icecore;
  using namespace icecore::detect;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const ScriptHit& hit : download_and_run_in(text))
    if (hit.offset > text.size()) __builtin_trap();
  for (const ScriptLine& line : script_lines(text)) (void)tricks_of(line.text);
  const MiningSigns signs = mining_signs(text);
  if (signs.offset > text.size()) __builtin_trap();
  (void)wallet_in(text);
  (void)is_mining_log_line(text);
  (void)network_of(text);
  if (auto findings = parse_findings(text)) {
    sort_findings(*findings);
    // What was read back is written as something that can be read again.
    if (!parse_findings(findings_json({}, *findings))) __builtin_trap();
  }
}
