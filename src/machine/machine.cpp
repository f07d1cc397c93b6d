// The exact functions: one file, one folder, one path.
#include "machine/machine.h"

#include <fmt/format.h>
#include <algorithm>
#include <deque>

#include "core/text.h"

namespace icecore::machine {
namespace {

constexpr int kMaximumLinks = 40;               // as the kernel's MAXSYMLINKS
constexpr std::size_t kLongestPath = 64 << 10;  // of what is left to go, after links were put in
constexpr std::uint64_t kPrefetchAbove = 128 << 10;
constexpr std::uint64_t kInodeRecord = 128;  // the least that a record holds (ext2); for ranges that name it
constexpr std::uint64_t kLeastSplit = 4096;

Location location_of(const fs::Filesystem& filesystem, std::uint64_t inode, std::string_view path) {
  return Location{filesystem.source().name(), std::nullopt, inode, std::string(path)};
}

std::string join(std::string_view directory, std::string_view name) {
  std::string path(directory);
  if (path.empty() || path.back() != '/') path += '/';
  path += name;
  return path;
}

bool is_synthetic(const FileRef& file) { return file.info.inode == 0 && file.info.type == fs::FileType::kDirectory; }

bool usable_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

// A run of the source may lie in pieces in the image (striped volumes): split until each piece is straight.
void add_ranges(const fs::Filesystem& filesystem, std::uint64_t offset, std::uint64_t length, std::vector<ImageRange>& ranges) {
  if (length == 0) return;
  const std::uint64_t begin = filesystem.source().image_offset(offset);
  const bool straight = filesystem.source().image_offset(offset + length - 1) == begin + length - 1;
  if (!straight && length > kLeastSplit) {
    const std::uint64_t half = length / 2 / kLeastSplit * kLeastSplit;
    const std::uint64_t first = half == 0 ? kLeastSplit : half;
    add_ranges(filesystem, offset, first, ranges);
    add_ranges(filesystem, offset + first, length - first, ranges);
    return;
  }
  if (!ranges.empty() && ranges.back().offset + ranges.back().length == begin)
    ranges.back().length += length;
  else
    ranges.push_back({begin, length});
}

}  // namespace

bool ends_the_run(Code code) {
  return code != Code::kCorrupt && code != Code::kUnsupported && code != Code::kNotFound && code != Code::kInvalidArgument;
}

Machine::Machine(std::vector<Partition> partitions, Anomalies& anomalies) : partitions_(std::move(partitions)), anomalies_(anomalies) {}

const Partition& Machine::partition_of(const FileRef& file) const { return partitions_[mounts_.at(file.mount).partition]; }
const fs::Filesystem& Machine::filesystem_of(const FileRef& file) const { return *partition_of(file).filesystem; }

std::optional<std::size_t> Machine::mount_at(std::string_view path) const {
  const auto found = std::ranges::find(mounts_, path, &Mount::path);
  if (found == mounts_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - mounts_.begin());
}

bool Machine::leads_to_mount(std::string_view path) const {
  return std::ranges::any_of(mounts_, [&](const Mount& mount) {
    return mount.path.size() > path.size() && mount.path.starts_with(path) && (path == "/" || mount.path[path.size()] == '/');
  });
}

Result<FileRef> Machine::root_of(std::size_t mount) const {
  const fs::Filesystem& filesystem = *partitions_[mounts_[mount].partition].filesystem;
  ICECORE_ASSIGN(fs::FileInfo info, filesystem.stat(filesystem.info().root_inode));
  return FileRef{mount, mounts_[mount].path, info};
}

FileRef Machine::top() const {
  FileRef top;
  top.path = "/";
  top.info.type = fs::FileType::kDirectory;
  top.info.mode = 0040755;
  return top;
}

Result<FileRef> Machine::stored_child(const FileRef& directory, std::string_view name, std::string path) const {
  const fs::Filesystem& filesystem = filesystem_of(directory);
  ICECORE_ASSIGN(const std::uint64_t inode, filesystem.lookup(directory.info.inode, name));
  ICECORE_ASSIGN(fs::FileInfo info, filesystem.stat(inode));
  return FileRef{directory.mount, std::move(path), info};
}

Result<FileRef> Machine::child(const FileRef& directory, std::string_view name) const {
  std::string path = join(directory.path, name);
  if (directory.info.type != fs::FileType::kDirectory)
    return fail(Code::kInvalidArgument, fmt::format("{} is not a folder", printable(directory.path)));
  if (!usable_name(name)) return fail(Code::kNotFound, fmt::format("{}: no such file", printable(path)));
  if (const auto mount = mount_at(path)) return root_of(*mount);
  if (!is_synthetic(directory)) {
    auto found = stored_child(directory, name, path);
    if (found || found.error().code != Code::kNotFound || !leads_to_mount(path)) {
      if (!found && found.error().code == Code::kNotFound) return fail(Code::kNotFound, fmt::format("{}: no such file", printable(path)));
      return found;
    }
  }
  if (!leads_to_mount(path)) return fail(Code::kNotFound, fmt::format("{}: no such file", printable(path)));
  FileRef folder = top();
  folder.path = std::move(path);
  return folder;
}

Result<FileRef> Machine::resolve(std::string_view path, Links links) const {
  std::vector<FileRef> stack;
  if (has_root_) {
    ICECORE_ASSIGN(FileRef root, root_of(0));
    stack.push_back(std::move(root));
  } else {
    stack.push_back(top());
  }
  if (path.size() > kLongestPath) return fail(Code::kInvalidArgument, "the path is too long");
  std::deque<std::string> ahead;
  std::size_t ahead_bytes = path.size();
  for (const std::string_view name : split(path, '/')) ahead.emplace_back(name);
  int followed = 0;
  while (!ahead.empty()) {
    const std::string name = std::move(ahead.front());
    ahead.pop_front();
    ahead_bytes -= std::min(ahead_bytes, name.size() + 1);
    if (stack.back().info.type != fs::FileType::kDirectory)
      return fail(Code::kInvalidArgument, fmt::format("{} is not a folder", printable(stack.back().path)));
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      if (stack.size() > 1) stack.pop_back();  // ".." of the top is the top, as in a chroot
      continue;
    }
    ICECORE_ASSIGN(FileRef next, child(stack.back(), name));
    const bool follow = next.info.type == fs::FileType::kSymlink && (!ahead.empty() || links == Links::kFollow);
    if (!follow) {
      stack.push_back(std::move(next));
      continue;
    }
    if (++followed > kMaximumLinks) return fail(Code::kInvalidArgument, fmt::format("{}: too many symbolic links", printable(path)));
    ICECORE_ASSIGN(const std::string target, readlink(next));
    ahead_bytes += target.size() + 1;
    if (target.empty() || ahead_bytes > kLongestPath)
      return fail(Code::kNotFound, fmt::format("{}: a link that leads nowhere", printable(next.path)));
    if (target.front() == '/') stack.resize(1);
    const auto names = split(target, '/');
    ahead.insert(ahead.begin(), names.begin(), names.end());
  }
  return std::move(stack.back());
}

