// One line of ledger.jsonl from a case that somebody else kept: parses or is refused, and what parses has one form.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "budget.h"
#include "evidence/ledger_summary.h"

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  using namespace icecore::evidence;
  std::string text(reinterpret_cast<const char*>(data), size);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  auto entry = parse_entry(text);
  if (!entry) {
    // Nearly every mutation falls to the hash; give its content a right one, so that what stands behind is reached.
    auto json = icecore::parse_json(text, "input");
    if (!json || !json->is_object()) return;
    Entry made;
    made.body = *json;
    std::string line = format_entry(made);
    line.pop_back();
    entry = parse_entry(line);
    if (!entry) return;
  }
  LedgerSummary summary;
  for (const EntryKind kind : {EntryKind::kIntent, EntryKind::kOutcome, EntryKind::kNote, EntryKind::kCheckpoint}) {
    entry->kind = kind;
    summary.add(*entry);
  }
  std::string line = format_entry(*entry);
  line.pop_back();
  if (!parse_entry(line)) std::abort();
}
