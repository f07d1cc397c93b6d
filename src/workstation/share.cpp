#include "workstation/share.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/text.h"
#include "engine/instance_record.h"
#include "engine/snapshots.h"

namespace icecore::workstation {
namespace {

constexpr int kMostDays = 36'500;  // LockSnapshot's own limit

struct Encryption {
  bool default_key = false;
  std::string key;
};

Result<Encryption> encryption_of(CaseAccount& account, const std::string& snapshot) {
  ICECORE_ASSIGN(const auto found, plain(account.ec2().describe_snapshots({.ids = {snapshot}})));
  if (found.items.empty()) return fail(Code::kNotFound, snapshot + " is not there any more");
  const aws::Snapshot& one = found.items.front();
  if (!one.encrypted) return Encryption{};
  ICECORE_ASSIGN(const aws::KmsKey key, plain(account.kms().describe_key(one.kms_key_id)));
  return Encryption{key.aws_managed, one.kms_key_id};
}

/// What is shared in place of a snapshot: itself, or a copy that may be.
Result<Shared::One> shareable(CaseAccount& account, const engine::SnapshotRecord& record, const ShareOptions& options) {
  Shared::One one{record.snapshot, "", ""};
  ICECORE_ASSIGN(const Encryption encryption, encryption_of(account, record.snapshot));
  one.key = encryption.key;
  if (!encryption.default_key) return one;
  ICECORE_ASSIGN(one.key, customer_key(account, options.kms_key));
  ICECORE_ASSIGN(one.snapshot, local_snapshot(account, record.snapshot, {std::nullopt, one.key, true}));
  one.copy_of = record.snapshot;
  ICECORE_ASSIGN(const auto adopted, engine::adopt_snapshot(account.workspace(), account.ec2(), one.snapshot, account.account()));
  ICECORE_CHECK(engine::wait_for_snapshots(account.workspace(), account.ec2(), {adopted}));
  return one;
}

bool is_account(const std::string& text) { return text.size() == 12 && text.find_first_not_of("0123456789") == std::string::npos; }

Result<void> check_lock(const std::string& mode, int days) {
  if (mode != "governance" && mode != "compliance")
    return fail(Code::kInvalidArgument, fmt::format("--lock '{}' is neither governance nor compliance", printable(mode)));
  if (days < 1 || days > kMostDays) return fail(Code::kInvalidArgument, fmt::format("--lock-days {}: 1 to {}", days, kMostDays));
  return {};
}

}  // namespace

Result<void> ShareOptions::check() const {
  for (const std::string& one : accounts)
    if (!is_account(one))
      return fail(Code::kInvalidArgument, fmt::format("'{}' is no account: 12 digits. Evidence is never made public", printable(one)));
  if (accounts.empty() && lock_mode.empty()) return fail(Code::kInvalidArgument, "nothing to do: give --account, or --lock, or both");
  return lock_mode.empty() ? Result<void>() : check_lock(lock_mode, lock_days);
}

Result<std::optional<PlannedCopy>> plan_shareable(CaseAccount& account, const std::string& snapshot, const ShareOptions& options) {
  ICECORE_ASSIGN(const Encryption encryption, encryption_of(account, snapshot));
  if (!encryption.default_key) return std::optional<PlannedCopy>();
  return plan_local_snapshot(account, snapshot, {std::nullopt, options.kms_key, true});
}

Result<void> lock_snapshots(CaseAccount& account, const std::vector<std::string>& snapshots, const std::string& mode, int days) {
  ICECORE_CHECK(check_lock(mode, days));
  for (const std::string& snapshot : snapshots) {
    ICECORE_CHECK(plain(account.ec2().lock_snapshot(snapshot, mode, days)));
    ICECORE_CHECK(account.ledger().note({{"note", "snapshot-locked"}, {"snapshot", snapshot}, {"mode", mode}, {"days", days}}));
  }
  return {};
}

Result<Shared> share(CaseAccount& account, const ShareOptions& options) {
  ICECORE_CHECK(options.check());
  ICECORE_ASSIGN(const auto records, engine::snapshots_of(account.workspace().folder()));
  if (records.empty()) return fail(Code::kConflict, "the case has no snapshots to share or lock; icecore collect takes them");
  if (!options.accounts.empty()) ICECORE_CHECK(engine::wait_for_snapshots(account.workspace(), account.ec2(), records));
  Shared done;
  for (const engine::SnapshotRecord& record : records) {
    if (options.accounts.empty()) break;
    ICECORE_ASSIGN(Shared::One one, shareable(account, record, options));
    ICECORE_CHECK(plain(account.ec2().modify_snapshot_permission(one.snapshot, true, options.accounts)));
    ICECORE_CHECK(account.ledger().note({{"note", "snapshot-shared"}, {"snapshot", one.snapshot}, {"accounts", options.accounts}}));
    if (!one.key.empty())
      done.remarks.push_back(
          fmt::format("{} is encrypted: the policy of {} has to allow account {} kms:DescribeKey, kms:Decrypt, kms:CreateGrant and "
                      "kms:ReEncryptFrom",
                      one.snapshot, one.key, fmt::join(options.accounts, ", ")));
    done.snapshots.push_back(std::move(one));
  }
  if (options.lock_mode.empty()) return done;
  ICECORE_ASSIGN(const auto all, engine::snapshots_of(account.workspace().folder()));
  for (const engine::SnapshotRecord& record : all) done.locked.push_back(record.snapshot);
  ICECORE_CHECK(lock_snapshots(account, done.locked, options.lock_mode, options.lock_days));
  return done;
}

}  // namespace icecore::workstation
