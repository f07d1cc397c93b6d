// The text formats of dpkg's database.
#include <algorithm>

#include "artefact/dpkg_database.h"
#include "artefact/scan.h"
#include "core/text.h"

namespace icecore::artefact {
namespace {

void add_conffile(std::string_view line, DebPackage& package) {
  const auto fields = split_fields(line);  // path, md5, [obsolete]
  if (fields.size() >= 2 && fields[0].starts_with('/')) package.conffiles.emplace_back(std::string(fields[0]), std::string(fields[1]));
}

}  // namespace

bool DebPackage::installed() const {
  return status.ends_with(" installed") || status.find(" unpacked") != std::string::npos || status.find(" half-") != std::string::npos ||
         status.find(" triggers-") != std::string::npos;
}

std::vector<DebPackage> parse_dpkg_status(std::string_view text) {
  std::vector<DebPackage> packages;
  DebPackage current;
  bool in_conffiles = false;
  const auto finish = [&] {
    if (!current.name.empty()) packages.push_back(std::move(current));
    current = {};
    in_conffiles = false;
  };
  for (std::string_view line : split_lines(text)) {
    if (trim(line).empty()) {
      finish();
      continue;
    }
    if (line.front() == ' ' || line.front() == '\t') {
      if (in_conffiles) add_conffile(line, current);
      continue;
    }
    const std::string_view key = take_until(line, ":");
    const std::string value(trim(line));
    in_conffiles = key == "Conffiles";
    if (key == "Package")
      current.name = value;
    else if (key == "Version")
      current.version = value;
    else if (key == "Architecture")
      current.architecture = value;
    else if (key == "Status")
      current.status = value;
    else if (key == "Multi-Arch")
      current.multi_arch = value;
  }
  finish();
  return packages;
}

std::vector<Diversion> parse_diversions(std::string_view text) {
  const auto lines = split_lines(text);
  std::vector<Diversion> diversions;
  for (std::size_t i = 0; i + 3 <= lines.size(); i += 3)
    diversions.push_back({std::string(lines[i]), std::string(lines[i + 1]), std::string(lines[i + 2])});
  return diversions;
}

std::vector<std::pair<std::string, std::string>> parse_md5sums(std::string_view text) {
  constexpr std::size_t kDigits = 32;
  std::vector<std::pair<std::string, std::string>> sums;
  for (const std::string_view line : split_lines(text)) {
    if (line.size() < kDigits + 3 || line[kDigits] != ' ') continue;
    const std::string_view md5 = line.substr(0, kDigits);
    const bool hex = std::ranges::all_of(md5, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
    std::string_view path = line.substr(kDigits + 2);
    take_prefix(path, "./");
    if (hex && !path.empty()) sums.emplace_back((path.starts_with('/') ? "" : "/") + std::string(path), std::string(md5));
  }
  return sums;
}

}  // namespace icecore::artefact