Result<std::vector<DirectoryItem>> Machine::list(const FileRef& directory) const {
  if (directory.info.type != fs::FileType::kDirectory)
    return fail(Code::kInvalidArgument, fmt::format("{} is not a folder", printable(directory.path)));
  std::vector<DirectoryItem> items;
  if (!is_synthetic(directory)) {
    const fs::Filesystem& filesystem = filesystem_of(directory);
    ICECORE_ASSIGN(auto entries, filesystem.list(directory.info.inode));
    items.reserve(entries.size());
    for (fs::DirectoryEntry& entry : entries) {
      if (usable_name(entry.name))
        items.push_back({std::move(entry.name), entry.type, entry.inode});
      else
        report(directory.path, Error{Code::kCorrupt, "a name that no file can have", location_of(filesystem, directory.info.inode, directory.path)});
    }
  }
  const std::string prefix = join(directory.path, "");
  for (const Mount& mount : mounts_) {
    if (mount.path.size() <= prefix.size() || !mount.path.starts_with(prefix)) continue;
    const std::string name = mount.path.substr(prefix.size(), mount.path.find('/', prefix.size()) - prefix.size());
    if (std::ranges::find(items, name, &DirectoryItem::name) == items.end()) items.push_back({name, fs::FileType::kDirectory, 0});
  }
  std::ranges::sort(items, {}, &DirectoryItem::name);
  return items;
}

