#include "engine/deleted.h"

#include <algorithm>
#include <array>
#include <set>

#include "core/hash.h"
#include "image/block_store.h"

namespace icecore::engine {
namespace {

constexpr std::uint64_t kLargestTelling = std::uint64_t{1} << 20;
constexpr std::size_t kMostTelling = 2000;

bool starts_with_any(std::string_view path, std::initializer_list<std::string_view> starts) {
  return std::ranges::any_of(starts, [&](std::string_view start) { return path.starts_with(start); });
}

bool ends_with_any(std::string_view path, std::initializer_list<std::string_view> ends) {
  return std::ranges::any_of(ends, [&](std::string_view end) { return path.ends_with(end); });
}

// How much a deleted file of this path promises; 0: not worth a fetch in triage.
unsigned promise_of(std::string_view path, const fs::FileInfo& info) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (path.empty() || ends_with_any(name, {".dpkg-new", ".dpkg-tmp", ".dpkg-old", ".pyc", ".swp"})) return 0;
  if (starts_with_any(path, {"/var/lib/dpkg/", "/var/lib/apt/", "/var/cache/", "/usr/share/doc/", "/usr/share/man/", "/usr/share/locale/"})) return 0;
  if (path.find("/.") != std::string_view::npos || starts_with_any(path, {"/tmp/", "/var/tmp/", "/dev/shm/"})) return 3;
  if (starts_with_any(path, {"/var/log/", "/root/", "/home/"})) return 3;
  if (starts_with_any(path, {"/etc/", "/usr/local/", "/opt/", "/srv/", "/var/www/", "/var/spool/cron"})) return 2;
  if ((info.mode & 0111) != 0 || ends_with_any(name, {".sh", ".py", ".pl", ".php", ".service"})) return 2;
  return 0;
}

struct Candidate {
  unsigned promise;
  std::size_t mount;
  const fs::DeletedFile* file;
  std::string path;

  Timestamp end() const { return file->info.deleted.value_or(file->info.changed); }
};

std::vector<Candidate> candidates_of(const machine::Machine& machine, const std::vector<detect::Sweep>& sweeps) {
  std::vector<Candidate> found;
  for (std::size_t mount = 0; mount < sweeps.size(); ++mount) {
    if (!sweeps[mount].deleted) continue;
    for (const fs::DeletedFile& file : sweeps[mount].deleted->files) {
      if (file.content != fs::ContentState::kIntact || !file.size_exact || file.info.size == 0 || file.info.size > kLargestTelling) continue;
      std::string path = machine_path(machine, mount, file.path());
      if (const unsigned promise = promise_of(path, file.info); promise > 0) found.push_back({promise, mount, &file, std::move(path)});
    }
  }
  std::ranges::stable_sort(found,
                           [](const Candidate& a, const Candidate& b) { return a.promise != b.promise ? a.promise > b.promise : a.end() > b.end(); });
  return found;
}

std::vector<Candidate> within_budget(const machine::Machine& machine, std::vector<Candidate> candidates) {
  std::set<std::pair<std::size_t, std::uint64_t>> blocks;
  std::vector<Candidate> chosen;
  for (Candidate& candidate : candidates) {
    const auto& partition = machine.partitions()[machine.mounts()[candidate.mount].partition];
    std::set<std::pair<std::size_t, std::uint64_t>> wanted;
    for (const fs::DeletedExtent& extent : candidate.file->extents)
      for (std::uint64_t at = extent.source_offset / image::kBlockSize; at <= (extent.source_offset + extent.length - 1) / image::kBlockSize; ++at)
        if (const std::pair key(candidate.mount, partition.filesystem->source().image_offset(at * image::kBlockSize) / image::kBlockSize);
            !blocks.contains(key))
          wanted.insert(key);
    if (blocks.size() + wanted.size() > kMostRecoveredBlocks) continue;
    blocks.merge(wanted);
    chosen.push_back(std::move(candidate));
    if (chosen.size() >= kMostTelling) break;
  }
  return chosen;
}

Result<void> announce(const machine::Machine& machine, const std::vector<Candidate>& chosen) {
  for (std::size_t mount = 0; mount < machine.mounts().size(); ++mount) {
    std::vector<image::ByteRange> ranges;
    for (const Candidate& candidate : chosen)
      if (candidate.mount == mount)
        for (const fs::DeletedExtent& extent : candidate.file->extents) ranges.push_back({extent.source_offset, extent.length});
    ICECORE_CHECK(machine.partitions()[machine.mounts()[mount].partition].filesystem->source().prefetch(ranges));
  }
  return {};
}

}  // namespace

std::string machine_path(const machine::Machine& machine, std::size_t mount, std::string_view inside) {
  if (inside.empty()) return "";
  const std::string& at = machine.mounts()[mount].path;
  return (at == "/" ? "" : at) + std::string(inside);
}

Provenance provenance_of(const machine::Machine& machine, std::size_t mount, const fs::DeletedFile& file) {
  const machine::Partition& partition = machine.partitions()[machine.mounts()[mount].partition];
  Provenance where;
  where.snapshot = partition.snapshot;
  where.volume = partition.volume;
  where.partition = partition.number;
  where.filesystem = partition.filesystem->info().type;
  where.path = machine_path(machine, mount, file.path());
  where.inode = file.info.inode;
  where.time = file.info.modified;
  const std::uint64_t first = file.extents.empty() ? file.origin.offset : file.extents.front().source_offset;
  machine::place_in_image(partition, first, where);
  return where;
}

Result<void> find_deleted(Workspace& workspace, const machine::Machine& machine, std::vector<detect::Sweep>& sweeps) {
  for (std::size_t mount = 0; mount < sweeps.size(); ++mount) {
    detect::Sweep& sweep = sweeps[mount];
    if (!sweep.table) continue;
    const fs::Filesystem& filesystem = *machine.partitions()[machine.mounts()[mount].partition].filesystem;
    auto deleted = filesystem.deleted_files(*sweep.table, *sweep.paths, workspace.anomalies(), workspace.progress());
    if (!deleted && machine::ends_the_run(deleted.error().code)) return Failure(std::move(deleted).error());
    if (deleted)
      sweep.deleted = std::make_shared<const fs::DeletedFiles>(std::move(*deleted));
    else
      workspace.anomalies().add("filesystem.deleted", deleted.error());
  }
  return {};
}

Result<std::vector<detect::RecoveredFile>> recover_telling(const machine::Machine& machine, const std::vector<detect::Sweep>& sweeps) {
  const std::vector<Candidate> chosen = within_budget(machine, candidates_of(machine, sweeps));
  ICECORE_CHECK(announce(machine, chosen));
  std::vector<detect::RecoveredFile> recovered;
  for (const Candidate& candidate : chosen) {
    const fs::Filesystem& filesystem = *machine.partitions()[machine.mounts()[candidate.mount].partition].filesystem;
    detect::RecoveredFile file{candidate.mount, candidate.path, candidate.file->info, std::string(candidate.file->info.size, '\0'), "", {}};
    const auto read = filesystem.read_deleted(*candidate.file, 0, std::as_writable_bytes(std::span(file.content)));
    if (!read && machine::ends_the_run(read.error().code)) return Failure(read.error());
    if (!read) {
      machine.report(candidate.path, read.error());
      continue;
    }
    file.sha256 = to_hex(sha256(as_bytes(file.content)));
    file.where = provenance_of(machine, candidate.mount, *candidate.file);
    recovered.push_back(std::move(file));
  }
  return recovered;
}

}  // namespace icecore::engine
