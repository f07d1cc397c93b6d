#include <algorithm>

#include "ec2/describe.h"
#include "ec2/handlers.h"
#include "ec2/kinds.h"
#include "ec2/snapshots.h"

namespace icelab {
namespace {

constexpr Millis kDay = 86'400'000;

json& owned_snapshot(Ec2Call& call) {
  const std::string id = call.text("SnapshotId");
  json& snapshot = find_object(call, "snapshots", id);
  if (!snapshot_visible(call, snapshot)) throw not_found(kind_of("snapshots"), id);
  call.permit({{"snapshot", id, tags_of(snapshot), false, {}}});
  if (snapshot.value("OwnerId", "") != call.world.account) throw ApiError("OperationNotPermitted", "You do not own the snapshot '" + id + "'", 403);
  return snapshot;
}

json lock_info(const json& snapshot) {
  json out = snapshot["_lock"];
  out["SnapshotId"] = snapshot["SnapshotId"];
  return out;
}

// Members are added or removed either by the old parameters or by the new structure.
void change_accounts(json& snapshot, const json& users, const json& groups, bool add) {
  json& accounts = snapshot["_accounts"];
  if (!accounts.is_array()) accounts = json::array();
  for (const json& user : users) {
    const auto found = std::find(accounts.begin(), accounts.end(), user);
    if (add && found == accounts.end()) accounts.push_back(user);
    if (!add && found != accounts.end()) accounts.erase(found);
  }
  if (std::find(groups.begin(), groups.end(), "all") != groups.end()) snapshot["_public"] = add;
}

}  // namespace

json describe_snapshot_attribute(Ec2Call& call) {
  const json& snapshot = owned_snapshot(call);
  json out = {{"SnapshotId", snapshot["SnapshotId"]}};
  if (call.text("Attribute") == "productCodes") {
    out["ProductCodes"] = json::array();
    return out;
  }
  json permissions = json::array();
  for (const json& account : snapshot.value("_accounts", json::array())) permissions.push_back({{"UserId", account}});
  if (snapshot.value("_public", false)) permissions.push_back({{"Group", "all"}});
  out["CreateVolumePermissions"] = std::move(permissions);
  return out;
}

json modify_snapshot_attribute(Ec2Call& call) {
  json& snapshot = owned_snapshot(call);
  const json changes = call.in.value("CreateVolumePermission", json::object());
  const auto pick = [](const json& list, const char* member) {
    json out = json::array();
    for (const json& one : list) {
      if (one.contains(member)) out.push_back(one[member]);
    }
    return out;
  };
  json more = changes.value("Add", json::array());
  json less = changes.value("Remove", json::array());
  json users = pick(more, "UserId");
  json groups = pick(more, "Group");
  const bool old_add = call.text("OperationType") == "add";
  if (old_add) {
    for (const json& user : call.list("UserIds")) users.push_back(user);
    for (const json& group : call.list("GroupNames")) groups.push_back(group);
  }
  if (snapshot.value("Encrypted", false) && !groups.empty()) throw ApiError("InvalidParameterValue", "Encrypted snapshots cannot be made public");
  if (snapshot.value("Encrypted", false) && snapshot.value("_default_key", false) && !users.empty())
    throw ApiError("InvalidParameterValue", "Encrypted snapshots with EBS default key cannot be shared");
  change_accounts(snapshot, users, groups, true);
  change_accounts(snapshot, pick(less, "UserId"), pick(less, "Group"), false);
  if (call.text("OperationType") == "remove") change_accounts(snapshot, call.list("UserIds"), call.list("GroupNames"), false);
  return json::object();
}

json describe_snapshot_tier_status(Ec2Call& call) {
  static const FilterTable kFilters = {
      {"snapshot-id", "SnapshotId"}, {"volume-id", "VolumeId"}, {"last-tiering-operation", "LastTieringOperationStatus"}};
  check_filters(call.list("Filters"), kFilters);
  json list = json::array();
  for (const auto& [id, snapshot] : call.region["snapshots"]) {
    if (snapshot.value("OwnerId", "") != call.world.account || !matches_filters(snapshot, call.list("Filters"), kFilters)) continue;
    list.push_back({{"SnapshotId", id},
                    {"VolumeId", snapshot["VolumeId"]},
                    {"Status", snapshot["State"]},
                    {"OwnerId", snapshot["OwnerId"]},
                    {"StorageTier", snapshot.value("StorageTier", "standard")},
                    {"Tags", tags_of(snapshot)}});
  }
  return {{"SnapshotTierStatuses", std::move(list)}};
}

json lock_snapshot(Ec2Call& call) {
  json& snapshot = owned_snapshot(call);
  const std::string mode = call.text("LockMode");
  const std::int64_t days = call.in.value("LockDuration", std::int64_t{0});
  if (days == 0 && !call.in.contains("ExpirationDate")) throw ApiError("MissingParameter", "The request must contain LockDuration or ExpirationDate");
  if (days < 0 || days > 36'500) throw ApiError("InvalidParameterValue", "LockDuration must be 1 to 36500 days");
  const std::int64_t cool_off = call.in.value("CoolOffPeriod", std::int64_t{0});
  if (cool_off != 0 && mode != "compliance") throw ApiError("InvalidParameterCombination", "CoolOffPeriod is for compliance mode only");
  if (snapshot.contains("_lock") && snapshot["_lock"].value("LockState", "") == "compliance" && mode != "compliance")
    throw ApiError("SnapshotLocked", "A snapshot locked in compliance mode cannot change its mode");
  const Millis now = call.lab.clock.now();
  json lock = {{"LockState", cool_off != 0 ? "compliance-cooloff" : mode}, {"LockCreatedOn", iso8601(now)}, {"LockDurationStartTime", iso8601(now)}};
  if (days != 0) lock["LockDuration"] = days;
  lock["LockExpiresOn"] = days != 0 ? iso8601(now + days * kDay) : call.text("ExpirationDate");
  if (cool_off != 0) {
    lock["CoolOffPeriod"] = cool_off;
    lock["CoolOffPeriodExpiresOn"] = iso8601(now + cool_off * 3'600'000);
  }
  snapshot["_lock"] = std::move(lock);
  return lock_info(snapshot);
}

json unlock_snapshot(Ec2Call& call) {
  json& snapshot = owned_snapshot(call);
  const std::string id = snapshot["SnapshotId"];
  if (!snapshot.contains("_lock")) throw ApiError("SnapshotNotLocked", "The snapshot '" + id + "' is not locked");
  if (snapshot["_lock"]["LockState"] == "compliance") throw ApiError("SnapshotLocked", "The snapshot '" + id + "' is locked in compliance mode");
  snapshot.erase("_lock");
  return {{"SnapshotId", id}};
}

json describe_locked_snapshots(Ec2Call& call) {
  static const FilterTable kFilters = {{"lock-state", "_lock.LockState"}};
  check_filters(call.list("Filters"), kFilters);
  json list = json::array();
  const json wanted = call.list("SnapshotIds");
  for (const auto& [id, snapshot] : call.region["snapshots"]) {
    if (!snapshot.contains("_lock") || !matches_filters(snapshot, call.list("Filters"), kFilters)) continue;
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), id) == wanted.end()) continue;
    json info = lock_info(snapshot);
    info["OwnerId"] = snapshot["OwnerId"];
    list.push_back(std::move(info));
  }
  return {{"Snapshots", std::move(list)}};
}

}  // namespace icelab
