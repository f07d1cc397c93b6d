#include "artefact/systemd_unit.h"

#include <fmt/format.h>
#include <algorithm>
#include <map>

#include "artefact/scan.h"

namespace icecore::artefact {
namespace {

using machine::FileRef;
using machine::Links;

// systemd.unit(5), in falling precedence.
constexpr std::string_view kSystemFolders[] = {"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system",
                                               "/usr/lib/systemd/system", "/lib/systemd/system"};
constexpr std::string_view kSuffixes[] = {".service", ".timer", ".socket", ".path", ".mount", ".automount", ".target", ".slice", ".swap"};

std::string base_name(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

bool is_unit_name(std::string_view name) {
  return std::ranges::any_of(kSuffixes, [&](std::string_view suffix) { return name.size() > suffix.size() && name.ends_with(suffix); });
}

// "getty@tty1.service" is an instance of "getty@.service".
std::string template_of(const std::string& name) {
  const std::size_t at = name.find('@');
  const std::size_t dot = name.rfind('.');
  return at == std::string::npos || dot == std::string::npos || dot < at ? name : name.substr(0, at + 1) + name.substr(dot);
}

Result<void> add_fragment(const machine::Machine& machine, const FileRef& found, std::map<std::string, Unit>& units) {
  Unit unit;
  unit.name = base_name(found.path);
  if (!is_unit_name(unit.name) || units.contains(unit.name)) return {};
  unit.file = found;
  FileRef content = found;
  if (found.info.type == fs::FileType::kSymlink) {
    unit.masked = machine.readlink(found).value_or("") == "/dev/null";
    ICECORE_ASSIGN(const auto target, machine.find(found.path));
    if (target) content = *target;
  } else if (found.info.type != fs::FileType::kRegular) {
    return {};
  }
  if (!unit.masked && content.info.type == fs::FileType::kRegular) {
    if (content.info.size == 0) unit.masked = true;  // an empty unit file masks too
    ICECORE_ASSIGN(const auto text, machine.content(content));
    if (text) unit.settings = parse_unit(*text);
  }
  units.emplace(unit.name, std::move(unit));
  return {};
}

Result<void> add_links(const machine::Machine& machine, std::string_view folder, std::map<std::string, Unit>& units) {
  for (const std::string_view kind : {"wants", "requires"}) {
    ICECORE_ASSIGN(const auto links, machine.glob(fmt::format("{}/*.{}/*", folder, kind), Links::kKeep));
    for (const FileRef& link : links) {
      if (link.info.type != fs::FileType::kSymlink) continue;
      const std::size_t slash = link.path.rfind('/');
      const std::string parent = base_name(link.path.substr(0, slash));
      UnitLink made{link, machine.readlink(link).value_or(""), parent.substr(0, parent.rfind('.'))};
      auto unit = units.find(base_name(link.path));
      if (unit == units.end()) unit = units.find(template_of(base_name(link.path)));
      if (unit == units.end()) unit = units.find(base_name(made.target));
      if (unit != units.end()) unit->second.enabled_by.push_back(std::move(made));
    }
  }
  return {};
}

Result<void> add_drop_ins(const machine::Machine& machine, std::string_view folder, std::map<std::string, Unit>& units) {
  ICECORE_ASSIGN(const auto files, machine.glob(fmt::format("{}/*.d/*.conf", folder)));
  for (const FileRef& file : files) {
    const std::string parent = base_name(std::string_view(file.path).substr(0, file.path.rfind('/')));
    const auto unit = units.find(parent.substr(0, parent.size() - 2));
    if (unit == units.end() || file.info.type != fs::FileType::kRegular) continue;
    unit->second.drop_ins.push_back(file);
    ICECORE_ASSIGN(const auto text, machine.content(file));
    if (!text) continue;
    for (UnitSetting& setting : parse_unit(*text)) unit->second.settings.push_back(std::move(setting));
  }
  return {};
}

Result<std::vector<Unit>> read_units(const machine::Machine& machine, std::span<const std::string_view> folders) {
  std::map<std::string, Unit> units;
  std::vector<std::string> seen;  // /lib is /usr/lib where /usr is merged
  std::vector<std::string_view> real;
  for (const std::string_view folder : folders) {
    ICECORE_ASSIGN(const auto found, machine.find(folder));
    if (!found || std::ranges::find(seen, found->path) != seen.end()) continue;
    seen.push_back(found->path);
    real.push_back(folder);
  }
  for (const std::string_view folder : real) {
    ICECORE_ASSIGN(const auto files, machine.glob(std::string(folder) + "/*", Links::kKeep));
    ICECORE_CHECK(machine.prefetch(files));
    for (const FileRef& file : files) ICECORE_CHECK(add_fragment(machine, file, units));
  }
  for (const std::string_view folder : real) {
    ICECORE_CHECK(add_links(machine, folder, units));
    ICECORE_CHECK(add_drop_ins(machine, folder, units));
  }
  std::vector<Unit> list;
  for (auto& [name, unit] : units) list.push_back(std::move(unit));
  return list;
}

std::string joined(const Unit& unit) {
  std::string text;
  for (const UnitLink& link : unit.enabled_by) text += (text.empty() ? "" : ",") + link.wanted_by;
  return text;
}

}  // namespace

Result<std::vector<Unit>> system_units(const machine::Machine& machine) { return read_units(machine, kSystemFolders); }

Result<std::vector<Unit>> user_units(const Subject& subject) {
  constexpr std::string_view kShared[] = {"/etc/systemd/user"};
  ICECORE_ASSIGN(auto units, read_units(subject.machine, kShared));
  ICECORE_ASSIGN(const auto homes, machine::home_folders(subject.machine, subject.facts));
  for (const machine::HomeFolder& home : homes) {
    const std::string folder = home.folder.path + "/.config/systemd/user";
    const std::string_view folders[] = {folder};
    ICECORE_ASSIGN(auto own, read_units(subject.machine, folders));
    std::ranges::move(own, std::back_inserter(units));
  }
  return units;
}

Result<void> collect_systemd_units(const Subject& subject, EventSink& sink) {
  ICECORE_ASSIGN(auto units, system_units(subject.machine));
  ICECORE_ASSIGN(auto users, user_units(subject));
  std::ranges::move(users, std::back_inserter(units));
  for (const Unit& unit : units) {
    if (unit.file.path.starts_with("/usr/lib/") || unit.file.path.starts_with("/lib/")) continue;
    const std::string command = std::string(unit.setting("Service", "ExecStart"));
    const std::string state = unit.masked ? "masked" : unit.enabled_by.empty() ? "not enabled" : "enabled";
    Event event = make_event(unit.file.info.modified, kNoLater, "systemd:unit:file",
                             command.empty() ? fmt::format("systemd unit {} ({})", unit.name, state)
                                             : fmt::format("systemd unit {} ({}) runs: {}", unit.name, state, command),
                             subject.machine.provenance(unit.file));
    put(event, "unit", unit.name);
    put(event, "exec_start", command);
    put(event, "command", command);
    put(event, "description", unit.setting("Unit", "Description"));
    put(event, "enabled_by", joined(unit));
    if (unit.masked) put(event, "masked", "true");
    ICECORE_CHECK(sink.add(std::move(event)));
  }
  return {};
}

}  // namespace icecore::artefact
