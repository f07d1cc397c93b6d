#include "evidence/ledger_summary.h"

namespace icecore::evidence {
namespace {

std::uint64_t number_at(const Json& object, std::string_view member) {
  const Json& value = json_at(object, {member});
  return value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
}

bool flag_at(const Json& object, std::string_view member) {
  const Json& value = json_at(object, {member});
  return value.is_boolean() && value.get<bool>();
}

}  // namespace

void LedgerSummary::add(const Entry& entry) {
  count_ = entry.seq;
  head_ = entry.sha256;
  if (!checkpoints_.empty() && checkpoints_.back().run == entry.run) checkpoints_.back().settled = true;
  switch (entry.kind) {
    case EntryKind::kIntent:
      open_.emplace(entry.seq, entry);
      if (text_at(entry.body, "act") == "run") {
        runs_.push_back({entry.run, entry.seq, false});
        if (!checkpoints_.empty() && !checkpoints_.back().settled) checkpoints_.back().abandoned = true;
      }
      return;
    case EntryKind::kOutcome: add_outcome(entry); return;
    case EntryKind::kCheckpoint:
      checkpoints_.push_back(
          {number_at(entry.body, "checkpoint"), text_at(entry.body, "file"), text_at(entry.body, "key"), entry.run, entry.seq, entry.sha256});
      return;
    case EntryKind::kNote: return;
  }
}

void LedgerSummary::add_outcome(const Entry& entry) {
  if (const auto intent = open_.find(entry.act); intent != open_.end()) {
    for (RunRecord& run : runs_)
      if (run.seq == entry.act) run.finished = true;
    open_.erase(intent);
  }
  if (std::string request = text_at(entry.body, "request_id"); !request.empty()) requests_.insert(std::move(request));
  if (!flag_at(entry.body, "ok")) {
    add_resources(entry);  // a call that failed half way may still have created something
    return;
  }
  if (const Json& file = json_at(entry.body, {"file"}); file.is_object()) {
    const std::string path = text_at(file, "path");
    files_[path] = {path, text_at(file, "sha256"), number_at(file, "size"), text_at(file, "source"), entry.seq};
  }
  if (const Json& image = json_at(entry.body, {"image"}); image.is_object())
    seals_[text_at(image, "path")].push_back({number_at(image, "blocks"), text_at(image, "sha256"), entry.seq});
  add_resources(entry);
}

void LedgerSummary::add_resources(const Entry& entry) {
  if (const Json& created = json_at(entry.body, {"created"}); created.is_array())
    for (const Json& object : created)
      resources_.push_back({text_at(object, "kind"), text_at(object, "id"), object, entry.seq, entry.run, false, flag_at(object, "evidence")});
  if (const Json& removed = json_at(entry.body, {"removed"}); removed.is_array())
    for (const Json& object : removed)
      for (ResourceRecord& resource : resources_)
        if (resource.id == text_at(object, "id")) resource.removed = true;
}

std::vector<Entry> LedgerSummary::open_intents() const {
  std::vector<Entry> entries;
  for (const auto& [seq, entry] : open_) entries.push_back(entry);
  return entries;
}

}  // namespace icecore::evidence
