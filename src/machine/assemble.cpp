// Which filesystem is the root, and where the others are mounted.
#include <fmt/format.h>
#include <algorithm>

#include "core/text.h"
#include "machine/fstab.h"
#include "machine/machine.h"

namespace icecore::machine {
namespace {

bool holds(const fs::Filesystem& filesystem, std::string_view path, fs::FileType type) {
  std::uint64_t inode = filesystem.info().root_inode;
  for (const std::string_view name : split(path, '/')) {
    const auto next = filesystem.lookup(inode, name);
    if (!next) return false;
    inode = *next;
  }
  const auto info = filesystem.stat(inode);
  return info && (info->type == type || info->type == fs::FileType::kSymlink);
}

// 0: no root of a machine. A separate /usr, or a broken machine, may lack some of these.
int looks_like_root(const fs::Filesystem& filesystem) {
  using fs::FileType;
  if (!holds(filesystem, "etc", FileType::kDirectory)) return 0;
  int score = 0;
  for (const std::string_view folder : {"usr", "bin", "sbin", "lib", "var"}) score += holds(filesystem, folder, FileType::kDirectory) ? 1 : 0;
  for (const std::string_view file : {"etc/os-release", "usr/lib/os-release", "etc/passwd", "etc/fstab"})
    score += holds(filesystem, file, FileType::kRegular) ? 2 : 0;
  return score < 3 ? 0 : score;
}

std::string read_fstab(const fs::Filesystem& filesystem) {
  constexpr std::uint64_t kLimit = 1 << 20;
  const auto etc = filesystem.lookup(filesystem.info().root_inode, "etc");
  if (!etc) return {};
  const auto file = filesystem.lookup(*etc, "fstab");
  if (!file) return {};
  return fs::read_file(filesystem, *file, kLimit).value_or(std::string());
}

// The root whose fstab says that it is the root beats a copy of another machine's.
bool names_itself(std::size_t index, const std::vector<Partition>& partitions) {
  for (const FstabEntry& entry : parse_fstab(read_fstab(*partitions[index].filesystem)))
    if (entry.path == "/") return match_spec(entry.spec, partitions) == index;
  return false;
}

std::optional<std::size_t> find_root(const std::vector<Partition>& partitions) {
  std::optional<std::size_t> best;
  int best_score = 0;
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    int score = looks_like_root(*partitions[i].filesystem);
    if (score > 0 && names_itself(i, partitions)) score += 100;
    if (score > best_score) {
      best_score = score;
      best = i;
    }
  }
  return best;
}

bool is_block_device_line(const FstabEntry& entry) {
  const bool by_device = entry.spec.find('=') != std::string::npos || entry.spec.starts_with("/dev/");
  return by_device && entry.type != "swap" && entry.path.starts_with('/') && entry.path != "/";
}

std::string folder_name(const Partition& partition, std::size_t index) {
  const auto last = [](const std::string& path) { return path.substr(path.rfind('/') + 1); };
  std::string name = !partition.names.empty()    ? last(partition.names.front())
                     : !partition.volume.empty() ? partition.volume
                                                 : last(partition.snapshot);
  std::ranges::replace(name, '/', '_');
  if (name.empty() || name == "." || name == "..") name = fmt::format("disk-{}", index + 1);
  return name;
}

std::string normal(std::string_view path) {
  std::string plain;
  for (const std::string_view name : split(path, '/'))
    if (!name.empty() && name != "." && name != "..") plain += '/' + std::string(name);
  return plain.empty() ? "/" : plain;
}

}  // namespace

Result<std::shared_ptr<const Machine>> Machine::assemble(std::vector<Partition> partitions, Anomalies& anomalies) {
  if (partitions.empty()) return fail(Code::kInvalidArgument, "no filesystem was found on any volume of the machine");
  const std::shared_ptr<Machine> machine(new Machine(std::move(partitions), anomalies));
  ICECORE_CHECK(machine->mount_all());
  return std::shared_ptr<const Machine>(machine);
}

Result<void> Machine::mount_all() {
  std::vector<bool> placed(partitions_.size(), false);
  if (const auto root = find_root(partitions_)) {
    mounts_.push_back({"/", *root, false});
    placed[*root] = true;
    has_root_ = true;
    ICECORE_CHECK(mount_by_fstab(placed));
  }
  mount_the_rest(placed);
  return {};
}

Result<void> Machine::mount_by_fstab(std::vector<bool>& placed) {
  ICECORE_ASSIGN(const auto text, content("/etc/fstab"));
  ICECORE_ASSIGN(const auto crypttab, content("/etc/crypttab"));
  auto entries = parse_fstab(text.value_or(""));
  std::erase_if(entries, [](const FstabEntry& entry) { return !is_block_device_line(entry); });
  std::ranges::stable_sort(entries, {}, [](const FstabEntry& entry) { return entry.path.size(); });  // /srv before /srv/www
  for (const FstabEntry& entry : entries) {
    auto index = match_spec(entry.spec, partitions_);
    if (!index) index = match_spec(crypttab_device(crypttab.value_or(""), entry.spec), partitions_);
    if (!index) {
      missing_.push_back(fmt::format("{} on {}", entry.spec, entry.path));
      continue;
    }
    ICECORE_ASSIGN(const auto point, find(entry.path));
    const std::string path = point ? point->path : normal(entry.path);
    if (placed[*index] || path == "/" || mount_at(path)) continue;
    mounts_.push_back({path, *index, true});
    placed[*index] = true;
  }
  return {};
}

void Machine::mount_the_rest(const std::vector<bool>& placed) {
  for (std::size_t i = 0; i < partitions_.size(); ++i) {
    if (placed[i]) continue;
    const auto& number = partitions_[i].number;
    const std::string base =
        fmt::format("/volumes/{}/{}", folder_name(partitions_[i], i), number ? fmt::format("partition-{}", *number) : "filesystem");
    std::string path = base;
    for (int copy = 2; mount_at(path); ++copy) path = fmt::format("{}-{}", base, copy);
    mounts_.push_back({path, i, false});
  }
}

}  // namespace icecore::machine
