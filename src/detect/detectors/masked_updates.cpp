// updates-masked: a unit of automatic updates, auditing or protection is masked (a link to /dev/null, or an empty file, in /etc/systemd/system): it
// cannot start, not even by hand. What was masked before the instance's first boot was the image maker's choice: info.
#include <fmt/format.h>
#include <array>

#include "artefact/systemd_unit.h"
#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

constexpr std::array<std::string_view, 22> kGuards = {
    "unattended-upgrades", "apt-daily",   "dnf-automatic", "dnf-makecache",    "yum-cron", "packagekit", "auditd", "rsyslog",
    "systemd-journald",    "clamav",      "falcon-sensor", "amazon-ssm-agent", "fail2ban", "ossec",      "wazuh",  "osqueryd",
    "amazon-cloudwatch",   "sentinelone", "apparmor",      "firewalld",        "ufw",      "aliyun"};

bool is_guard(std::string_view unit) {
  for (const std::string_view guard : kGuards)
    if (unit.starts_with(guard)) return true;
  return unit.find("snap.amazon-ssm-agent") != std::string_view::npos;
}

}  // namespace

ICECORE_DETECTOR(detect_masked_updates) {
  (void)anomalies;
  if (!scene.has_machine()) return {};
  ICECORE_ASSIGN(const auto boot, first_boot(scene));
  ICECORE_ASSIGN(const auto links, scene.machine->glob("/etc/systemd/system/*", machine::Links::kKeep));
  for (const machine::FileRef& link : links) {
    const std::string_view name = std::string_view(link.path).substr(link.path.rfind('/') + 1);
    if (!is_guard(name)) continue;
    std::string target;
    if (link.info.type == fs::FileType::kSymlink) {
      auto read = scene.machine->readlink(link);
      if (!read) {
        if (machine::ends_the_run(read.error().code)) return Failure(std::move(read).error());
        scene.machine->report(link.path, read.error());
        continue;
      }
      target = std::move(*read);
      if (target != "/dev/null") continue;
    } else if (link.info.type != fs::FileType::kRegular || link.info.size != 0) {
      continue;
    }
    Finding finding = finding_of("updates-masked");
    finding.time = appeared(link.info);
    const bool with_image = boot && *finding.time < *boot;
    if (with_image) finding.severity = Severity::kInfo;
    finding.confidence = with_image ? Confidence::kLow : Confidence::kHigh;
    finding.locations.push_back(target.empty() ? place(scene, link) : place_link(scene, link, target));
    finding.sentence = fmt::format("The service {} was masked at {}{}: it cannot run any more.", shown(name), when(*finding.time),
                                   with_image ? " (before this instance's first boot)" : "");
    sink.add(std::move(finding));
  }
  return {};
}

}  // namespace icecore::detect
