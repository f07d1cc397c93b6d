// What a user points at: a case, a snapshot, an image file or a device, opened down to the machine that it holds.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/instance_record.h"
#include "engine/workspace.h"
#include "fs/filesystem.h"
#include "image/on_demand_image.h"
#include "machine/machine.h"
#include "volume/volume.h"

namespace icecore::engine {

struct TargetOptions {
  fs::JournalView view = fs::JournalView::kRecovered;
  std::vector<std::string> with;  ///< further images of the same machine
  std::vector<std::string> luks_key_files, luks_passphrase_files;
  Path beside;              ///< the target's case, which another run holds: its images are read without it (case_image.h)
  bool disks_only = false;  ///< without looking at what is on them (acquisition): no block is read, and there is no machine
};

/// One disk of the target.
struct Disk {
  image::SourcePtr source;
  std::shared_ptr<image::OnDemandImage> on_demand;  ///< null for a local file
  std::string snapshot;                             ///< snap-…, or the image's path
  std::string volume, device;                       ///< empty where unknown
  std::uint64_t size() const { return source->size(); }
};

/// Movable; close it (close_target) before the case is finished (finish_case.h).
struct Target {
  std::string name;  ///< for headings: "i-… in case build/demo-case", "snap-…", "disk.raw"
  std::vector<Disk> disks;
  machine::MachinePtr machine;             ///< null where no filesystem could be opened: see the anomalies
  std::optional<InstanceRecord> instance;  ///< of a case
  std::vector<std::string> empty_volumes;  ///< names of disks, partitions and logical volumes that were never formatted

  const Disk* disk(std::string_view snapshot) const;
};

enum class TargetKind { kCase, kSnapshot, kInstance, kVolume, kImage };
/// By its looks: a folder with case.json, an id, else a path.
TargetKind kind_of(const std::string& target);

/// Where the case of a target lies when the user names no folder: the folder itself, or `case-<id>` here. Empty for images, which need none.
Path default_case_folder(const std::string& target);

/// kInvalidArgument for what open_target will never open: nothing, an instance, a volume. Looks at the name only.
Result<void> check_target(const std::string& what);

/// Opens the disks and puts the machine together. Snapshots need the workspace's case; `what` kCase uses all its snapshots. What cannot be read is an
/// anomaly of the workspace; kNotFound, kCorrupt where nothing at all can be. With `beside`: kBusy where an image is not complete.
Result<Target> open_target(Workspace& workspace, const std::string& what, const TargetOptions& options);

/// Makes everything fetched safe and closes the images; nothing of the target may be read afterwards.
Result<void> close_target(Target& target);

/// What has been fetched, as one line for people: blocks, share of the disk, cost. Empty for local images.
std::string fetch_summary(const Target& target);

/// For the head of a report, a line each: fetch_summary(), the volumes that are empty, and what the machine's fstab mounts and no volume given has.
std::vector<std::string> report_facts(const Target& target);

}  // namespace icecore::engine
