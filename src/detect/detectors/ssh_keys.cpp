// ssh-key-added: a key in an authorized_keys file that nothing explains. What explains a key:
//   - it is the launch key, by its material or by EC2's fingerprint;
//   - it is the key that cloud-init put behind its `command="echo 'Please login as …"` for root: that is the launch key too;
//   - the file was written when the account was made (a day's grace after the birth of its home, unless somebody had broken in by then):
//   provisioning;
//   - the file came with the image (older than the instance's first boot);
//   - somebody logged in with it before the file was last changed, from an address that is not an attacker's: so the last change did not bring it.
#include <fmt/format.h>
#include <algorithm>
#include <set>

#include "artefact/ssh.h"
#include "core/hash.h"
#include "core/text.h"
#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/heuristics/logins.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 86400;

// "ssh-ed25519 AAAA… name" or the base64 alone.
std::string blob_of(std::string_view key) {
  for (const std::string_view field : split_fields(key))
    if (field.starts_with("AAAA")) return std::string(field);
  return std::string(trim(key));
}

// EC2: MD5 of the key's blob with colons for imported RSA keys, base64 SHA-256 of it for ed25519 (with or without "=" and "SHA256:").
bool matches_fingerprint(const artefact::AuthorizedKey& key, std::string_view fingerprint) {
  std::string wanted(trim(fingerprint));
  if (wanted.starts_with("SHA256:")) wanted.erase(0, 7);
  while (wanted.ends_with('=')) wanted.pop_back();
  if (wanted.empty()) return false;
  if (key.fingerprint == "SHA256:" + wanted) return true;
  const auto blob = from_base64(key.key);
  if (!blob) return false;
  std::erase(wanted, ':');
  return to_lower(wanted) == md5_hex(*blob);
}

bool is_cloud_init_guard(const artefact::AuthorizedKey& key) {
  return key.options.find("command=\"echo 'Please login as the user") != std::string::npos;
}

struct Explanations {
  std::set<std::string, std::less<>> launch_blobs;
  std::vector<std::string> fingerprints;
  std::optional<Timestamp> boot;
  std::optional<Timestamp> broken_into;  // the first guessed login
  std::set<std::string, std::less<>> attackers;
  std::map<std::string, std::vector<LoginAttempt>> logins;

  bool is_launch_key(const artefact::AuthorizedKey& key) const {
    return launch_blobs.contains(key.key) ||
           std::ranges::any_of(fingerprints, [&](const std::string& print) { return matches_fingerprint(key, print); });
  }
  bool used_before(const artefact::AuthorizedKey& key, const Timestamp& change) const {
    for (const auto& [address, attempts] : logins) {
      if (attackers.contains(address)) continue;
      for (const LoginAttempt& attempt : attempts)
        if (attempt.accepted && !key.fingerprint.empty() && attempt.fingerprint == key.fingerprint && attempt.time < change) return true;
    }
    return false;
  }
};

Result<Explanations> explanations(const Scene& scene, const std::vector<artefact::AuthorizedKeysFile>& files) {
  Explanations known;
  ICECORE_ASSIGN(known.boot, first_boot(scene));
  for (const std::string& key : scene.instance.launch_keys) known.launch_blobs.insert(blob_of(key));
  known.fingerprints = scene.instance.launch_key_fingerprints;
  for (const artefact::AuthorizedKeysFile& file : files)
    for (const artefact::AuthorizedKey& key : file.keys)
      if (is_cloud_init_guard(key)) known.launch_blobs.insert(key.key);
  known.logins = login_attempts(scene);
  for (const BruteForce& attack : brute_forces(scene)) {
    known.attackers.insert(attack.address);
    for (const LoginAttempt& login : attack.accepted)
      if (!known.broken_into || login.time < *known.broken_into) known.broken_into = login.time;
  }
  return known;
}

// Written with the account, or with the image.
Result<bool> is_provisioning(const Scene& scene, const artefact::AuthorizedKeysFile& file, const Explanations& known) {
  const Timestamp change = written(file.file.info);
  if (known.boot && change < *known.boot) return true;
  if (known.broken_into && seconds_between(*known.broken_into, change) > 0) return false;
  // …/home/x/.ssh/authorized_keys: the home is two folders up.
  const std::string_view path = file.file.path;
  const std::string_view folder = path.substr(0, path.rfind('/'));
  const std::string_view home = folder.substr(0, folder.rfind('/'));
  if (home.empty() || home == "/") return false;
  ICECORE_ASSIGN(const auto found, scene.machine->find(home));
  if (!found || !found->info.born) return false;
  return seconds_between(*found->info.born, change) <= kDay;
}

Finding finding_for(const Scene& scene, const artefact::AuthorizedKeysFile& file, const std::vector<const artefact::AuthorizedKey*>& keys,
                    bool provisioning, std::string_view content) {
  Finding finding = finding_of("ssh-key-added");
  if (provisioning) finding.severity = Severity::kInfo;
  finding.confidence = provisioning ? Confidence::kLow : Confidence::kMedium;
  finding.time = written(file.file.info);
  std::vector<std::string> names;
  for (const artefact::AuthorizedKey* key : keys) {
    finding.locations.push_back(place_line(scene, file.file, key->line, key->offset, line_at(content, key->offset).text));
    names.push_back(fmt::format("{}{}", key->fingerprint.empty() ? "a damaged key" : shown(key->fingerprint),
                                key->comment.empty() ? "" : fmt::format(" (\"{}\")", shown(key->comment, 60))));
  }
  finding.locations.front().sha256 = sha256_hex(content);
  finding.sentence =
      fmt::format("Whoever holds the key {} can log in as \"{}\": neither the launch key nor cloud-init explains it in {}, last changed at {}.",
                  list_of(names), shown(file.user), shown(file.file.path), when(*finding.time));
  return finding;
}

}  // namespace

ICECORE_DETECTOR(detect_ssh_keys) {
  if (!scene.has_machine()) return {};
  const artefact::Subject subject{*scene.machine, scene.facts, anomalies};
  ICECORE_ASSIGN(const auto files, artefact::authorized_keys_files(subject));
  ICECORE_ASSIGN(const Explanations known, explanations(scene, files));
  std::set<std::pair<std::size_t, std::uint64_t>> seen;
  for (const artefact::AuthorizedKeysFile& file : files) {
    if (!seen.emplace(file.file.mount, file.file.info.inode).second) continue;  // two accounts with one home
    std::vector<const artefact::AuthorizedKey*> unexplained;
    bool only_known_to_cloud_init = false;
    for (const artefact::AuthorizedKey& key : file.keys) {
      if (known.is_launch_key(key) || known.used_before(key, written(file.file.info))) continue;
      if (unexplained.size() < kMostLocations) unexplained.push_back(&key);
    }
    if (unexplained.empty()) continue;
    ICECORE_ASSIGN(bool provisioning, is_provisioning(scene, file, known));
    // Nothing is known of the launch key: the file as cloud-init left it within the hour of the first boot explains itself.
    only_known_to_cloud_init =
        known.launch_blobs.empty() && known.fingerprints.empty() && known.boot && seconds_between(*known.boot, written(file.file.info)) < kHour;
    provisioning = provisioning || only_known_to_cloud_init;
    ICECORE_ASSIGN(const auto content, scene.machine->content(file.file));
    if (content) sink.add(finding_for(scene, file, unexplained, provisioning, *content));
  }
  return {};
}

}  // namespace icecore::detect
