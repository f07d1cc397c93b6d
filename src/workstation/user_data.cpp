#include "workstation/user_data.h"

#include <fmt/format.h>
#include <vector>

namespace icecore::workstation {
namespace {

// What mounting needs is in every set but none.
const std::vector<std::string> kStandard = {"lvm2",      "mdadm", "xfsprogs", "btrfs-progs", "cryptsetup-bin", "ntfs-3g", "sleuthkit",
                                            "e2fsprogs", "jq",    "file",     "yara",        "sqlite3",        "binutils"};
const std::vector<std::string> kFull = {"ext4magic", "testdisk", "ewf-tools", "dc3dd", "rkhunter", "clamav", "chkrootkit", "tcpdump"};

std::string package_lines(const std::vector<std::string>& packages) {
  std::string text;
  for (const std::string& package : packages) text += fmt::format("  - {}\n", package);
  return text;
}

// Debian's images come without the agent by which Systems Manager reaches a machine; AWS keeps it in a bucket of each region, for images with an
// agent of their own (Ubuntu's, a snap; Amazon's) there is nothing to do (docs.aws.amazon.com/systems-manager: "Manually installing SSM Agent on
// Debian Server").
std::string agent_lines(const std::string& region) {
  const std::string suffix = region.starts_with("cn-") ? ".cn" : "";
  return fmt::format(
      "  - [sh, -c, 'command -v dpkg >/dev/null || exit 0; systemctl cat amazon-ssm-agent snap.amazon-ssm-agent.amazon-ssm-agent 2>/dev/null | grep "
      "-q . && "
      "exit 0; curl -fsSL \"https://s3.{0}.amazonaws.com{1}/amazon-ssm-{0}/latest/debian_$(dpkg --print-architecture)/amazon-ssm-agent.deb\" -o "
      "/tmp/amazon-ssm-agent.deb && dpkg -i /tmp/amazon-ssm-agent.deb && systemctl enable --now amazon-ssm-agent']\n",
      region, suffix);
}

}  // namespace

std::string user_data(const UpOptions& options, const std::string& region) {
  std::string text = "#cloud-config\n# written by icecore\n";
  // Before the packages are there: udev must not put together what it finds on a copy, writable and with the disks of another copy among them, before
  // the script of attach does (udev(7): a rule file that is a link to /dev/null is off). A machine that stands on LVM or md itself is left as it is.
  text +=
      "bootcmd:\n"
      "  - [sh, -c, 'ls /sys/block | grep -qE \"^(dm-|md)\" && exit 0; mkdir -p /etc/udev/rules.d; for rule in 64-md-raid-assembly "
      "69-lvm 69-dm-lvm 69-lvm-metad 69-dm-lvm-metad; do ln -sf /dev/null /etc/udev/rules.d/$rule.rules; done']\n";
  if (options.tools != "none") text += "package_update: true\npackages:\n" + package_lines(kStandard);
  if (options.tools == "full") text += package_lines(kFull);
  text += "runcmd:\n";
  if (options.systems_manager) text += agent_lines(region);
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
