// The functions of the scripts for the workstation, in POSIX sh; one script is all of them and the calls (mount_script.h).
#pragma once

#include <string_view>

namespace icecore::workstation {

extern const std::string_view kMountShell;    ///< volume: finds a disk, mounts its filesystems, keeps members of md and LVM for later
extern const std::string_view kArrayShell;    ///< assemble_md
extern const std::string_view kGroupShell;    ///< assemble_lvm, assemble
extern const std::string_view kReleaseShell;  ///< release: the opposite of all that

}  // namespace icecore::workstation
