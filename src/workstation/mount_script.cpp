#include "workstation/mount_script.h"

#include <fmt/format.h>

#include <functional>

#include "core/text.h"
#include "workstation/script_parts.h"

namespace icecore::workstation {
namespace {

std::string functions() {
  std::string text;
  for (const std::string_view part : {kMountShell, kArrayShell, kGroupShell, kReleaseShell}) text += part;
  return text;
}

std::string serial_of(const std::string& volume) {
  std::string serial = volume;
  std::erase(serial, '-');
  return serial;
}

// The letter or letters behind sd or xvd.
std::string letters_of(std::string_view device) {
  for (const std::string_view prefix : {"/dev/", "xvd", "sd"})
    if (device.starts_with(prefix)) device.remove_prefix(prefix.size());
  return std::string(device);
}

// All of these are ids or of our own making; what is not would end the quotes, so it is left out.
std::string word(std::string_view text) {
  std::string clean;
  for (const char c : text)
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_') clean += c;
  return "'" + clean + "'";
}

std::string calls(std::string_view function, const std::vector<AttachedCopy>& copies, const std::function<std::string(const AttachedCopy&)>& last) {
  std::string text;
  for (const AttachedCopy& copy : copies)
    text += fmt::format("{} {} {} {} {} {} {}\n", function, word(copy.volume), word(serial_of(copy.volume)), word(letters_of(copy.device)),
                        copy.size_gib, word(copy.copy.folder()), last(copy));
  return text;
}

}  // namespace

std::string mount_script(const std::vector<AttachedCopy>& copies) {
  return functions() + calls("volume", copies, [](const AttachedCopy& copy) { return word(view_name(copy.copy.view)); }) +
         "assemble\n# shellcheck disable=SC2086\nfor disk in $disks; do blockdev --setro \"$disk\"; done\n";
}

std::string unmount_script(const std::vector<AttachedCopy>& copies, bool lazily) {
  return functions() + calls("release", copies, [&](const AttachedCopy&) { return lazily ? "-l" : "''"; });
}

std::vector<Mounted> parse_report(std::string_view output) {
  std::vector<Mounted> report;
  for (const std::string_view line : split_lines(output)) {
    const auto fields = split(line, '\t');
    if (fields.size() != 7 || fields[0] != "icecore") continue;
    report.push_back({std::string(fields[1]), std::string(fields[2]), std::string(fields[3]), std::string(fields[4]), std::string(fields[5]),
                      std::string(fields[6])});
  }
  return report;
}

}  // namespace icecore::workstation
