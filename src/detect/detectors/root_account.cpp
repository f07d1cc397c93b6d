// extra-root-account: user id 0 under a name other than root. Linux knows root by the number, so every such name is root; distributions ship one
// only. Also: a system account that ships locked and now has a password and a shell is left to later rules.
#include <fmt/format.h>

#include "core/text.h"
#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

// Hashes are secrets: the excerpt shows that there is one, and of which kind.
std::string without_hash(std::string_view line, std::string_view hash) {
  std::string text(line);
  const std::size_t at = hash.size() < 4 ? std::string::npos : text.find(hash);
  if (at != std::string::npos) text.replace(at, hash.size(), std::string(hash.substr(0, 3)) + "(hash left out)");
  return text;
}

Result<bool> add_password(const Scene& scene, const std::string& name, Finding& finding) {
  ICECORE_ASSIGN(const auto file, scene.machine->find("/etc/shadow"));
  if (!file) return false;
  ICECORE_ASSIGN(const auto content, scene.machine->content(*file));
  if (!content) return false;
  for (const machine::ShadowEntry& entry : machine::parse_shadow(*content)) {
    if (entry.name != name) continue;
    finding.locations.push_back(place_line(scene, *file, entry.line, entry.offset, without_hash(line_at(*content, entry.offset).text, entry.hash)));
    return entry.password == machine::Password::kSet || entry.password == machine::Password::kNone;
  }
  return false;
}

// When the account was made, by the log; passwd's own mtime may be of a later change.
const artefact::Event* creation(const Scene& scene, const std::string& name) {
  for (const artefact::Event& event : scene.events.all())
    if (event.field("action") == "user-added" && (event.field("user") == name || event.field("target_user") == name)) return &event;
  return nullptr;
}

}  // namespace

ICECORE_DETECTOR(detect_root_account) {
  (void)anomalies;
  if (!scene.has_machine()) return {};
  ICECORE_ASSIGN(const auto file, scene.machine->find("/etc/passwd"));
  if (!file) return {};
  ICECORE_ASSIGN(const auto content, scene.machine->content(*file));
  if (!content) return {};
  bool root_seen = false;
  for (const machine::PasswdEntry& entry : machine::parse_passwd(*content)) {
    if (entry.uid != 0) continue;
    const bool first_root = entry.name == "root" && !root_seen;
    root_seen = root_seen || entry.name == "root";
    if (first_root) continue;
    Finding finding = finding_of("extra-root-account");
    finding.confidence = Confidence::kHigh;
    finding.locations.push_back(place_line(scene, *file, entry.line, entry.offset, line_at(*content, entry.offset).text));
    finding.locations.back().sha256 = sha256_hex(*content);
    finding.time = written(file->info);
    ICECORE_ASSIGN(const bool password, add_password(scene, entry.name, finding));
    if (const artefact::Event* made = creation(scene, entry.name)) {
      finding.locations.push_back(place_event(*made));
      if (made->time < *finding.time) {
        finding.first = made->time;
        finding.last = finding.time;
      }
    }
    finding.sentence = fmt::format("The account \"{}\" has user id 0 and so all of root's rights{}; /etc/passwd was last changed at {}.",
                                   shown(entry.name), password ? ", with a password to log in" : "", when(*finding.time));
    sink.add(std::move(finding));
  }
  return {};
}

}  // namespace icecore::detect
