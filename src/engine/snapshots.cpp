#include "engine/snapshots.h"

#include <fmt/format.h>
#include <algorithm>
#include <functional>
#include <set>

#include "core/interrupt.h"
#include "engine/evidence_calls.h"

namespace icecore::engine {
namespace {

// How long a snapshot that was asked for just before we were killed may take to show up under its tag.
constexpr int kLookAgainSeconds = 5;

using Snapshots = std::vector<aws::Snapshot>;

struct Making {
  std::string subject;               // i-… or vol-…: what the tag says
  std::vector<std::string> volumes;  // of which a snapshot each is expected
  std::function<aws::CallResult<Snapshots>(const std::string& description, const aws::Tags&)> create;
};

aws::Tags tags_for(Workspace& workspace, const std::string& subject, const std::string& label) {
  return {{"Name", label},
          {"icecore:case", workspace.folder().identity().id},
          {"icecore:run", workspace.folder().ledger().run().run},
          {"icecore:subject", subject}};
}

Result<Snapshots> tagged_snapshots(Workspace& workspace, aws::Ec2& ec2, const std::string& subject) {
  const std::vector<aws::Filter> filters = {{"tag:icecore:case", {workspace.folder().identity().id}}, {"tag:icecore:subject", {subject}}};
  auto found = ec2.describe_snapshots({.filters = filters}, {"self"});
  if (!found) return Failure(static_cast<const Error&>(found.error()));
  return std::move(found->items);
}

bool covers(const Snapshots& snapshots, const std::vector<std::string>& volumes) {
  return std::ranges::all_of(volumes, [&](const std::string& volume) {
    return std::ranges::any_of(snapshots, [&](const aws::Snapshot& s) { return s.volume_id == volume && s.state != "error"; });
  });
}

// Whether an earlier run of this case was stopped between asking for this snapshot and hearing of it.
std::vector<std::uint64_t> unfinished_acts(Workspace& workspace, const std::string& subject) {
  std::vector<std::uint64_t> acts;
  for (const evidence::Entry& intent : workspace.folder().ledger().summary().open_intents())
    if (text_at(intent.body, "act") == "create-snapshots" && text_at(intent.body, "subject") == subject) acts.push_back(intent.act);
  return acts;
}

Json created_list(const Snapshots& snapshots) {
  Json created = Json::array();
  for (const aws::Snapshot& s : snapshots) created.push_back({{"kind", "snapshot"}, {"id", s.id}, {"volume", s.volume_id}, {"evidence", true}});
  return created;
}

// What carries the tag already. Where a call was in flight when a run died, it is given time to show up.
Result<Snapshots> look_for(Workspace& workspace, aws::Ec2& ec2, const Making& making, bool was_in_flight) {
  ICECORE_ASSIGN(Snapshots found, tagged_snapshots(workspace, ec2, making.subject));
  for (int second = 0; was_in_flight && found.empty() && second < kLookAgainSeconds && !interrupted(); ++second) {
    workspace.clock().sleep_for(1000);
    ICECORE_ASSIGN(found, tagged_snapshots(workspace, ec2, making.subject));
  }
  return found;
}

Result<Snapshots> create_once(Workspace& workspace, aws::Ec2& ec2, const Making& making) {
  evidence::Ledger& ledger = workspace.folder().ledger();
  const std::vector<std::uint64_t> in_flight = unfinished_acts(workspace, making.subject);
  ICECORE_ASSIGN(Snapshots found, look_for(workspace, ec2, making, !in_flight.empty()));
  const bool there = covers(found, making.volumes);
  for (const std::uint64_t act : in_flight)
    ICECORE_CHECK(ledger.conclude(act, {{"ok", there}, {"recovered", true}, {"created", there ? created_list(found) : Json::array()}}));
  if (there) return found;

  const std::string label = fmt::format("Forensics {} {}", to_iso8601(workspace.clock().now(), 0), making.subject);
  ICECORE_ASSIGN(const std::uint64_t act, ledger.intend({{"act", "create-snapshots"}, {"subject", making.subject}, {"label", label}}));
  auto made = making.create(label, tags_for(workspace, making.subject, label));
  if (!made && made.error().outcome_unknown) {
    // The call has no idempotency token, so it is never sent twice on a guess: its tag tells.
    ICECORE_ASSIGN(found, look_for(workspace, ec2, making, true));
    if (covers(found, making.volumes)) made = found;
  }
  if (!made) {
    ICECORE_CHECK(ledger.conclude(act, {{"ok", false}, {"error", to_string(made.error())}}));
    return Failure(static_cast<const Error&>(made.error()));
  }
  ICECORE_CHECK(ledger.conclude(act, {{"ok", true}, {"created", created_list(*made)}}));
  return std::move(*made);
}

Result<SnapshotRecord> record_snapshot(Workspace& workspace, const aws::Snapshot& snapshot, const std::string& instance, const std::string& device,
                                       const std::string& region) {
  SnapshotRecord record{snapshot.id,
                        snapshot.volume_id,
                        instance,
                        device,
                        snapshot.owner_id,
                        region,
                        snapshot.start_time ? to_iso8601(*snapshot.start_time, 3) : "",
                        snapshot.description,
                        snapshot.volume_size_gib,
                        snapshot.encrypted};
  const std::string file = fmt::format("snapshots/{}/snapshot.json", snapshot.id);
  if (!is_collected(workspace.folder(), file))
    ICECORE_CHECK(workspace.folder().write_evidence(file, to_json(record).dump(2) + '\n', "summary of the snapshot as EC2 described it"));
  return record;
}

// AWS's word that it is completed; where this is in the case, nobody has to ask again.
std::string completed_file(const std::string& snapshot) { return fmt::format("snapshots/{}/completed.xml", snapshot); }

Failure no_volume(const SnapshotRequest& request) {
  if (request.only_volume)
    return fail(Code::kNotFound, fmt::format("{} is not attached to {}; its volumes are in instances/{}/metadata.json", *request.only_volume,
                                             request.instance.instance, request.instance.instance));
  return fail(
      Code::kConflict,
      fmt::format("{} has no EBS volume: instance store cannot be snapshotted and is lost when the instance stops. Keep it running and copy its "
                  "disks from inside; everything else can be collected with --no-snapshot",
                  request.instance.instance));
}

Making making_of(aws::Ec2& ec2, const SnapshotRequest& request) {
  Making making;
  if (request.only_volume) {
    making.subject = *request.only_volume;
    making.volumes = {*request.only_volume};
    making.create = [&ec2, volume = *request.only_volume](const std::string& description, const aws::Tags& tags) -> aws::CallResult<Snapshots> {
      return ec2.create_snapshot(volume, description, tags).map([](auto reply) { return Snapshots{std::move(reply.value)}; });
    };
    return making;
  }
  making.subject = request.instance.instance;
  for (const AttachedVolume& volume : request.instance.volumes) making.volumes.push_back(volume.volume);
  making.create = [&ec2, instance = request.instance.instance](const std::string& description, const aws::Tags& tags) -> aws::CallResult<Snapshots> {
    return ec2.create_snapshots({.instance_id = instance, .description = description, .tags = tags, .exclude_volumes = {}}).map([](auto reply) {
      return std::move(reply.value);
    });
  };
  return making;
}

}  // namespace

Result<std::vector<SnapshotRecord>> make_snapshots(Workspace& workspace, aws::Ec2& ec2, const SnapshotRequest& request) {
  const auto wanted = [&](const AttachedVolume& volume) { return !request.only_volume || volume.volume == *request.only_volume; };
  if (std::ranges::none_of(request.instance.volumes, wanted)) return no_volume(request);
  ICECORE_ASSIGN(auto known, snapshots_of(workspace.folder()));
  std::erase_if(known, [&](const SnapshotRecord& record) {
    return std::ranges::none_of(request.instance.volumes, [&](const AttachedVolume& v) { return wanted(v) && v.volume == record.volume; });
  });
  const auto is_known = [&](const AttachedVolume& volume) { return std::ranges::find(known, volume.volume, &SnapshotRecord::volume) != known.end(); };
  if (std::ranges::all_of(request.instance.volumes, [&](const AttachedVolume& volume) { return !wanted(volume) || is_known(volume); })) return known;
  ICECORE_ASSIGN(const Snapshots snapshots, create_once(workspace, ec2, making_of(ec2, request)));
  std::vector<SnapshotRecord> records;
  for (const AttachedVolume& volume : request.instance.volumes) {
    if (!wanted(volume)) continue;
    const auto snapshot = std::ranges::find(snapshots, volume.volume, &aws::Snapshot::volume_id);
    if (snapshot == snapshots.end()) {
      workspace.anomalies().add("collect.snapshot",
                                fail(Code::kRemote, fmt::format("AWS made no snapshot of {} ({})", volume.volume, volume.device)).value());
      continue;
    }
    ICECORE_ASSIGN(records.emplace_back(), record_snapshot(workspace, *snapshot, request.instance.instance, volume.device, ec2.region()));
  }
  return records;
}

Result<std::vector<SnapshotRecord>> make_volume_snapshot(Workspace& workspace, aws::Ec2& ec2, const std::string& volume, const std::string& account) {
  EvidenceCalls calls(workspace, ec2, "volumes/" + volume);
  const std::vector<std::string> ids = {volume};
  ICECORE_ASSIGN(const auto bodies, calls.describe("DescribeVolumes", aws::Parameters().list("VolumeId", ids), "describe-volumes"));
  ICECORE_ASSIGN(const auto volumes, items_of<aws::Volume>(bodies, "volumeSet", "DescribeVolumes"));
  if (volumes.empty()) return fail(Code::kNotFound, fmt::format("{} is not in {} of account {}", volume, ec2.region(), account));
  SnapshotRequest request;
  const auto& attachments = volumes.front().attachments;
  request.instance.instance = attachments.empty() ? "" : attachments.front().instance_id;
  request.instance.volumes = {
      {attachments.empty() ? "" : attachments.front().device, volume, volumes.front().size_gib, volumes.front().encrypted, false}};
  request.only_volume = volume;
  return make_snapshots(workspace, ec2, request);
}

Result<SnapshotRecord> adopt_snapshot(Workspace& workspace, aws::Ec2& ec2, const std::string& snapshot, const std::string& account) {
  const std::string file = fmt::format("snapshots/{}/snapshot.json", snapshot);
  if (is_collected(workspace.folder(), file)) {
    ICECORE_ASSIGN(const std::string text, workspace.folder().read(file));
    return parse_snapshot_record(text);
  }
  auto found = ec2.describe_snapshots({.ids = {snapshot}});
  if (!found && found.error().code == Code::kNotFound)
    return wrap(
        found.error(),
        fmt::format(
            "{} is not in {}, or is not shared with account {}; name its region with --region, or copy it here: icecore collect --source-region",
            snapshot, ec2.region(), account));
  if (!found) return Failure(static_cast<const Error&>(found.error()));
  if (found->items.empty()) return fail(Code::kNotFound, fmt::format("{} is not in {}", snapshot, ec2.region()));
  const aws::Snapshot& described = found->items.front();
  if (described.owner_id != account)
    return fail(
        Code::kConflict,
        fmt::format(
            "{} belongs to account {}: the EBS direct APIs read only the account's own snapshots. icecore collect {} copies it into a case of its "
            "own, which can then be looked at; icecore acquire --copy {} gives its complete image in one go",
            snapshot, described.owner_id, snapshot, snapshot));
  if (described.storage_tier == "archive")
    return fail(Code::kConflict,
                fmt::format("{} is archived; restore it first: aws ec2 restore-snapshot-tier --snapshot-id {} --temporary-restore-days 7", snapshot,
                            snapshot));
  if (!described.outpost_arn.empty())
    return fail(Code::kUnsupported, fmt::format("{} lies on an Outpost, where the EBS direct APIs do not read", snapshot));
  if (described.state == "error")
    return fail(Code::kRemote, fmt::format("{} ended in error ({}), so there is nothing in it to read; take a new one: icecore collect {}", snapshot,
                                           described.state_message.empty() ? "AWS gives no reason" : described.state_message, described.volume_id));
  ICECORE_CHECK(workspace.folder().write_evidence(fmt::format("snapshots/{}/describe-snapshots.xml", snapshot), found->pages.front(),
                                                  "ec2 DescribeSnapshots", evidence::Existing::kReplace));
  return record_snapshot(workspace, described, "", "", ec2.region());
}

Result<void> wait_for_snapshots(Workspace& workspace, aws::Ec2& ec2, const std::vector<SnapshotRecord>& snapshots) {
  std::vector<std::string> ids;
  for (const SnapshotRecord& record : snapshots)
    if (!is_collected(workspace.folder(), completed_file(record.snapshot))) ids.push_back(record.snapshot);
  if (ids.empty()) return {};
  workspace.progress().begin("waiting for the snapshots to complete", 100, "%");
  for (std::int64_t pause_ms = 250;; pause_ms = std::min<std::int64_t>(pause_ms * 3 / 2, 15'000)) {
    auto now = ec2.describe_snapshots({.ids = ids});
    if (!now) return Failure(static_cast<const Error&>(now.error()));
    std::uint64_t least = 100;
    bool all_completed = now->items.size() == ids.size();
    for (const aws::Snapshot& snapshot : now->items) {
      if (snapshot.state == "error")
        return fail(
            Code::kRemote,
            fmt::format("{} of {} ended in error: {}. The other snapshots are kept; see the volume's state in the console, then run the same command "
                        "again in a new case",
                        snapshot.id, snapshot.volume_id, snapshot.state_message.empty() ? "AWS gives no reason" : snapshot.state_message));
      if (snapshot.state == "completed") continue;
      all_completed = false;
      least = std::min<std::uint64_t>(least, std::strtoull(snapshot.progress.c_str(), nullptr, 10));
    }
    workspace.progress().update(all_completed ? 100 : least);
    if (all_completed) {
      for (const std::string& id : ids)
        ICECORE_CHECK(
            workspace.folder().write_evidence(completed_file(id), now->pages.front(), "ec2 DescribeSnapshots", evidence::Existing::kReplace));
      break;
    }
    workspace.clock().sleep_for(pause_ms);
    if (interrupted()) return interruption();
  }
  workspace.progress().end();
  return {};
}

}  // namespace icecore::engine
