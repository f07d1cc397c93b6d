// deleted-recovered: deleted files that were given back whole, as far as they tell something: scripts that download and run, attack commands, miners,
// programs and scripts out of hidden or temporary places, and login logs. A rotated log that is gone is logrotate's work if it was the oldest; with
// an older sister still there somebody else took it.
#include <fmt/format.h>
#include <algorithm>

#include "core/text.h"
#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/heuristics/download.h"
#include "detect/heuristics/mining.h"
#include "detect/heuristics/places.h"
#include "detect/heuristics/shell.h"
#include "detect/heuristics/tricks.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

bool is_login_log(std::string_view path) {
  const std::string_view name = base_name(path);
  for (const std::string_view start :
       {"auth.log", "secure", "wtmp", "btmp", "lastlog", "syslog", "messages", "audit.log", "journal", "system.journal"})
    if (path.starts_with("/var/log/") && name.starts_with(start)) return true;
  return false;
}

// "auth.log.1" → 1, "auth.log.3.gz" → 3, "auth.log" → 0.
std::size_t rotation_of(std::string_view name) {
  if (name.ends_with(".gz") || name.ends_with(".xz")) name.remove_suffix(3);
  const std::string_view digits = name.substr(name.rfind('.') + 1);
  if (digits.empty() || digits.size() > 3 || digits.find_first_not_of("0123456789") != std::string_view::npos) return 0;
  std::size_t number = 0;
  for (const char c : digits) number = number * 10 + static_cast<std::size_t>(c - '0');
  return number;
}

// The log without its rotation: "/var/log/auth.log" of "/var/log/auth.log.1".
std::string stem_of(std::string_view path) {
  const std::size_t log = path.find(".log");
  return std::string(log == std::string_view::npos ? path.substr(0, path.rfind('.')) : path.substr(0, log + 4));
}

// What logrotate compresses it deletes; the packed one keeps the time of the log's last line.
Result<bool> was_compressed(const Scene& scene, const RecoveredFile& file) {
  ICECORE_ASSIGN(const auto sisters, scene.machine->glob(stem_of(file.path) + "*"));
  return std::ranges::any_of(sisters, [&](const machine::FileRef& sister) {
    const bool packed = sister.path.ends_with(".gz") || sister.path.ends_with(".xz") || sister.path.ends_with(".zst");
    return packed && sister.info.modified.seconds == file.info.modified.seconds;
  });
}

Result<bool> has_older_sister(const Scene& scene, const RecoveredFile& file) {
  ICECORE_ASSIGN(const bool compressed, was_compressed(scene, file));
  if (compressed) return false;
  const std::string& path = file.path;
  const std::size_t number = rotation_of(base_name(path));
  if (number == 0) return true;  // the log itself: nothing deletes it
  ICECORE_ASSIGN(const auto files, scene.machine->glob(stem_of(path) + ".*"));
  return std::ranges::any_of(files, [&](const machine::FileRef& sister) { return rotation_of(base_name(sister.path)) > number; });
}

struct Reason {
  std::string why;
  bool weak = false;  ///< true of many an installer's leavings too
};

Result<Reason> reason_of(const Scene& scene, const RecoveredFile& file) {
  const auto hits = download_and_run_in(file.content.substr(0, std::size_t{1} << 20));
  if (std::ranges::any_of(hits, [](const ScriptHit& hit) { return hit.what.anonymous; }))
    return Reason{"a script that downloads code and runs it", false};
  if (mining_signs(file.content).convincing()) return Reason{"a miner or its configuration", false};
  if (is_login_log(file.path)) {
    ICECORE_ASSIGN(const bool taken, has_older_sister(scene, file));
    // Without a time of deletion the file is known from an older state only: it may have been rotated and packed since.
    return Reason{taken ? "a login log that rotation would have kept" : "", !file.info.deleted.has_value()};
  }
  if (file.content.size() < (std::size_t{1} << 20))
    for (const TextLine& line : lines_of(file.content))
      for (const Trick* trick : tricks_of(line.text))
        if (trick->weight >= 3) return Reason{"commands of an attack", false};
  const bool program = file.content.starts_with(kElfMagic) || file.content.starts_with("#!");
  if (program && (is_hidden_path(file.path) || is_temporary_path(file.path))) return Reason{"a program out of a hidden or temporary folder", true};
  return Reason{"", false};
}

}  // namespace

ICECORE_DETECTOR(detect_recovered) {
  (void)anomalies;
  if (!scene.has_machine()) return {};
  for (const RecoveredFile& file : scene.recovered) {
    ICECORE_ASSIGN(const Reason reason, reason_of(scene, file));
    if (reason.why.empty()) continue;
    Finding finding = finding_of("deleted-recovered");
    finding.confidence = reason.weak ? Confidence::kLow : Confidence::kHigh;
    if (reason.weak) finding.severity = Severity::kLow;
    finding.time = file.info.deleted ? file.info.deleted : std::optional(file.info.changed);
    Provenance where = file.where;
    where.path = file.path;
    where.inode = file.info.inode;
    where.sha256 = file.sha256.empty() ? sha256_hex(file.content) : file.sha256;
    if (where.excerpt.empty()) where.excerpt = cut(file.content);
    finding.locations.push_back(std::move(where));
    finding.sentence = fmt::format("{}, deleted at {}, was recovered whole ({}): {}.", shown(file.path), when(*finding.time),
                                   human_size(file.content.size()), reason.why);
    sink.add(std::move(finding));
  }
  return {};
}

}  // namespace icecore::detect
