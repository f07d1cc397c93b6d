// systemd.syntax(7)
#include "artefact/systemd_unit.h"
#include "core/text.h"

namespace icecore::artefact {

std::vector<UnitSetting> parse_unit(std::string_view text) {
  std::vector<UnitSetting> settings;
  std::string section;
  bool continued = false;  // the last line ended in a backslash
  std::uint64_t number = 0;
  for (const std::string_view raw : split_lines(text)) {
    ++number;
    std::string_view line = trim(raw);
    if (!line.empty() && (line.front() == '#' || line.front() == ';')) continue;  // also between continued lines
    if (!continued && line.empty()) continue;
    const bool more = line.ends_with('\\');
    if (more) line = trim(line.substr(0, line.size() - 1));
    if (continued) {
      settings.back().value += ' ';
      settings.back().value += line;
      continued = more;
      continue;
    }
    if (line.starts_with('[') && line.ends_with(']')) {
      section = std::string(line.substr(1, line.size() - 2));
      continue;
    }
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    settings.push_back({number, static_cast<std::uint64_t>(raw.data() - text.data()), section, std::string(trim(line.substr(0, equals))),
                        std::string(trim(line.substr(equals + 1)))});
    continued = more;
  }
  return settings;
}

std::string_view Unit::setting(std::string_view section, std::string_view key) const {
  const auto all = settings_of(section, key);
  return all.empty() ? std::string_view() : all.back();
}

std::vector<std::string_view> Unit::settings_of(std::string_view section, std::string_view key) const {
  std::vector<std::string_view> values;
  for (const UnitSetting& one : settings)
    if (one.section == section && one.key == key) values.push_back(one.value);
  return values;
}

}  // namespace icecore::artefact
