// timestomp: a file whose content claims to be far older than the file is. Packages, archives and image makers keep old mtimes on new files too, so
// this looks only at files that no package owns, that came after the instance's first boot, and that lie where neither archives nor deployments are
// unpacked: on the packages' ground, in /etc, hidden or in temporary places. Files that came in a crowd (20 within two minutes in one folder or below
// it) were unpacked. Thirty days are far beyond any copy that keeps times within an investigation's reach.
#include <fmt/format.h>
#include <algorithm>
#include <map>

#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/heuristics/places.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

constexpr std::int64_t kAbsurd = std::int64_t{30} * 86400;
constexpr std::size_t kCrowd = 20;
constexpr std::size_t kMostFindings = 100;

bool is_watched(std::string_view path) {
  return is_packages_ground(path) || path.starts_with("/etc/") || is_temporary_path(path) ||
         (is_hidden_path(path) && !path.starts_with("/home/") && !path.starts_with("/srv/") && !path.starts_with("/opt/"));
}

// The first two folders and the two minutes in which a file came.
std::string crowd_key(std::string_view path, const Timestamp& born) {
  std::size_t end = 0;
  for (int i = 0; i < 3 && end != std::string_view::npos; ++i) end = path.find('/', end + 1);
  return fmt::format("{} {}", path.substr(0, end), born.seconds / 120);
}

}  // namespace

ICECORE_DETECTOR(detect_timestomp) {
  (void)anomalies;
  if (!scene.has_machine()) return {};
  ICECORE_ASSIGN(const auto boot, first_boot(scene));
  std::map<std::string, std::size_t> crowds;
  std::vector<machine::FileRef> found;
  for_each_name(scene, [&](const SweptFile& file) {
    const fs::FileInfo& info = *file.info;
    if (info.type != fs::FileType::kRegular || !info.born || seconds_between(info.modified, *info.born) < kAbsurd || info.links > 1) return;
    if (boot && *info.born < *boot) return;
    const std::string path = file.path();
    if (is_container_path(path)) return;
    ++crowds[crowd_key(path, *info.born)];
    if (found.size() < 10'000 && is_watched(path) && ownership(scene, path) == Ownership::kUnpackaged) found.push_back(file.ref());
  });
  std::size_t told = 0;
  for (const machine::FileRef& file : found) {
    if (crowds[crowd_key(file.path, *file.info.born)] >= kCrowd || ++told > kMostFindings) continue;
    Finding finding = finding_of("timestomp");
    const bool executable = (file.info.mode & 0111U) != 0;
    if (!executable && !is_hidden_path(file.path)) finding.severity = Severity::kMedium;
    // `touch -d` sets whole seconds; a write has fractions.
    finding.confidence = file.info.modified.nanoseconds == 0 ? Confidence::kHigh : Confidence::kMedium;
    finding.time = *file.info.born;
    finding.first = *file.info.born;
    finding.last = file.info.changed;
    if (*finding.last < *finding.first) finding.last = finding.first;
    finding.locations.push_back(place(scene, file));
    finding.locations.back().excerpt =
        fmt::format("mtime {} birth {} ctime {}", to_iso8601(file.info.modified), to_iso8601(*file.info.born), to_iso8601(file.info.changed));
    finding.sentence =
        fmt::format("{} says that it was last written at {}, but it was made at {} and its inode changed at {}: its time was set back.",
                    shown(file.path), when(file.info.modified), when(*file.info.born), when(file.info.changed));
    sink.add(std::move(finding));
  }
  return {};
}

}  // namespace icecore::detect
