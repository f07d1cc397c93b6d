// sudoers-nopasswd: a rule that gives everything without a password, in a file that neither a package nor cloud-init brought. cloud-init writes
// 90-cloud-init-users for the image's own user; the same file with anyone else in it counts. A rule for named commands is ordinary administration.
// Service accounts (www-data, nobody …) have no business there at all.
#include <fmt/format.h>
#include <algorithm>

#include "artefact/sudoers.h"
#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

bool is_unlimited(const artefact::SudoersRule& rule) {
  static constexpr std::array<std::string_view, 12> kShells = {"/bin/sh",          "/bin/bash",     "/usr/bin/sh",  "/usr/bin/bash",
                                                               "/bin/dash",        "/bin/su",       "/usr/bin/su",  "/usr/bin/env",
                                                               "/usr/bin/python3", "/usr/bin/perl", "/usr/bin/vim", "/usr/bin/find"};
  const bool without_password = std::ranges::find(rule.tags, "NOPASSWD") != rule.tags.end();
  return without_password && std::ranges::any_of(rule.commands, [](const std::string& command) {
           return command == "ALL" || std::ranges::find(kShells, command) != kShells.end();
         });
}

// The first account of the image: cloud-init's `system_info: default_user`, whose usual names are known, else uid 1000.
bool is_image_user(const Scene& scene, const std::string& who) {
  static constexpr std::array<std::string_view, 10> kNames = {"admin", "debian",    "ubuntu", "ec2-user",   "centos",
                                                              "rocky", "almalinux", "fedora", "cloud-user", "bitnami"};
  const machine::User* user = scene.facts.user(std::string_view(who));
  if (user != nullptr && user->entry.uid == 0) return false;
  return std::ranges::find(kNames, who) != kNames.end() || (user != nullptr && user->entry.uid == 1000);
}

bool is_cloud_init(std::string_view path) { return path.ends_with("/90-cloud-init-users") || path.ends_with("/90-cloud-init-default"); }

// Nobody logs in as these, so no administrator gives them sudo.
bool is_service(const machine::User* user) { return user != nullptr && user->entry.uid > 0 && user->entry.uid < 1000; }

bool is_suspicious(const Scene& scene, const artefact::SudoersFile& file, const artefact::SudoersRule& rule) {
  if (!is_unlimited(rule)) return false;
  if (is_cloud_init(file.file.path)) return !is_image_user(scene, rule.who);
  // The administrators' group in the main file is a taste some distributions and admins have.
  return !(file.file.path == "/etc/sudoers" && (rule.who == "%sudo" || rule.who == "%wheel" || rule.who == "%admin" || rule.who == "root"));
}

Finding finding_for(const Scene& scene, const artefact::SudoersFile& file, const std::vector<const artefact::SudoersRule*>& rules,
                    const std::optional<Timestamp>& boot) {
  Finding finding = finding_of("sudoers-nopasswd");
  finding.confidence = Confidence::kHigh;
  finding.time = written(file.file.info);
  std::vector<std::string> who;
  bool odd = false;
  for (const artefact::SudoersRule* rule : rules) {
    finding.locations.push_back(place_line(scene, file.file, rule->line, rule->offset, rule->text));
    who.push_back(shown(rule->who, 40));
    const machine::User* user = scene.facts.user(std::string_view(rule->who));
    odd = odd || is_service(user) || (user != nullptr && user->entry.uid == 0 && rule->who != "root") || rule->who == "ALL";
  }
  // What came with the image was its maker's choice.
  const bool with_image = boot && written(file.file.info) < *boot && appeared(file.file.info) < *boot;
  if (with_image && !odd) {
    finding.severity = Severity::kInfo;
    finding.confidence = Confidence::kLow;
  }
  finding.sentence = fmt::format("{} lets {} do anything as root without a password; it was written at {} and belongs to no package.",
                                 shown(file.file.path), list_of(who), when(*finding.time));
  return finding;
}

}  // namespace

ICECORE_DETECTOR(detect_sudoers) {
  (void)anomalies;
  if (!scene.has_machine()) return {};
  ICECORE_ASSIGN(const auto boot, first_boot(scene));
  ICECORE_ASSIGN(const auto files, artefact::sudoers_files(*scene.machine));
  for (const artefact::SudoersFile& file : files) {
    const auto owner = scene.dpkg.owner(file.file.path);
    if (owner && !owner->conffile) continue;
    std::vector<const artefact::SudoersRule*> rules;
    for (const artefact::SudoersRule& rule : file.content.rules)
      if (is_suspicious(scene, file, rule)) rules.push_back(&rule);
    if (!rules.empty() && rules.size() < kMostLocations) sink.add(finding_for(scene, file, rules, boot));
  }
  return {};
}

}  // namespace icecore::detect
