#include "workstation/elsewhere.h"

#include <fmt/format.h>
#include <algorithm>

#include "core/text.h"
#include "workstation/resources.h"

namespace icecore::workstation {
namespace {

constexpr std::string_view kKmsSubject = "kms-key";

struct Source {
  aws::Snapshot snapshot;
  std::string region, body;
  bool copied = false;     ///< it has to be
  bool encrypted = false;  ///< the copy needs a customer key
  std::string why;
};

Result<aws::Listing<aws::Snapshot>> describe(CaseAccount& account, const std::string& id, const std::string& region) {
  ICECORE_ASSIGN(aws::Session* const session, account.workspace().aws());
  ICECORE_ASSIGN(auto there, session->ec2(region));
  auto found = there.describe_snapshots({.ids = {id}});
  const bool unknown = (!found && found.error().code == Code::kNotFound) || (found && found->items.empty());
  if (unknown)
    return fail(Code::kNotFound, fmt::format("{} is not in {}, or is not shared with account {}; --source-region says where it is", printable(id),
                                             region, account.account()));
  return plain(std::move(found));
}

Result<Source> look_at(CaseAccount& account, const std::string& id, const CopyOptions& options) {
  Source source;
  source.region = options.source_region.value_or(account.region());
  ICECORE_ASSIGN(auto found, describe(account, id, source.region));
  source.snapshot = found.items.front();
  source.body = found.pages.front();
  const aws::Snapshot& one = source.snapshot;
  const bool foreign = one.owner_id != account.account();
  const bool foreign_key = one.encrypted && !one.kms_key_id.empty() && one.kms_key_id.find(":" + account.account() + ":") == std::string::npos &&
                           one.kms_key_id.starts_with("arn:");
  if (source.region != account.region()) source.why = "it is in " + source.region;
  if (foreign) source.why = fmt::format("it belongs to account {}, and EBS direct reads only an account's own", one.owner_id);
  if (foreign_key) source.why = "it is encrypted with another account's key";
  if (options.reencrypt) source.why = "it is to be under another key";
  source.copied = !source.why.empty();
  source.encrypted = source.copied && (one.encrypted || options.kms_key.has_value());
  if (source.copied && one.state == "error")
    return fail(Code::kRemote, fmt::format("{} ended in error ({}), so there is nothing in it to copy", id, one.state_message));
  if (source.copied && one.state == "pending")
    return fail(Code::kConflict,
                fmt::format("{} is still pending in {} ({}); a copy can be made when it is completed: run the same command again then", id,
                            source.region, one.progress));
  return source;
}

std::string copy_subject(const std::string& snapshot) { return "copy-of-" + snapshot; }

Result<std::vector<std::string>> copies_of(CaseAccount& account, const std::string& subject) {
  ICECORE_ASSIGN(const auto found, plain(account.ec2().describe_snapshots({.ids = {}, .filters = account.filters(subject)}, {"self"})));
  std::vector<std::string> ids;
  for (const aws::Snapshot& one : found.items)
    if (one.state != "error") ids.push_back(one.id);
  return ids;
}

Result<std::vector<std::string>> case_keys(CaseAccount& account, const std::string& alias, const std::string& description) {
  const auto named = account.kms().describe_key(alias);
  if (named) return std::vector<std::string>{named->arn};
  if (named.error().code != Code::kNotFound) return Failure(static_cast<const Error&>(named.error()));
  std::vector<std::string> found;
  if (!is_unfinished(account, kKmsSubject)) return found;
  // A run died between the key and its alias: its description says whose it is.
  ICECORE_ASSIGN(const auto ids, plain(account.kms().list_keys()));
  for (const std::string& id : ids) {
    const auto key = account.kms().describe_key(id);
    if (key && key->description == description && key->state == "Enabled") found.push_back(key->arn);
  }
  return found;
}

}  // namespace

Result<std::string> customer_key(CaseAccount& account, const std::optional<std::string>& named) {
  if (named) {
    ICECORE_ASSIGN(const aws::KmsKey key, plain(account.kms().describe_key(*named)));
    if (key.aws_managed)
      return fail(Code::kInvalidArgument,
                  fmt::format("{} is a key of AWS's own, and what it encrypts cannot be shared; name a customer key", printable(*named)));
    return key.arn;
  }
  const std::string alias = "alias/" + account.resource_name();
  const std::string description = fmt::format("icecore {}: copies of evidence", account.case_id());
  Making making{.kind = "kms-key", .subject = std::string(kKmsSubject), .evidence = true, .find = nullptr, .create = nullptr};
  making.find = [&] { return case_keys(account, alias, description); };
  making.create = [&](const std::string&, const aws::Tags& tags) {
    return account.kms().create_key(description, tags).map([](auto key) { return key.arn; });
  };
  ICECORE_ASSIGN(std::string key, plain(make_once(account, making)));
  const auto aliased = account.kms().create_alias(alias, key.substr(key.rfind('/') + 1));
  if (!aliased && aliased.error().aws_code != "AlreadyExistsException") return Failure(static_cast<const Error&>(aliased.error()));
  return key;
}

Result<std::optional<PlannedCopy>> plan_local_snapshot(CaseAccount& account, const std::string& snapshot, const CopyOptions& options) {
  ICECORE_ASSIGN(const Source source, look_at(account, snapshot, options));
  if (!source.copied) return std::optional<PlannedCopy>();
  return std::optional(PlannedCopy{
      fmt::format("a copy of {} in {}{}, since {}", snapshot, account.region(), source.encrypted ? ", under a customer key" : "", source.why),
      source.encrypted});
}

std::optional<std::string> copy_in_ledger(const evidence::Ledger& ledger, const std::string& snapshot) {
  std::optional<std::string> copy;
  for (const evidence::ResourceRecord& one : ledger.summary().resources())
    if (one.kind == "snapshot" && !one.removed && text_at(one.detail, "subject") == copy_subject(snapshot)) copy = one.id;
  return copy;
}

Result<std::string> local_snapshot(CaseAccount& account, const std::string& snapshot, const CopyOptions& options) {
  ICECORE_ASSIGN(const Source source, look_at(account, snapshot, options));
  if (!source.copied) return snapshot;
  ICECORE_CHECK(account.workspace().folder().write_evidence(fmt::format("sources/{}/describe-snapshots.xml", snapshot), source.body,
                                                            "ec2 DescribeSnapshots in " + source.region, evidence::Existing::kReplace));
  std::string key;
  if (source.encrypted) {
    ICECORE_ASSIGN(key, customer_key(account, options.kms_key));
  }
  account.workspace().say(fmt::format("copying {}, since {}", snapshot, source.why));
  const std::string subject = copy_subject(snapshot);
  Making making{.kind = "snapshot", .subject = subject, .evidence = true, .find = nullptr, .create = nullptr};
  making.find = [&] { return copies_of(account, subject); };
  making.create = [&](const std::string&, const aws::Tags& tags) {
    return account.ec2()
        .copy_snapshot({.source_region = source.region,
                        .source_snapshot = snapshot,
                        .description = fmt::format("Forensics copy of {} ({}, {})", snapshot, source.snapshot.owner_id, source.region),
                        .kms_key_id = key,
                        .encrypted = source.encrypted,
                        .tags = tags})
        .map([](auto reply) { return std::move(reply.value); });
  };
  return plain(make_once(account, making));
}

}  // namespace icecore::workstation
