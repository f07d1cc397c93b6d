// rc-local-download-run: scripts that run at boot — rc.local, init.d scripts that no package owns — and download code to run. systemd still runs an
// executable /etc/rc.local (systemd-rc-local-generator), and Debian ships none.
#include <fmt/format.h>
#include <array>

#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/heuristics/download.h"
#include "detect/heuristics/tricks.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

constexpr std::uint64_t kLimit = std::uint64_t{1} << 20;

struct Hit {
  TextLine line;
  std::string does;
  Severity severity = Severity::kCritical;
};

std::optional<Hit> hit_in(std::string_view content) {
  for (const ScriptHit& found : download_and_run_in(content))
    return Hit{line_at(content, found.offset), found.what.decoded ? "decodes hidden code and runs it" : "downloads code and runs it",
               found.what.anonymous ? Severity::kCritical : Severity::kLow};
  for (const TextLine& line : lines_of(content))
    for (const Trick* trick : tricks_of(line.text))
      if (trick->id == "reverse-shell" || trick->id == "miner" || trick->id == "hidden-place")
        return Hit{line,
                   trick->id == "hidden-place" ? "works in a hidden folder"
                   : trick->id == "miner"      ? "runs a miner"
                                               : "opens a shell to a remote host",
                   trick->id == "hidden-place" ? Severity::kHigh : Severity::kCritical};
  return std::nullopt;
}

}  // namespace

ICECORE_DETECTOR(detect_rc_local) {
  (void)anomalies;
  if (!scene.has_machine()) return {};
  for (const std::string_view pattern : {"/etc/rc.local", "/etc/rc.d/rc.local", "/etc/rc.d/init.d/*", "/etc/init.d/*"}) {
    ICECORE_ASSIGN(const auto files, scene.machine->glob(pattern));
    for (const machine::FileRef& file : files) {
      const bool packaged = ownership(scene, file.path) == Ownership::kPackaged;
      if (file.info.type != fs::FileType::kRegular || file.info.size > kLimit || (packaged && !file.path.ends_with("rc.local"))) continue;
      ICECORE_ASSIGN(const auto content, scene.machine->content(file, kLimit));
      if (!content) continue;
      const auto hit = hit_in(*content);
      if (!hit) continue;
      const bool executable = (file.info.mode & 0111U) != 0;
      Finding finding = finding_of("rc-local-download-run");
      finding.severity = hit->severity;
      finding.confidence = executable ? Confidence::kHigh : Confidence::kMedium;
      finding.time = appeared(file.info);
      if (written(file.info) > *finding.time) {
        finding.first = finding.time;
        finding.last = written(file.info);
      }
      finding.locations.push_back(place_line(scene, file, hit->line.number, hit->line.offset, hit->line.text));
      finding.locations.back().sha256 = sha256_hex(*content);
      finding.sentence = fmt::format("At every boot {} {}: \"{}\"; the file appeared at {}{}.", shown(file.path), hit->does, shown(hit->line.text),
                                     when(*finding.time), executable ? "" : " and is not executable, so systemd passes over it");
      sink.add(std::move(finding));
    }
  }
  return {};
}

}  // namespace icecore::detect
