// From snapshots to attached volumes: make all, wait for all, attach all, wait for all. What the account says is looked at before anything is
// repeated.
#include <fmt/format.h>
#include <algorithm>

#include "workstation/copies.h"
#include "workstation/resources.h"
#include "workstation/waiting.h"

namespace icecore::workstation {
namespace {

class Attacher {
 public:
  Attacher(CaseAccount& account, const Machine& machine, Patience patience)
      : account_(account), machine_(machine), patience_(patience), devices_(free_devices(machine.described())) {}

  Result<std::vector<AttachedCopy>> go(const std::vector<Copy>& wanted) {
    account_.workspace().progress().begin("copies of the evidence: made and attached", wanted.size() * 2, "steps");
    std::vector<AttachedCopy> copies;
    for (const Copy& copy : wanted) {
      ICECORE_ASSIGN(const bool fine, goes_on(copy, make(copy, zone())));
      if (fine) copies.push_back({copy, volume_, "", copy.snapshot.size_gib});
      account_.workspace().progress().update(++steps_);
    }
    std::vector<AttachedCopy> attached;
    for (AttachedCopy& copy : copies) {
      ICECORE_ASSIGN(const bool fine, goes_on(copy.copy, settle(copy)));
      if (fine) attached.push_back(copy);
      account_.workspace().progress().update(++steps_);
    }
    account_.workspace().progress().end();
    return attached;
  }

 private:
  const Zone& zone() const { return machine_.zone(); }

  /// One copy's trouble is an anomaly and not the end, unless no other could fare better.
  Result<bool> goes_on(const Copy& copy, Result<void> result) {
    if (result) return true;
    const Code code = result.error().code;
    const bool of_all =
        code == Code::kInterrupted || code == Code::kCredentials || code == Code::kPermission || code == Code::kIo || code == Code::kIntegrity;
    if (of_all) return Failure(result.error());
    ICECORE_CHECK(still_there());
    account_.workspace().anomalies().add(
        "workstation.attach",
        wrap(result.error(), fmt::format("the copy of {} ({}) is not attached", copy.snapshot.snapshot, view_name(copy.view))).value());
    return false;
  }

  Result<void> still_there() {
    auto now = account_.ec2().describe_instances({.ids = {machine_.id()}});
    const std::string state = now && !now->items.empty() ? now->items.front().state : "gone";
    if (state == "running" || (!now && now.error().code != Code::kNotFound)) return {};
    return fail(Code::kRemote,
                fmt::format("the workstation {} is {}: somebody took it down while its disks were being attached. icecore workstation up {} "
                            "makes another, and attach goes on there",
                            machine_.id(), state, account_.workspace().folder().path().string()));
  }

  /// The zone is the machine's: there is no other way to come by one.
  Result<void> make(const Copy& copy, const Zone& zone) {
    for (int round = 0;; ++round) {
      ICECORE_ASSIGN(volume_, plain(make_once(account_, making(copy, zone))));
      ICECORE_ASSIGN(const aws::Volume volume, wait_made());
      if (volume.state != "error") return {};
      // EBS gave up on it (a key that may not be used, most often): it is of no use to anyone, and one more try tells whether it was bad luck.
      ICECORE_CHECK(remove_once(account_, "volume", volume_, [&] { return account_.ec2().delete_volume(volume_).map([](const auto&) {}); }));
      if (round == 1)
        return fail(Code::kRemote,
                    fmt::format("EBS could not make a volume of {}: it ended in error twice. For an encrypted snapshot, look at the rights on "
                                "its KMS key",
                                copy.snapshot.snapshot));
    }
  }

  Making making(const Copy& copy, const Zone& zone) {
    Making making{.kind = "volume", .subject = copy.subject(), .has_token = true, .find = nullptr, .create = nullptr};
    making.find = [this, subject = copy.subject()]() -> Result<std::vector<std::string>> {
      ICECORE_ASSIGN(const auto volumes, account_.volumes(subject));
      std::vector<std::string> ids;
      for (const aws::Volume& volume : volumes)
        if (usable(volume)) ids.push_back(volume.id);
      return ids;
    };
    making.create = [this, snapshot = copy.snapshot.snapshot, zone = zone.name()](const std::string& token, const aws::Tags& tags) {
      return account_.ec2()
          .create_volume({.availability_zone = zone, .snapshot_id = snapshot, .client_token = token, .tags = tags})
          .map([](auto reply) { return std::move(reply.value.id); });
    };
    return making;
  }

  /// A copy of an earlier workstation in another zone is of no use to this one; it goes with cleanup.
  bool usable(const aws::Volume& volume) const {
    const bool elsewhere = !volume.attachments.empty() && volume.attachments.front().instance_id != machine_.id();
    return volume.availability_zone == zone().name() && !elsewhere;
  }

