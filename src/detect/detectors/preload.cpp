// ld-so-preload: /etc/ld.so.preload forces a library into every program that starts; Debian ships none. Critical where no package owns the library
// (or it is gone), low where a package does (allocators such as jemalloc are preloaded like that). LD_PRELOAD in /etc/environment counts the same.
#include <fmt/format.h>
#include <algorithm>

#include "core/text.h"
#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

constexpr std::string_view kFile = "/etc/ld.so.preload";

Result<void> add_library(const Scene& scene, std::string_view name, Finding& finding, std::vector<std::string>& libraries) {
  libraries.push_back(shown(name));
  std::vector<std::string> candidates{std::string(name)};
  // ld.so(8): a name without a slash is looked for in the library folders.
  if (name.find('/') == std::string_view::npos)
    candidates = {fmt::format("/lib/x86_64-linux-gnu/{}", name), fmt::format("/lib/aarch64-linux-gnu/{}", name), fmt::format("/usr/lib/{}", name),
                  fmt::format("/usr/local/lib/{}", name), fmt::format("/lib64/{}", name)};
  for (const std::string& path : candidates) {
    ICECORE_ASSIGN(const auto file, scene.machine->find(path));
    if (!file) continue;
    if (ownership(scene, file->path) == Ownership::kPackaged) return {};
    finding.severity = Severity::kCritical;
    if (ownership(scene, file->path) == Ownership::kUnknown) finding.severity = Severity::kHigh;
    ICECORE_ASSIGN(const auto content, scene.machine->content(*file));
    finding.locations.push_back(content ? place_content(scene, *file, *content) : place(scene, *file));
    return {};
  }
  finding.severity = Severity::kCritical;
  return {};
}

Result<std::optional<Finding>> judge(const Scene& scene, const machine::FileRef& file, const std::vector<std::pair<TextLine, std::string>>& names,
                                     std::string_view content) {
  if (names.empty()) return std::optional<Finding>();
  Finding finding = finding_of("ld-so-preload");
  finding.severity = Severity::kLow;
  finding.confidence = Confidence::kHigh;
  finding.time = file.path == kFile ? appeared(file.info) : written(file.info);
  if (written(file.info) > *finding.time) {
    finding.first = finding.time;
    finding.last = written(file.info);
  }
  const TextLine& line = names.front().first;
  finding.locations.push_back(place_line(scene, file, line.number, line.offset, line.text));
  finding.locations.back().sha256 = sha256_hex(content);
  std::vector<std::string> libraries;
  for (const auto& [at, name] : names) ICECORE_CHECK(add_library(scene, name, finding, libraries));
  finding.sentence = fmt::format("Since {}, {} forces {} into every program{}.", when(*finding.time), shown(file.path), list_of(libraries),
                                 finding.severity >= Severity::kHigh ? ", which no package owns" : ", which belongs to a package");
  return std::optional(std::move(finding));
}

}  // namespace

ICECORE_DETECTOR(detect_preload) {
  (void)anomalies;
  if (!scene.has_machine()) return {};
  for (const std::string_view path : {kFile, std::string_view("/etc/environment")}) {
    ICECORE_ASSIGN(const auto file, scene.machine->find(path));
    if (!file || file->info.type != fs::FileType::kRegular) continue;
    ICECORE_ASSIGN(const auto content, scene.machine->content(*file, std::uint64_t{1} << 20));
    if (!content) continue;
    std::vector<std::pair<TextLine, std::string>> names;
    for (const TextLine& line : lines_of(*content)) {
      std::string text(line.text.substr(0, line.text.find('#')));
      if (path != kFile) {
        const std::size_t at = text.find("LD_PRELOAD=");
        if (at == std::string::npos) continue;
        text = text.substr(at + 11);
      }
      std::ranges::replace_if(
          text, [](char c) { return c == ':' || c == '"' || c == '\'' || c == ','; }, ' ');
      for (const std::string_view name : split_fields(trim(text)))
        if (names.size() < 32) names.emplace_back(line, name);
    }
    ICECORE_ASSIGN(auto finding, judge(scene, *file, names, *content));
    if (finding) sink.add(std::move(*finding));
  }
  return {};
}

}  // namespace icecore::detect
