// package-file-replaced: a packaged file whose MD5 is not the package's. Reading all of them would fetch the disk, so the inodes choose: dpkg writes
// a package's files and then its list
// (/var/lib/dpkg/info/NAME.list), and whoever replaces a file later cannot set its ctime. Read are files whose inode changed more than an hour after
// their package's list did; mtime is never trusted. Conffiles are the administrator's to change. An upgrade that dpkg knows of renews the list.
#include <fmt/format.h>
#include <algorithm>
#include <map>

#include "core/hash.h"
#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/heuristics/places.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

constexpr std::int64_t kGrace = 3600;
constexpr std::size_t kMostRead = 400;
constexpr std::uint64_t kLimit = std::uint64_t{64} << 20;

struct Candidate {
  machine::FileRef file;
  std::string package;
  std::string md5;
};

Result<std::optional<Timestamp>> unpacked(const Scene& scene, const artefact::DebPackage& package) {
  for (const std::string& name : {package.name, package.name + ":" + package.architecture}) {
    ICECORE_ASSIGN(const auto list, scene.machine->find(fmt::format("/var/lib/dpkg/info/{}.list", name)));
    if (list) return std::optional(list->info.changed);
  }
  return std::optional<Timestamp>();
}

Result<std::vector<Candidate>> candidates(const Scene& scene) {
  std::optional<Timestamp> oldest;
  std::map<std::uint32_t, std::optional<Timestamp>> when_unpacked;
  for (std::uint32_t i = 0; i < scene.dpkg.packages().size(); ++i) {
    ICECORE_ASSIGN(const auto time, unpacked(scene, scene.dpkg.packages()[i]));
    when_unpacked[i] = time;
    if (time && (!oldest || *time < *oldest)) oldest = time;
  }
  if (!oldest) return std::vector<Candidate>();
  std::vector<Candidate> chosen;
  for_each_name(scene, [&](const SweptFile& file) {
    if (file.info->type != fs::FileType::kRegular || seconds_between(*oldest, file.info->changed) <= kGrace) return;
    const std::string path = file.path();
    const auto owner = scene.dpkg.owner(path);
    if (!owner || owner->conffile || owner->md5.empty()) return;
    const auto& time = when_unpacked[owner->package];
    if (time && seconds_between(*time, file.info->changed) > kGrace)
      chosen.push_back({file.ref(), scene.dpkg.packages()[owner->package].name, std::string(owner->md5)});
  });
  // Programs first, newest first: what matters, should there be too many.
  std::ranges::stable_sort(chosen, [](const Candidate& a, const Candidate& b) {
    const bool x = (a.file.info.mode & 0111U) != 0;
    const bool y = (b.file.info.mode & 0111U) != 0;
    return x != y ? x : a.file.info.changed > b.file.info.changed;
  });
  if (chosen.size() > kMostRead) chosen.resize(kMostRead);
  return chosen;
}

}  // namespace

ICECORE_DETECTOR(detect_package_files) {
  (void)anomalies;
  if (!scene.has_machine() || scene.dpkg.empty()) return {};
  ICECORE_ASSIGN(const auto chosen, candidates(scene));
  std::vector<machine::FileRef> wanted;
  for (const Candidate& one : chosen) wanted.push_back(one.file);
  ICECORE_CHECK(prefetch(scene, wanted, kLimit));
  for (const Candidate& one : chosen) {
    ICECORE_ASSIGN(const auto content, scene.machine->content(one.file, kLimit));
    if (!content) continue;
    const std::string md5 = md5_hex(as_bytes(*content));
    if (md5 == one.md5) continue;
    Finding finding = finding_of("package-file-replaced");
    const bool program = (one.file.info.mode & 0111U) != 0 || one.file.path.find(".so") != std::string::npos;
    if (!program) finding.severity = Severity::kMedium;
    finding.confidence = Confidence::kHigh;
    finding.time = one.file.info.changed;
    finding.locations.push_back(place_content(scene, one.file, *content));
    const bool script = content->starts_with("#!");
    finding.locations.back().excerpt = script ? cut(*content) : fmt::format("MD5 {} instead of {}", md5, one.md5);
    finding.sentence = fmt::format(
        "{} is not the file that the package {} installed (MD5 {} instead of {}){}; its inode was changed at {}, while its modification time says "
        "{}.",
        shown(one.file.path), shown(one.package), md5, one.md5, script ? ", but a script" : "", when(one.file.info.changed),
        when(one.file.info.modified));
    sink.add(std::move(finding));
  }
  return {};
}

}  // namespace icecore::detect