  Result<aws::Volume> describe(const std::string& id) {
    ICECORE_ASSIGN(auto found, plain(account_.ec2().describe_volumes({.ids = {id}})));
    if (found.items.empty()) return fail(Code::kNotFound, fmt::format("{} is gone", id));
    return found.items.front();
  }

  Result<aws::Volume> wait_made() {
    Waiting waiting(account_.workspace(), patience_);
    while (true) {
      ICECORE_ASSIGN(aws::Volume volume, describe(volume_));
      if (volume.state != "creating") return volume;
      ICECORE_CHECK(
          waiting.pause(fmt::format("{} is still creating", volume_), "run attach again to go on waiting for it, or take it away with cleanup"));
    }
  }

  /// Attached to this machine, whatever it takes.
  Result<void> settle(AttachedCopy& copy) {
    Waiting waiting(account_.workspace(), patience_);
    while (true) {
      ICECORE_ASSIGN(const aws::Volume volume, describe(copy.volume));
      const std::string state = volume.attachments.empty() ? "" : volume.attachments.front().state;
      copy.size_gib = volume.size_gib;
      if (state == "attached") {
        copy.device = volume.attachments.front().device;
        return {};
      }
      if (volume.state == "available") {
        ICECORE_CHECK(attach(copy.volume));
        continue;
      }
      ICECORE_CHECK(waiting.pause(fmt::format("{} is still {}", copy.volume, state.empty() ? volume.state : state),
                                  fmt::format("detach it by force (aws ec2 detach-volume --force --volume-id {}) and run attach again, or make a new "
                                              "workstation: an instance that was stopped and started heals most of these",
                                              copy.volume)));
    }
  }

  /// AttachVolume has no token: after an unknown outcome the caller looks at the volume again before it comes here a second time.
  Result<void> attach(const std::string& volume) {
    while (true) {
      if (devices_.empty()) return fail(Code::kConflict, fmt::format("{} has no free device name left", machine_.id()));
      const std::string device = devices_.front();
      devices_.erase(devices_.begin());
      const auto done = account_.ec2().attach_volume(volume, machine_.id(), device);
      if (done || done.error().outcome_unknown || done.error().aws_code == "VolumeInUse") return {};
      const bool taken = done.error().message.find("already in use") != std::string::npos;
      if (taken) continue;  // by somebody else, since we looked
      if (done.error().aws_code == "AttachmentLimitExceeded")
        return wrap(done.error(),
                    fmt::format("{} ({}) takes no more volumes; attach the others after a reset with --snapshot, or use a second case or a "
                                "bigger --type",
                                machine_.id(), machine_.described().instance_type));
      return Failure(static_cast<const Error&>(done.error()));
    }
  }

  CaseAccount& account_;
  const Machine& machine_;
  const Patience patience_;
  std::vector<std::string> devices_;
  std::string volume_;  // of the copy that is being made
  std::uint64_t steps_ = 0;
};

}  // namespace

Result<std::vector<AttachedCopy>> attach_copies(CaseAccount& account, const Machine& machine, const std::vector<Copy>& wanted, Patience patience) {
  return Attacher(account, machine, patience).go(wanted);
}

namespace {

// Asked twice, EC2 says of a volume that is going that its state is wrong; so the state is looked at.
aws::CallResult<void> delete_volume(CaseAccount& account, const std::string& id) {
  auto deleted = account.ec2().delete_volume(id);
  if (deleted) return {};
  if (deleted.error().code != Code::kConflict) return aws::CallFailure(std::move(deleted).error());
  const auto now = account.ec2().describe_volumes({.ids = {id}});
  const bool gone = (!now && now.error().code == Code::kNotFound) || (now && (now->items.empty() || now->items.front().state.starts_with("delet")));
  if (gone) return {};
  return aws::CallFailure(std::move(deleted).error());
}

}  // namespace

Result<void> remove_copy_volume(CaseAccount& account, const std::string& id, Detach detach, Patience patience) {
  Waiting waiting(account.workspace(), patience);
  bool asked = detach == Detach::kWait;
  while (true) {
    auto found = account.ec2().describe_volumes({.ids = {id}});
    if (!found && found.error().code != Code::kNotFound) return Failure(static_cast<const Error&>(found.error()));
    if (!found || found->items.empty() || found->items.front().attachments.empty()) break;
    const std::string state = found->items.front().attachments.front().state;
    if (!asked && state != "detaching") {
      const auto detached = account.ec2().detach_volume(id, detach == Detach::kForce);
      // "available" already, or the instance is going: the next look tells.
      if (!detached && detached.error().code != Code::kConflict && detached.error().code != Code::kNotFound)
        return Failure(static_cast<const Error&>(detached.error()));
      asked = true;
    }
    ICECORE_CHECK(
        waiting.pause(fmt::format("{} is still {}", id, state), "something on the workstation holds it: unmount it there, or give --force"));
  }
  return remove_once(account, "volume", id, [&] { return delete_volume(account, id); });
}

}  // namespace icecore::workstation
