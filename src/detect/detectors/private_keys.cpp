// stolen-private-key: a private SSH or TLS key where none belongs — under a web root, in a hidden or temporary folder — or held by a service account;
// and known_hosts of a service account (www-data, nobody …): it can only come from somebody who used that account to log in elsewhere. Keys of people
// in their homes, of sshd and of servers under /etc are where they belong.
#include <fmt/format.h>
#include <algorithm>

#include "artefact/ssh.h"
#include "core/text.h"
#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/heuristics/places.h"
#include "detect/heuristics/web_roots.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

constexpr std::uint64_t kLargestKey = 16384;
constexpr std::size_t kMostRead = 200;

bool may_be_key(std::string_view name) {
  for (const std::string_view end : {"_rsa", "_dsa", "_ecdsa", "_ed25519", ".pem", ".key", ".priv", ".ppk", ".id"})
    if (name.ends_with(end)) return true;
  return name.starts_with("id_") && !name.ends_with(".pub");
}

bool belongs(std::string_view path) {
  for (const std::string_view start : {"/etc/", "/usr/share/", "/usr/lib/python", "/usr/lib/node_modules/", "/usr/local/share/", "/var/lib/"})
    if (path.starts_with(start)) return true;
  return is_container_path(path);
}

// uid 1–999 by Debian's and Red Hat's login.defs, or nobody.
bool is_service(std::uint32_t uid) { return (uid > 0 && uid < 1000) || uid == 65534; }

Result<std::vector<machine::FileRef>> candidates(const Scene& scene) {
  ICECORE_ASSIGN(const auto roots, web_roots(scene));
  std::vector<machine::FileRef> found;
  for_each_name(scene, [&](const SweptFile& file) {
    const fs::FileInfo& info = *file.info;
    if (info.type != fs::FileType::kRegular || info.size < 64 || info.size > kLargestKey || found.size() >= kMostRead) return;
    // By name anywhere odd; without a telling name only where nobody but the owner may read it, as ssh asks for.
    const bool named = may_be_key(file.text());
    if (!named && (info.mode & 077U) != 0) return;
    machine::FileRef ref = file.ref();
    if (belongs(ref.path) || ownership(scene, ref.path) == Ownership::kPackaged) return;
    const bool odd = is_below_any(ref.path, roots) || is_temporary_path(ref.path) ||
                     (is_hidden_path(ref.path) && !ref.path.starts_with("/home/") && !ref.path.starts_with("/root/"));
    if (odd || (named && is_service(info.uid))) found.push_back(std::move(ref));
  });
  return found;
}

struct Gathered {
  Finding finding = finding_of("stolen-private-key");
  std::vector<std::string> keys, hosts, accounts;
  void covers(const Timestamp& time) {
    finding.first = std::min(finding.first.value_or(time), time);
    finding.last = std::max(finding.last.value_or(time), time);
  }
};

Result<void> add_keys(const Scene& scene, Gathered& gathered) {
  ICECORE_ASSIGN(const auto files, candidates(scene));
  ICECORE_CHECK(prefetch(scene, files, kLargestKey));
  for (const machine::FileRef& file : files) {
    ICECORE_ASSIGN(const auto content, scene.machine->content(file, kLargestKey));
    if (!content) continue;
    const auto key = artefact::parse_private_key(*content);
    if (!key) continue;
    // The key itself stays out of reports: its first line says enough.
    const std::size_t at = content->find("-----BEGIN");
    const TextLine line = line_at(*content, at == std::string::npos ? 0 : at);
    Provenance where = place_line(scene, file, line.number, line.offset, line.text);
    where.sha256 = sha256_hex(*content);
    gathered.finding.locations.push_back(std::move(where));
    gathered.keys.push_back(fmt::format("{}{}{}", shown(file.path), key->fingerprint.empty() ? "" : " (" + shown(key->fingerprint) + ")",
                                        key->encrypted ? ", encrypted" : ""));
    gathered.covers(appeared(file.info));
    if (!gathered.finding.time) gathered.finding.time = appeared(file.info);
  }
  return {};
}

Result<void> add_known_hosts(const Scene& scene, Anomalies& anomalies, Gathered& gathered) {
  const artefact::Subject subject{*scene.machine, scene.facts, anomalies};
  ICECORE_ASSIGN(const auto files, artefact::known_hosts_files(subject));
  for (const artefact::KnownHostsFile& file : files) {
    const machine::User* user = scene.facts.user(std::string_view(file.user));
    const bool no_login =
        user != nullptr && is_service(user->entry.uid) && (user->entry.shell.ends_with("nologin") || user->entry.shell.ends_with("false"));
    if (!no_login || file.hosts.empty()) continue;
    ICECORE_ASSIGN(const auto content, scene.machine->content(file.file));
    for (const artefact::KnownHost& host : file.hosts) {
      for (const std::string& name : host.hosts)
        if (gathered.hosts.size() < 100) gathered.hosts.push_back(shown(name, 60));
      if (host.hashed) gathered.hosts.emplace_back("a host whose name is hashed");
      if (gathered.finding.locations.size() < kMostLocations)
        gathered.finding.locations.push_back(
            place_line(scene, file.file, host.line, host.offset, content ? line_at(*content, host.offset).text : std::string_view()));
    }
    gathered.accounts.push_back(shown(file.user));
    gathered.covers(appeared(file.file.info));
    if (!gathered.finding.time) gathered.finding.time = appeared(file.file.info);
  }
  return {};
}

}  // namespace

ICECORE_DETECTOR(detect_private_keys) {
  if (!scene.has_machine()) return {};
  Gathered gathered;
  ICECORE_CHECK(add_keys(scene, gathered));
  ICECORE_CHECK(add_known_hosts(scene, anomalies, gathered));
  if (gathered.finding.locations.empty()) return {};
  Finding& finding = gathered.finding;
  if (gathered.keys.empty()) finding.severity = Severity::kMedium;
  finding.confidence = !gathered.keys.empty() && !gathered.hosts.empty() ? Confidence::kHigh : Confidence::kMedium;
  std::ranges::sort(gathered.hosts);
  gathered.hosts.erase(std::unique(gathered.hosts.begin(), gathered.hosts.end()), gathered.hosts.end());
  const std::string visited =
      gathered.hosts.empty() ? ""
                             : fmt::format("the service account {} has logged in by SSH to {}", list_of(gathered.accounts), list_of(gathered.hosts));
  finding.sentence = gathered.keys.empty() ? fmt::format("By its known_hosts, {}, first noted at {}.", visited, when(*finding.time))
                                           : fmt::format("A private key lies where none belongs since {}: {}{}.", when(*finding.time),
                                                         list_of(gathered.keys), visited.empty() ? "" : "; " + visited);
  sink.add(std::move(finding));
  return {};
}

}  // namespace icecore::detect
