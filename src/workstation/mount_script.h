// The shell scripts that run on the workstation: find the disks by what they are and not by their order, mount them, let go of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "workstation/copies.h"

namespace icecore::workstation {

/// POSIX sh, to be run as root. Does nothing twice. Its report is lines for parse_report.
std::string mount_script(const std::vector<AttachedCopy>& copies);
/// Unmounts and takes apart everything on these copies. `lazily`: also what is in use.
std::string unmount_script(const std::vector<AttachedCopy>& copies, bool lazily);

/// What became of one filesystem.
struct Mounted {
  std::string volume;     ///< vol-… of the copy
  std::string partition;  ///< "1", "whole", "vg/lv", "" for the disk as such
  std::string filesystem;
  std::string state;  ///< "mounted", "recovered", "failed", "skipped", "missing", "unmounted", "busy"
  std::string path;   ///< where; empty where it is not mounted
  std::string words;  ///< why, or the device
  bool is_trouble() const { return state == "failed" || state == "missing" || state == "busy"; }
};

/// Lines that are not of the report are left alone (a shell's own noise). Hostile: the text came from a machine that looked at a hostile disk.
std::vector<Mounted> parse_report(std::string_view output);

}  // namespace icecore::workstation
