// Copies of the evidence: volumes made from the case's snapshots in the workstation's own zone, attached to it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/instance_record.h"
#include "workstation/machine.h"

namespace icecore::workstation {

/// How a copy is looked at.
enum class View {
  kRecovered,  ///< the kernel replays the journal of the copy, which is then set read-only
  kAsIs,       ///< read-only at once, the journal is not replayed: the disk as its blocks stand
  kWritable,   ///< to mess with
};
std::string_view view_name(View view);  ///< "recovered", "as-is", "writable"

struct Copy {
  engine::SnapshotRecord snapshot;
  View view = View::kRecovered;

  std::string subject() const;  ///< "snap-…/recovered": the tag of its volume
  std::string folder() const;   ///< below /forensics: the evidence's volume id, ".as-is" or ".writable" behind it
};

/// A volume that stands for a copy. It can only be had for a Machine, in whose zone it was made.
struct AttachedCopy {
  Copy copy;
  std::string volume, device;  ///< device: the name that was asked for; where it appears is looked up on the workstation
  std::uint64_t size_gib = 0;
};

/// The case's snapshots, or those that are named (kNotFound for one that the case has not; kConflict for a case without). Waits for pending ones.
Result<std::vector<engine::SnapshotRecord>> evidence_snapshots(CaseAccount& account, const std::vector<std::string>& named);

/// Makes what is missing, waits, attaches what is not attached, waits. What goes wrong with one copy is an anomaly ("workstation.attach"), and the
/// others go on. kRemote where the workstation itself is gone.
Result<std::vector<AttachedCopy>> attach_copies(CaseAccount& account, const Machine& machine, const std::vector<Copy>& wanted, Patience patience);

/// The copies of this case that are attached to the machine now; `loose`: also those that are attached to nothing, with an empty device.
Result<std::vector<AttachedCopy>> attached_copies(CaseAccount& account, const Machine& machine, bool loose = false);

enum class Detach { kWait, kAsk, kForce };  ///< wait for it (its instance is gone), ask for it, by force
/// Deletes a copy's volume, once it is detached.
Result<void> remove_copy_volume(CaseAccount& account, const std::string& volume, Detach detach, Patience patience);

/// Device names that EC2 accepts and the instance does not use yet, in order. "/dev/sdf" and "/dev/xvdf" are the same place.
std::vector<std::string> free_devices(const aws::Instance& instance);

}  // namespace icecore::workstation
