#include "workstation/user_data.h"

#include <fmt/format.h>
#include <vector>

namespace icecore::workstation {
namespace {

// What mounting needs is in every set but none.
const std::vector<std::string> kStandard = {"lvm2",      "mdadm", "xfsprogs", "btrfs-progs", "cryptsetup-bin", "ntfs-3g", "sleuthkit",
                                            "e2fsprogs", "jq",    "file",     "yara",        "sqlite3",        "binutils"};
const std::vector<std::string> kFull = {"plaso", "ext4magic", "testdisk", "ewf-tools", "dc3dd", "rkhunter", "clamav", "chkrootkit", "tcpdump"};

std::string package_lines(const std::vector<std::string>& packages) {
  std::string text;
  for (const std::string& package : packages) text += fmt::format("  - {}\n", package);
  return text;
}

}  // namespace

std::string user_data(const UpOptions& options) {
  std::string text = "#cloud-config\n# written by icecore\n";
  if (options.tools != "none") text += "package_update: true\npackages:\n" + package_lines(kStandard);
  if (options.tools == "full") text += package_lines(kFull);
  text += "runcmd:\n";
  // No filesystem of a copy is to be mounted by anything but the script of attach.
  text += "  - [systemctl, mask, --now, udisks2.service]\n";
  if (options.icecore_url) {
    text += fmt::format(
        "  - [sh, -c, 'curl -fsSL \"{0}\" -o /tmp/icecore && echo \"{1}  /tmp/icecore\" | sha256sum -c && install -m 755 /tmp/icecore "
        "/usr/local/bin/icecore']\n",
        *options.icecore_url, *options.icecore_sha256);
  }
  return text + "  - [mkdir, -p, /forensics]\n  - [touch, /var/lib/icecore-ready]\n";
}

}  // namespace icecore::workstation
