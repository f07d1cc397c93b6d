// setuid-unpackaged: a program that runs with another user's rights and that no package owns; containers' layers are systems of their own. A set-uid
// shell or interpreter is told even where a package owns it: no distribution ships one, so its mode was changed.
#include <fmt/format.h>
#include <sys/stat.h>
#include <algorithm>
#include <array>

#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/heuristics/download.h"
#include "detect/heuristics/places.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

constexpr std::size_t kMostFindings = 200;
constexpr std::uint64_t kHashLimit = std::uint64_t{8} << 20;

bool runs_for_others(const fs::FileInfo& info) {
  if (info.type != fs::FileType::kRegular) return false;
  if ((info.mode & S_ISUID) != 0) return true;
  return (info.mode & S_ISGID) != 0 && (info.mode & S_IXGRP) != 0;  // without x it means mandatory locking
}

// GTFOBins' "SUID" list: those that give a shell at once.
bool gives_shell(std::string_view name) {
  static constexpr std::array<std::string_view, 26> kNames = {"find", "vim",  "vi",     "vim.basic", "vim.tiny", "nano", "less",    "more", "env",
                                                              "awk",  "gawk", "mawk",   "nmap",      "tar",      "cp",   "mv",      "dd",   "tee",
                                                              "ed",   "gdb",  "strace", "lua",       "node",     "ruby", "busybox", "xargs"};
  return is_shell(name) || name.starts_with("python") || name.starts_with("perl") || name.starts_with("php") ||
         std::ranges::find(kNames, name) != kNames.end();
}

// The packaged program that this is a copy of, by size and then by content.
Result<std::string> copy_of(const Scene& scene, const machine::FileRef& file, const std::string& content) {
  for (const std::string_view path :
       {"/usr/bin/bash", "/usr/bin/dash", "/usr/bin/zsh", "/usr/bin/find", "/usr/bin/cp", "/usr/bin/env", "/bin/bash", "/bin/dash", "/bin/busybox"}) {
    ICECORE_ASSIGN(const auto known, scene.machine->find(path));
    if (!known || known->info.size != file.info.size || known->path == file.path) continue;
    ICECORE_ASSIGN(const auto other, scene.machine->content(*known, kHashLimit));
    if (other && *other == content) return known->path;
  }
  return std::string();
}

Result<void> report(const Scene& scene, const machine::FileRef& file, bool packaged, FindingSink& sink) {
  Finding finding = finding_of("setuid-unpackaged");
  const bool root = (file.info.mode & S_ISUID) != 0 && file.info.uid == 0;
  if (!root) finding.severity = Severity::kMedium;
  finding.confidence = Confidence::kHigh;
  finding.first = appeared(file.info);
  finding.last = finding.time = file.info.changed;  // the mode's change, at the latest
  if (*finding.first > *finding.last) finding.first = finding.last;
  finding.locations.push_back(place(scene, file));
  std::string copied;
  ICECORE_ASSIGN(const bool elf, begins_with(scene, file, kElfMagic));
  if (elf && file.info.size <= kHashLimit) {
    ICECORE_ASSIGN(const auto content, scene.machine->content(file, kHashLimit));
    if (content) {
      finding.locations.back().sha256 = sha256_hex(*content);
      ICECORE_ASSIGN(copied, copy_of(scene, file, *content));
    }
  }
  finding.locations.back().excerpt =
      fmt::format("{} {}:{} {}", fs::mode_string(file.info.type, file.info.mode), file.info.uid, file.info.gid, cut(file.path, 150));
  const machine::User* owner = scene.facts.user(file.info.uid);
  finding.sentence = fmt::format("{} ({}) runs with the rights of {} \"{}\" for whoever starts it{}{}; {}; last changed at {}.", shown(file.path),
                                 fs::mode_string(file.info.type, file.info.mode), (file.info.mode & S_ISUID) != 0 ? "the user" : "a group of",
                                 owner == nullptr ? std::to_string(file.info.uid) : shown(owner->entry.name),
                                 copied.empty() ? "" : ", and is a copy of " + shown(copied), elf ? "" : " (no ELF program)",
                                 packaged ? "a package owns it, but none ships it like that" : "no package owns it", when(file.info.changed));
  sink.add(std::move(finding));
  return {};
}

}  // namespace

ICECORE_DETECTOR(detect_setuid) {
  (void)anomalies;
  std::vector<std::pair<machine::FileRef, bool>> found;
  for_each_name(scene, [&](const SweptFile& file) {
    if (!runs_for_others(*file.info) || found.size() >= kMostFindings) return;
    const std::string path = file.path();
    if (is_container_path(path)) return;
    const Ownership owned = ownership(scene, path);
    const bool shell = gives_shell(file.text()) && (file.info->mode & S_ISUID) != 0;
    // Without a package database only places where no distribution puts programs are told.
    const bool odd = owned == Ownership::kUnpackaged || (owned == Ownership::kUnknown && !is_packages_ground(path));
    if (odd || shell) found.emplace_back(file.ref(), owned == Ownership::kPackaged);
  });
  for (const auto& [file, packaged] : found) ICECORE_CHECK(report(scene, file, packaged, sink));
  return {};
}

}  // namespace icecore::detect
