#include "workstation/attach.h"

#include <fmt/format.h>
#include <algorithm>

#include "core/text.h"
#include "workstation/resources.h"

namespace icecore::workstation {
namespace {

std::string_view said_of(View view) {
  switch (view) {
    case View::kRecovered: return "a copy; its journal is replayed by the kernel, then it is read-only";
    case View::kAsIs: return "a copy, read-only, its journal not replayed";
    case View::kWritable: return "a copy to write to: nothing found on it is evidence any more";
  }
  return "";
}

Result<void> note_mounts(CaseAccount& account, const std::vector<AttachedCopy>& copies, const std::vector<Mounted>& mounts) {
  for (const Mounted& one : mounts) {
    Json note = {{"note", "workstation-mount"},
                 {"volume", one.volume},
                 {"partition", valid_utf8(one.partition)},
                 {"filesystem", valid_utf8(one.filesystem)},
                 {"state", one.state},
                 {"path", valid_utf8(one.path)},
                 {"words", valid_utf8(one.words)}};
    for (const AttachedCopy& copy : copies)
      if (copy.volume == one.volume) {
        note["snapshot"] = copy.copy.snapshot.snapshot;
        note["view"] = view_name(copy.copy.view);
        note["said"] = said_of(copy.copy.view);
      }
    ICECORE_CHECK(account.ledger().note(std::move(note)));
    if (one.is_trouble())
      account.workspace().anomalies().add(
          "workstation.mount",
          fail(Code::kUnsupported, fmt::format("{} {} {}: {}", one.volume, one.partition.empty() ? "" : "partition " + printable(one.partition),
                                               one.state == "failed" ? "does not mount" : one.state, printable(one.words)))
              .value());
  }
  return {};
}

Result<void> check_script(CaseAccount& account, const Machine& machine, const ScriptResult& ran, std::string_view what) {
  if (ran.exit_code == 0) return {};
  account.workspace().anomalies().add(
      "workstation.script", fail(Code::kRemote, fmt::format("the script that was to {} on {} ended with {}: {}", what, machine.id(), ran.exit_code,
                                                            printable(std::string(trim(ran.errors)).substr(0, 500))))
                                .value());
  return {};
}

Result<Attached> attach_and_mount(CaseAccount& account, const Machine& machine, const std::vector<Copy>& wanted, const AttachOptions& options) {
  Attached done{machine.id(), machine.zone().name(), {}, {}, ""};
  ICECORE_ASSIGN(done.copies, attach_copies(account, machine, wanted, options.patience));
  if (done.copies.empty()) return done;
  const std::string script = mount_script(done.copies);
  if (options.print_script) {
    done.script = script;
    return done;
  }
  ICECORE_ASSIGN(const ScriptResult ran, run_script(account, machine, options.remote, script, "mount the copies"));
  done.mounts = parse_report(ran.output);
  ICECORE_CHECK(note_mounts(account, done.copies, done.mounts));
  ICECORE_CHECK(check_script(account, machine, ran, "mount"));
  return done;
}

/// Copies that an unfinished reset had taken away: the ledger's open intents name them.
std::vector<Copy> of_killed_resets(CaseAccount& account, const std::vector<engine::SnapshotRecord>& records, std::vector<std::uint64_t>& acts) {
  std::vector<Copy> copies;
  for (const evidence::Entry& intent : account.ledger().summary().open_intents()) {
    if (text_at(intent.body, "act") != "reset") continue;
    acts.push_back(intent.act);
    const Json& list = json_at(intent.body, {"copies"});
    if (!list.is_array()) continue;
    for (const Json& subject : list)
      for (const engine::SnapshotRecord& record : records)
        for (const View view : {View::kRecovered, View::kAsIs, View::kWritable})
          if (const Copy copy{record, view}; subject.is_string() && subject.get<std::string>() == copy.subject()) copies.push_back(copy);
  }
  return copies;
}

Result<void> let_go(CaseAccount& account, const Machine& machine, const std::vector<AttachedCopy>& copies, const ResetOptions& options) {
  std::vector<AttachedCopy> there = copies;
  std::erase_if(there, [](const AttachedCopy& copy) { return copy.device.empty(); });
  if (there.empty()) return {};
  const std::string script = unmount_script(there, options.force);
  if (options.attach.print_script) return options.hand_over ? options.hand_over(script) : Result<void>();
  ICECORE_ASSIGN(const ScriptResult ran, run_script(account, machine, options.attach.remote, script, "unmount the copies"));
  for (const Mounted& one : parse_report(ran.output))
    if (one.state == "busy")
      return fail(Code::kBusy,
                  fmt::format("{} is in use on the workstation ({}); leave it (cd /), or give --force", printable(one.path), printable(one.words)));
  return check_script(account, machine, ran, "unmount");
}

}  // namespace

std::vector<Copy> wanted_copies(const std::vector<engine::SnapshotRecord>& snapshots, const AttachOptions& options) {
  std::vector<Copy> copies;
  for (const engine::SnapshotRecord& snapshot : snapshots) copies.push_back({snapshot, options.writable ? View::kWritable : View::kRecovered});
  if (options.as_is)
    for (const engine::SnapshotRecord& snapshot : snapshots) copies.push_back({snapshot, View::kAsIs});
  return copies;
}

Result<Attached> attach(CaseAccount& account, const AttachOptions& options) {
  ICECORE_ASSIGN(const auto snapshots, evidence_snapshots(account, options.snapshots));
  ICECORE_ASSIGN(const Machine machine, running_machine(account));
  return attach_and_mount(account, machine, wanted_copies(snapshots, options), options);
}

Result<Attached> reset(CaseAccount& account, const ResetOptions& options) {
  ICECORE_ASSIGN(const auto snapshots, evidence_snapshots(account, options.attach.snapshots));
  ICECORE_ASSIGN(const Machine machine, running_machine(account));
  std::vector<std::uint64_t> acts;
  // Of all the case's snapshots, whatever is named now: this run ends those intents, and nobody would remember the others' copies.
  ICECORE_ASSIGN(const auto all, engine::snapshots_of(account.workspace().folder()));
  std::vector<Copy> wanted = of_killed_resets(account, all, acts);
  // What a killed reset had already detached is messed up all the same: it goes too, and so does what it had made anew.
  ICECORE_ASSIGN(auto old, attached_copies(account, machine, !acts.empty()));
  std::erase_if(old, [&](const AttachedCopy& copy) {
    const bool named = std::ranges::find(snapshots, copy.copy.snapshot.snapshot, &engine::SnapshotRecord::snapshot) != snapshots.end();
    const bool resumed = std::ranges::find(wanted, copy.copy.subject(), &Copy::subject) != wanted.end();
    return !resumed && (!named || copy.device.empty());
  });
  for (const AttachedCopy& copy : old)
    if (std::ranges::find(wanted, copy.copy.subject(), &Copy::subject) == wanted.end()) wanted.push_back(copy.copy);
  if (wanted.empty())
    return fail(Code::kNotFound, fmt::format("no copy is attached to {}; icecore workstation attach {} does that", machine.id(),
                                             account.workspace().folder().path().string()));
  Json subjects = Json::array();
  for (const Copy& copy : wanted) subjects.push_back(copy.subject());
  ICECORE_ASSIGN(const std::uint64_t act, account.ledger().intend({{"act", "reset"}, {"instance", machine.id()}, {"copies", std::move(subjects)}}));
  for (const std::uint64_t killed : acts)
    ICECORE_CHECK(account.ledger().conclude(killed, {{"ok", false}, {"error", "the run ended; this one goes on"}}));
  if (const auto gone = let_go(account, machine, old, options); !gone) {
    // Refused before anything was thrown away: there is nothing for the next run to finish, unless a killed one had thrown away before us.
    if (acts.empty()) ICECORE_CHECK(account.ledger().conclude(act, {{"ok", false}, {"error", to_string(gone.error())}}));
    return Failure(gone.error());
  }
  const Detach how = options.force ? Detach::kForce : Detach::kAsk;
  for (const AttachedCopy& copy : old) ICECORE_CHECK(remove_copy_volume(account, copy.volume, how, options.attach.patience));
  // Devices of the volumes that are gone are free again.
  ICECORE_ASSIGN(const Machine now, running_machine(account));
  ICECORE_ASSIGN(Attached done, attach_and_mount(account, now, wanted, options.attach));
  ICECORE_CHECK(account.ledger().conclude(act, {{"ok", done.copies.size() == wanted.size()}}));
  return done;
}

}  // namespace icecore::workstation
