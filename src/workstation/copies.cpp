#include "workstation/copies.h"

#include <fmt/format.h>
#include <algorithm>
#include <set>

#include "core/text.h"
#include "engine/snapshots.h"
#include "workstation/resources.h"

namespace icecore::workstation {
namespace {

constexpr std::string_view kSaidOfEveryCopy = "vol-ffffffff";  // what EC2 names as the volume of a copied snapshot

// "/dev/sdf", "sdf", "/dev/xvdf", "xvdf" → "f".
std::string place(std::string_view device) {
  for (const std::string_view prefix : {"/dev/", "xvd", "sd"})
    if (device.starts_with(prefix)) device.remove_prefix(prefix.size());
  return std::string(device);
}

/// What the account says of them now: one that is gone ends it, one in error is an anomaly and the others go on.
Result<void> drop_broken(CaseAccount& account, std::vector<engine::SnapshotRecord>& snapshots) {
  std::vector<std::string> ids;
  for (const engine::SnapshotRecord& one : snapshots) ids.push_back(one.snapshot);
  auto found = account.ec2().describe_snapshots({.ids = ids});
  if (!found && found.error().code == Code::kNotFound)
    return wrap(found.error(), "an evidence snapshot of this case is not in the account any more; its deletion is in CloudTrail");
  if (!found) return Failure(static_cast<const Error&>(found.error()));
  for (const aws::Snapshot& one : found->items) {
    if (one.state != "error") continue;
    std::erase_if(snapshots, [&](const engine::SnapshotRecord& record) { return record.snapshot == one.id; });
    const Failure broken =
        fail(Code::kRemote, fmt::format("{} ended in error ({}): there is nothing in it to look at", one.id, printable(one.state_message)));
    if (snapshots.empty()) return broken;
    account.workspace().anomalies().add("workstation.attach", broken.value());
  }
  return {};
}

}  // namespace

std::string_view view_name(View view) {
  switch (view) {
    case View::kRecovered: return "recovered";
    case View::kAsIs: return "as-is";
    case View::kWritable: return "writable";
  }
  return "";
}

std::string Copy::subject() const { return fmt::format("{}/{}", snapshot.snapshot, view_name(view)); }

std::string Copy::folder() const {
  const bool named = !snapshot.volume.empty() && snapshot.volume != kSaidOfEveryCopy;
  const std::string base = named ? snapshot.volume : snapshot.snapshot;
  return view == View::kRecovered ? base : fmt::format("{}.{}", base, view_name(view));
}

std::vector<std::string> free_devices(const aws::Instance& instance) {
  std::set<std::string> taken = {place(instance.root_device_name)};
  for (const aws::BlockDevice& device : instance.block_devices) taken.insert(place(device.device_name));
  std::vector<std::string> names;
  for (char letter = 'f'; letter <= 'p'; ++letter)
    if (!taken.contains(std::string(1, letter))) names.push_back(fmt::format("/dev/sd{}", letter));
  for (const char first : {'b', 'c'})
    for (char letter = 'a'; letter <= 'z'; ++letter) {
      const std::string two = {first, letter};
      if (!taken.contains(two)) names.push_back("/dev/xvd" + two);
    }
  return names;
}

Result<std::vector<engine::SnapshotRecord>> evidence_snapshots(CaseAccount& account, const std::vector<std::string>& named) {
  engine::Workspace& workspace = account.workspace();
  const std::string folder = workspace.folder().path().string();
  ICECORE_ASSIGN(auto snapshots, engine::snapshots_of(workspace.folder()));
  if (snapshots.empty())
    return fail(Code::kConflict, fmt::format("the case {} has no snapshots; icecore collect --case {} i-… takes them", folder, folder));
  for (const std::string& name : named)
    if (std::ranges::find(snapshots, name, &engine::SnapshotRecord::snapshot) == snapshots.end())
      return fail(Code::kNotFound, fmt::format("{} is not evidence of the case {}; icecore collect --case {} {} takes it in", printable(name), folder,
                                               folder, printable(name)));
  if (!named.empty())
    std::erase_if(snapshots, [&](const engine::SnapshotRecord& one) { return std::ranges::find(named, one.snapshot) == named.end(); });
  for (const engine::SnapshotRecord& one : snapshots)
    if (one.region != account.region())
      return fail(
          Code::kConflict,
          fmt::format("{} is in {}; a workstation in {} cannot use it: give --region {} (and a workstation there), or copy it: icecore collect {} "
                      "--source-region {}",
                      one.snapshot, one.region, account.region(), one.region, one.snapshot, one.region));
  ICECORE_CHECK(drop_broken(account, snapshots));
  ICECORE_CHECK(engine::wait_for_snapshots(workspace, account.ec2(), snapshots));
  return snapshots;
}

Result<std::vector<AttachedCopy>> attached_copies(CaseAccount& account, const Machine& machine, bool loose) {
  ICECORE_ASSIGN(const auto records, engine::snapshots_of(account.workspace().folder()));
  ICECORE_ASSIGN(const auto volumes, account.volumes());
  std::vector<AttachedCopy> copies;
  for (const aws::Volume& volume : volumes) {
    const bool attached = !volume.attachments.empty();
    if (attached ? volume.attachments.front().instance_id != machine.id() : !loose) continue;
    const std::string subject = aws::tag_value(volume.tags, "icecore:subject");
    for (const engine::SnapshotRecord& record : records)
      for (const View view : {View::kRecovered, View::kAsIs, View::kWritable})
        if (const Copy copy{record, view}; copy.subject() == subject)
          copies.push_back({copy, volume.id, attached ? volume.attachments.front().device : "", volume.size_gib});
  }
  return copies;
}

}  // namespace icecore::workstation