Result<std::string> Machine::readlink(const FileRef& link) const {
  if (link.info.type != fs::FileType::kSymlink) return fail(Code::kInvalidArgument, fmt::format("{} is not a symbolic link", printable(link.path)));
  return filesystem_of(link).readlink(link.info.inode);
}

Result<std::string> Machine::read(const FileRef& file, std::uint64_t limit) const {
  if (file.info.type != fs::FileType::kRegular) return fail(Code::kInvalidArgument, fmt::format("{} is not a regular file", printable(file.path)));
  if (file.info.size > kPrefetchAbove && file.info.size <= limit) ICECORE_CHECK(prefetch({&file, 1}, limit));
  auto content = fs::read_file(filesystem_of(file), file.info.inode, limit);
  if (!content) return wrap(std::move(content).error(), fmt::format("cannot read {}", printable(file.path)));
  return content;
}

Result<std::size_t> Machine::read_at(const FileRef& file, std::uint64_t offset, std::span<std::byte> out) const {
  if (file.info.type != fs::FileType::kRegular) return fail(Code::kInvalidArgument, fmt::format("{} is not a regular file", printable(file.path)));
  return filesystem_of(file).read(file.info.inode, offset, out);
}

Result<std::vector<ImageRange>> Machine::content_extents(const FileRef& file, std::uint64_t offset, std::uint64_t length) const {
  std::vector<ImageRange> ranges;
  if (is_synthetic(file)) return ranges;
  const fs::Filesystem& filesystem = filesystem_of(file);
  ICECORE_ASSIGN(const auto extents, filesystem.extents(file.info.inode));
  const std::uint64_t end = length > std::numeric_limits<std::uint64_t>::max() - offset ? std::numeric_limits<std::uint64_t>::max() : offset + length;
  for (const fs::Extent& extent : extents) {
    if (extent.unwritten) continue;
    const std::uint64_t from = std::max(offset, extent.file_offset);
    const std::uint64_t to = std::min({end, extent.file_offset + extent.length, file.info.size});
    if (from < to) add_ranges(filesystem, extent.source_offset + (from - extent.file_offset), to - from, ranges);
  }
  if (extents.empty() && file.info.size > 0) ranges.push_back({filesystem.source().image_offset(file.info.inode_offset), kInodeRecord});
  return ranges;
}

Provenance Machine::provenance(const FileRef& file, std::optional<std::uint64_t> offset) const {
  Provenance where;
  const Partition& partition = partition_of(file);
  where.snapshot = partition.snapshot;
  where.volume = partition.volume;
  where.partition = partition.number;
  where.filesystem = partition.filesystem->info().type;
  where.path = file.path;
  where.offset = offset;
  if (is_synthetic(file)) return where;
  where.inode = file.info.inode;
  where.time = file.info.modified;
  const auto extents = partition.filesystem->extents(file.info.inode);
  std::uint64_t at = file.info.inode_offset;
  if (extents) {
    const std::uint64_t wanted = offset.value_or(0);
    const auto holds = [&](const fs::Extent& extent) {
      return !extent.unwritten && wanted < std::min(extent.file_offset + extent.length, file.info.size) && wanted >= extent.file_offset;
    };
    if (const auto extent = std::ranges::find_if(*extents, holds); extent != extents->end())
      at = extent->source_offset + (wanted - extent->file_offset);
  }
  place_in_image(partition, at, where);
  return where;
}

void place_in_image(const Partition& partition, std::uint64_t source_offset, Provenance& where) {
  const image::BlockSource& source = partition.filesystem->source();
  where.image_offset = source.image_offset(source_offset);
  if (partition.disks.empty()) return;
  const image::BlockSource* const disk = source.disk_at(source_offset);
  const auto origin = std::ranges::find(partition.disks, disk, &DiskOrigin::disk);
  if (origin == partition.disks.end()) {
    where.image_offset.reset();  // a hole of the volume
    return;
  }
  where.snapshot = origin->snapshot;
  where.volume = origin->volume;
}

void Machine::report(std::string_view path, const Error& error) const {
  {
    const std::scoped_lock lock(mutex_);
    if (!reported_.insert(fmt::format("{}\n{}", path, error.message)).second) return;
  }
  Error named = error;
  if (!named.where) named.where = Location{};
  if (named.where->path.empty()) named.where->path = std::string(path);
  anomalies_.add("machine.unreadable", std::move(named));
}

}  // namespace icecore::machine
