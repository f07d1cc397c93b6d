// pam-backdoor: PAM decides who may log in. Told are: a module that no package owns, used by a line or only lying there; a line that lets everyone in
// (`auth sufficient pam_permit.so`: pam_permit as the last, `required` line is Debian's own); a line that hands passwords to a program (pam_exec with
// expose_authtok).
#include <fmt/format.h>
#include <algorithm>
#include <map>
#include <set>

#include "core/text.h"
#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/heuristics/shell.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

constexpr std::uint64_t kConfigLimit = std::uint64_t{1} << 20;
constexpr std::uint64_t kModuleLimit = std::uint64_t{16} << 20;

struct PamLine {
  TextLine line;
  std::string type, control, module;
  std::vector<std::string> arguments;
};

// pam.conf(5): `type control module arguments`; a control in brackets holds spaces; a leading "-" keeps quiet about a missing module.
std::optional<PamLine> parse_line(const TextLine& line) {
  std::string text(trim(line.text.substr(0, line.text.find('#'))));
  if (text.starts_with('-')) text.erase(0, 1);
  if (text.empty() || text.starts_with('@')) return std::nullopt;
  const std::size_t open = text.find('[');
  const std::size_t close = text.find(']', open == std::string::npos ? 0 : open);
  std::string control;
  if (open != std::string::npos && close != std::string::npos) {
    control = text.substr(open, close - open + 1);
    text.replace(open, close - open + 1, " [] ");
  }
  const auto fields = split_fields(text);
  if (fields.size() < 3) return std::nullopt;
  PamLine parsed{line, to_lower(fields[0]), control.empty() ? to_lower(fields[1]) : control, std::string(fields[2]), {}};
  for (std::size_t i = 3; i < fields.size(); ++i) parsed.arguments.emplace_back(fields[i]);
  return parsed;
}

// "success=ok", "success=done" or a jump: [success=1 default=ignore] before pam_permit is no way in by itself.
bool lets_in(const PamLine& line) { return line.control == "sufficient" || line.control.find("success=done") != std::string::npos; }

Result<std::map<std::string, machine::FileRef>> foreign_modules(const Scene& scene) {
  std::map<std::string, machine::FileRef> modules;
  if (scene.dpkg.empty()) return modules;
  for (const std::string_view pattern : {"/usr/lib/*/security/*.so", "/usr/lib/security/*.so", "/lib/*/security/*.so", "/lib/security/*.so",
                                         "/usr/lib64/security/*.so", "/lib64/security/*.so", "/usr/local/lib/security/*.so"}) {
    ICECORE_ASSIGN(const auto files, scene.machine->glob(pattern));
    for (const machine::FileRef& file : files)
      if (file.info.type == fs::FileType::kRegular && ownership(scene, file.path) == Ownership::kUnpackaged) modules.emplace(file.path, file);
  }
  return modules;
}

Result<const machine::FileRef*> foreign_module_of(const Scene& scene, const PamLine& line, std::map<std::string, machine::FileRef>& modules) {
  if (line.module.starts_with('/')) {
    ICECORE_ASSIGN(const auto file, scene.machine->find(line.module));
    if (!file || ownership(scene, file->path) != Ownership::kUnpackaged) return static_cast<const machine::FileRef*>(nullptr);
    return &modules.emplace(file->path, *file).first->second;
  }
  for (const auto& [path, file] : modules)
    if (base_name(path) == line.module) return &file;
  return static_cast<const machine::FileRef*>(nullptr);
}

Result<void> add_module(const Scene& scene, const machine::FileRef& module, Finding& finding) {
  ICECORE_ASSIGN(const auto content, scene.machine->content(module, kModuleLimit));
  finding.locations.push_back(content ? place_content(scene, module, *content) : place(scene, module));
  return {};
}

Result<void> judge_file(const Scene& scene, const machine::FileRef& file, std::map<std::string, machine::FileRef>& modules,
                        std::set<std::string>& used, FindingSink& sink) {
  ICECORE_ASSIGN(const auto content, scene.machine->content(file, kConfigLimit));
  if (!content) return {};
  for (const TextLine& text : lines_of(*content)) {
    const auto line = parse_line(text);
    if (!line) continue;
    ICECORE_ASSIGN(const machine::FileRef* module, foreign_module_of(scene, *line, modules));
    const std::string_view name = base_name(line->module);
    const bool open_door = name == "pam_permit.so" && line->type == "auth" && lets_in(*line);
    const bool exposes = name == "pam_exec.so" && std::ranges::find(line->arguments, "expose_authtok") != line->arguments.end();
    if (module == nullptr && !open_door && !exposes) continue;
    Finding finding = finding_of("pam-backdoor");
    if (exposes && module == nullptr) finding.severity = Severity::kHigh;
    finding.confidence = exposes ? Confidence::kMedium : Confidence::kHigh;
    finding.time = written(file.info);
    finding.locations.push_back(place_line(scene, file, text.number, text.offset, text.text));
    finding.locations.back().sha256 = sha256_hex(*content);
    std::string what = open_door ? "lets everyone in whatever the password" : "hands every password to a program";
    if (module != nullptr) {
      used.insert(module->path);
      ICECORE_CHECK(add_module(scene, *module, finding));
      finding.first = std::min(appeared(module->info), *finding.time);
      finding.last = std::max(appeared(module->info), *finding.time);
      what = fmt::format("asks {}, which no package owns, whether to let somebody in", shown(module->path));
    }
    finding.sentence =
        fmt::format("A line of {} {}: \"{}\"; the file was last changed at {}.", shown(file.path), what, shown(trim(text.text)), when(*finding.time));
    sink.add(std::move(finding));
  }
  return {};
}

}  // namespace

ICECORE_DETECTOR(detect_pam) {
  (void)anomalies;
  if (!scene.has_machine()) return {};
  ICECORE_ASSIGN(auto modules, foreign_modules(scene));
  std::set<std::string> used;
  ICECORE_ASSIGN(const auto files, scene.machine->glob("/etc/pam.d/*"));
  ICECORE_CHECK(prefetch(scene, files, kConfigLimit));
  for (const machine::FileRef& file : files)
    if (file.info.type == fs::FileType::kRegular) ICECORE_CHECK(judge_file(scene, file, modules, used, sink));
  for (const auto& [path, module] : modules) {
    if (used.contains(path)) continue;
    Finding finding = finding_of("pam-backdoor");
    finding.severity = Severity::kHigh;
    finding.time = appeared(module.info);
    ICECORE_CHECK(add_module(scene, module, finding));
    finding.sentence =
        fmt::format("The PAM module {} belongs to no package; no line uses it now. It appeared at {}.", shown(path), when(*finding.time));
    sink.add(std::move(finding));
  }
  return {};
}

}  // namespace icecore::detect
