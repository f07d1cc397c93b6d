#include "workstation/resources.h"

#include <fmt/format.h>
#include <algorithm>

#include "core/interrupt.h"
#include "core/random.h"

namespace icecore::workstation {
namespace {

constexpr std::string_view kMake = "make-resource";
// How long something that was asked for just before we were killed may take to show up under its tag.
constexpr int kLookAgainSeconds = 5;

std::vector<evidence::Entry> open_makings(CaseAccount& account, std::string_view subject) {
  std::vector<evidence::Entry> intents = account.ledger().summary().open_intents();
  std::erase_if(intents, [&](const evidence::Entry& intent) {
    return text_at(intent.body, "act") != kMake || (!subject.empty() && text_at(intent.body, "subject") != subject);
  });
  return intents;
}

Json created(const Making& making, const std::string& id) {
  Json one = {{"kind", making.kind}, {"id", id}, {"subject", making.subject}};
  if (making.evidence) one["evidence"] = true;
  return Json::array({std::move(one)});
}

bool is_standing(CaseAccount& account, std::string_view id) {
  const auto known = account.ledger().summary().resources();
  return std::ranges::any_of(known, [&](const evidence::ResourceRecord& one) { return one.id == id && !one.removed; });
}

class Maker {
 public:
  Maker(CaseAccount& account, const Making& making) : account_(account), making_(making), intents_(open_makings(account, making.subject)) {}

  aws::CallResult<std::string> go() {
    ICECORE_CALL(auto found, look(!intents_.empty() && !making_.has_token));
    if (!found.empty()) return adopt(found.front());
    ICECORE_CHECK(begin());
    auto made = making_.create(token_, account_.tags(making_.subject));
    if (!made && made.error().outcome_unknown) made = after_silence(std::move(made));
    if (!made && made.error().aws_code == "IdempotentParameterMismatch") made = after_mismatch(std::move(made));
    if (!made) {
      ICECORE_CHECK(account_.ledger().conclude(act_, {{"ok", false}, {"error", to_string(made.error())}}));
      return made;
    }
    ICECORE_CHECK(account_.ledger().conclude(act_, {{"ok", true}, {"created", created(making_, *made)}}));
    return made;
  }

 private:
  Result<std::vector<std::string>> look(bool patiently) {
    ICECORE_ASSIGN(auto found, making_.find());
    for (int second = 0; patiently && found.empty() && second < kLookAgainSeconds && !interrupted(); ++second) {
      account_.workspace().clock().sleep_for(1000);
      ICECORE_ASSIGN(found, making_.find());
    }
    return found;
  }

  /// It is there: what was in flight when a run died has come to its end, and the ledger learns of it.
  aws::CallResult<std::string> adopt(const std::string& id) {
    const bool known = is_standing(account_, id);
    if (!known && intents_.empty()) ICECORE_CHECK(begin());
    if (act_ != 0) ICECORE_CHECK(account_.ledger().conclude(act_, {{"ok", true}, {"recovered", true}, {"created", created(making_, id)}}));
    for (std::size_t i = 0; i < intents_.size(); ++i) {
      Json body = {{"ok", i == 0}, {"recovered", true}};
      if (i == 0 && !known) body["created"] = created(making_, id);
      ICECORE_CHECK(account_.ledger().conclude(intents_[i].act, std::move(body)));
    }
    return id;
  }

  /// Goes on with the token of the call that was in flight, so that it cannot happen twice; else a new intent.
  Result<void> begin() {
    if (making_.has_token && !intents_.empty()) {
      token_ = text_at(intents_.back().body, "token");
      act_ = intents_.back().act;
      intents_.pop_back();
    }
    for (const evidence::Entry& intent : intents_)
      ICECORE_CHECK(account_.ledger().conclude(intent.act, {{"ok", false}, {"error", "the run ended, and nothing carries its tag"}}));
    intents_.clear();
    return act_ == 0 ? fresh() : Result<void>();
  }

  Result<void> fresh() {
    token_ = "icecore-" + random_hex(16);
    Json body = {{"act", kMake}, {"kind", making_.kind}, {"subject", making_.subject}};
    if (making_.has_token) body["token"] = token_;
    ICECORE_ASSIGN(act_, account_.ledger().intend(std::move(body)));
    return {};
  }

  /// No answer: a call with a token would have been repeated below us; the others are looked for by their tag.
  aws::CallResult<std::string> after_silence(aws::CallResult<std::string> made) {
    ICECORE_CALL(const auto found, look(true));
    if (!found.empty()) return found.front();
    return made;
  }

  /// The killed run asked with other parameters: if it was heard, the thing shows up; if not, a new token may ask.
  aws::CallResult<std::string> after_mismatch(aws::CallResult<std::string> made) {
    ICECORE_CALL(const auto found, look(true));
    if (!found.empty()) return found.front();
    ICECORE_CHECK(account_.ledger().conclude(act_, {{"ok", false}, {"error", to_string(made.error())}}));
    ICECORE_CHECK(fresh());
    return making_.create(token_, account_.tags(making_.subject));
  }

  CaseAccount& account_;
  const Making& making_;
  std::vector<evidence::Entry> intents_;
  std::uint64_t act_ = 0;
  std::string token_;
};

}  // namespace

aws::CallResult<std::string> make_once(CaseAccount& account, const Making& making) { return Maker(account, making).go(); }

Result<void> remove_once(CaseAccount& account, const std::string& kind, const std::string& id, const std::function<aws::CallResult<void>()>& remove) {
  ICECORE_ASSIGN(const std::uint64_t act, account.ledger().intend({{"act", "remove-resource"}, {"kind", kind}, {"id", id}}));
  const auto removed = remove();
  if (!removed && removed.error().code != Code::kNotFound) {
    ICECORE_CHECK(account.ledger().conclude(act, {{"ok", false}, {"error", to_string(removed.error())}}));
    return Failure(static_cast<const Error&>(removed.error()));
  }
  return account.ledger().conclude(act, {{"ok", true}, {"removed", Json::array({{{"kind", kind}, {"id", id}}})}});
}

std::vector<evidence::ResourceRecord> standing(CaseAccount& account, std::string_view kind) {
  std::vector<evidence::ResourceRecord> resources = account.ledger().summary().resources();
  std::erase_if(resources, [&](const evidence::ResourceRecord& one) {
    return one.removed || one.evidence || one.kind == "snapshot" || (!kind.empty() && one.kind != kind);
  });
  return resources;
}

bool is_unfinished(CaseAccount& account, std::string_view subject) { return !open_makings(account, subject).empty(); }

bool is_ours(CaseAccount& account, std::string_view id, std::string_view subject) {
  return is_standing(account, id) || (!subject.empty() && is_unfinished(account, subject));
}

Result<void> conclude_unfinished(CaseAccount& account) {
  for (const evidence::Entry& intent : open_makings(account, "")) {
    // Evidence and its key are never looked for in order to be removed: the run that asks for them again goes on from these intents.
    const std::string kind = text_at(intent.body, "kind");
    if (kind == "snapshot" || kind == "kms-key") continue;
    ICECORE_CHECK(account.ledger().conclude(intent.act, {{"ok", false}, {"error", "the run ended; what carries its tag has been removed"}}));
  }
  return {};
}

}  // namespace icecore::workstation
