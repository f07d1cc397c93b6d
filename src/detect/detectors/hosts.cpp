// hosts-tampered: /etc/hosts sends names of update or security services nowhere (loopback, 0.0.0.0), or to an address of somebody's choice. The
// machine's own names, *.localhost, *.internal and the like belong on loopback; other blocked names are advertising filters: info.
#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "core/text.h"
#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/heuristics/addresses.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

// Parts of names of update mirrors, security vendors, scanners, and of the cloud's own control plane.
constexpr std::array<std::string_view, 52> kProtected = {"debian.org",
                                                         "ubuntu.com",
                                                         "canonical.com",
                                                         "centos.org",
                                                         "redhat.com",
                                                         "fedoraproject.org",
                                                         "rockylinux.org",
                                                         "almalinux.org",
                                                         "amazonlinux",
                                                         "suse.com",
                                                         "opensuse.org",
                                                         "alpinelinux.org",
                                                         "archlinux.org",
                                                         "security.",
                                                         "update.",
                                                         "updates.",
                                                         "mirror.",
                                                         "mirrors.",
                                                         "clamav.net",
                                                         "crowdstrike",
                                                         "sentinelone",
                                                         "symantec",
                                                         "kaspersky",
                                                         "sophos",
                                                         "eset.com",
                                                         "mcafee",
                                                         "trendmicro",
                                                         "bitdefender",
                                                         "malwarebytes",
                                                         "virustotal.com",
                                                         "abuse.ch",
                                                         "snort.org",
                                                         "wazuh",
                                                         "ossec",
                                                         "elastic.co",
                                                         "falcon",
                                                         "fireeye",
                                                         "rapid7",
                                                         "qualys",
                                                         "tenable",
                                                         "amazonaws.com",
                                                         "docker.com",
                                                         "pypi.",
                                                         "npmjs.org",
                                                         "aliyun",
                                                         "alicloud",
                                                         "tencent",
                                                         "github.com",
                                                         "githubusercontent.com",
                                                         "chkrootkit",
                                                         "rkhunter",
                                                         "lynis"};

bool is_protected(std::string_view name) {
  return std::ranges::any_of(kProtected, [&](std::string_view part) { return name.find(part) != std::string_view::npos; });
}

// Names that may well lie on loopback or inside: not on the public Internet.
bool is_local(std::string_view name, std::string_view hostname) {
  if (name.find('.') == std::string_view::npos) return true;
  for (const std::string_view end : {".localhost", ".localdomain", ".local", ".internal", ".lan", ".home", ".test", ".localdomain4", ".localdomain6",
                                     ".arpa", ".corp", ".intranet"})
    if (name.ends_with(end)) return true;
  return !hostname.empty() && name.starts_with(std::string(hostname.substr(0, hostname.find('.'))) + ".");
}

bool nowhere(const Address& address) {
  const auto& b = address.bytes;
  if (address.is_v4()) return b[12] == 127 || b[12] == 0;
  return std::all_of(b.begin(), b.begin() + 15, [](std::uint8_t byte) { return byte == 0; }) && b[15] <= 1;
}

struct Redirected {
  TextLine line;
  std::string name;
  bool blocked = false;
  bool guarded = false;
};

std::vector<Redirected> redirected(std::string_view content, std::string_view hostname) {
  std::vector<Redirected> found;
  for (const TextLine& line : lines_of(content)) {
    const auto fields = split_fields(trim(line.text.substr(0, line.text.find('#'))));
    if (fields.size() < 2 || found.size() >= 1000) continue;
    const auto address = parse_address(fields[0]);
    if (!address) continue;
    for (std::size_t i = 1; i < fields.size() && i < 64; ++i) {
      const std::string name = to_lower(fields[i]);
      if (is_local(name, hostname)) continue;
      const bool blocked = nowhere(*address);
      // A private address may be a mirror in the house.
      if (blocked || (is_protected(name) && !is_private(*address))) found.push_back({line, name, blocked, is_protected(name)});
    }
  }
  return found;
}

}  // namespace

ICECORE_DETECTOR(detect_hosts) {
  (void)anomalies;
  if (!scene.has_machine()) return {};
  ICECORE_ASSIGN(const auto file, scene.machine->find("/etc/hosts"));
  if (!file) return {};
  ICECORE_ASSIGN(const auto content, scene.machine->content(*file));
  if (!content) return {};
  const auto found = redirected(*content, scene.facts.hostname);
  if (found.empty()) return {};
  const bool any_guarded = std::ranges::any_of(found, &Redirected::guarded);
  Finding finding = finding_of("hosts-tampered");
  if (!any_guarded) finding.severity = Severity::kInfo;
  finding.confidence = any_guarded ? Confidence::kHigh : Confidence::kLow;
  finding.time = written(file->info);
  std::vector<std::string> names;
  bool blocked = false;
  for (const Redirected& one : found) {
    if (any_guarded && !one.guarded) continue;
    blocked = blocked || one.blocked;
    names.push_back(shown(one.name, 80));
    if (finding.locations.size() < kMostLocations)
      finding.locations.push_back(place_line(scene, *file, one.line.number, one.line.offset, one.line.text));
  }
  finding.locations.front().sha256 = sha256_hex(*content);
  finding.sentence =
      fmt::format("/etc/hosts sends {} {}, so that {}; it was last changed at {}.", list_of(names), blocked ? "nowhere" : "to another address",
                  any_guarded ? "updates or protection cannot reach their servers" : "they cannot be reached", when(*finding.time));
  sink.add(std::move(finding));
  return {};
}

}  // namespace icecore::detect
