#include "fs/xfs/xfs_filesystem.h"

#include <fmt/format.h>
#include <algorithm>

#include "fs/xfs/attributes.h"
#include "fs/xfs/directory.h"
#include "fs/xfs/directory_map.h"

namespace icecore::fs::xfs {
namespace {

constexpr std::size_t kRecentFiles = 8;
constexpr std::size_t kMostLink = 1024;  // XFS_SYMLINK_MAXLEN

// In rounds, so that a directory that claims gigabytes is not fetched before its first block is seen to be none.
constexpr std::size_t kDirectoryRound = std::size_t{16} << 20;

Result<void> read_round(const Reader& reader, std::span<const DirectoryBlock> blocks, const EntrySink& sink) {
  std::vector<image::ByteRange> ranges;
  for (const DirectoryBlock& block : blocks)
    for (const Mapping& piece : block.pieces)
      ranges.push_back({reader.super.block_offset(piece.fs_block), std::uint64_t{piece.count} << reader.super.block_log});
  ICECORE_CHECK(reader.source->prefetch(ranges));
  Bytes buffer;
  for (const DirectoryBlock& block : blocks) {
    ICECORE_CHECK(read_directory_block(reader, block, buffer));
    const Location where = reader.at(reader.super.block_offset(block.fs_block()), block.directory);
    ICECORE_CHECK(parse_directory_block(reader.super, block.directory, buffer, false, where, sink));
  }
  return {};
}

}  // namespace

XfsFilesystem::XfsFilesystem(Reader reader, image::SourcePtr on_disk, std::vector<PendingMap> pending)
    : reader_(std::move(reader)), on_disk_(std::move(on_disk)), pending_(std::move(pending)) {
  std::ranges::stable_sort(pending_, {}, &PendingMap::inode);
  const Superblock& super = reader_.super;
  info_ = {"xfs", super.label, uuid_text(super.uuid), super.block_size, super.size(), super.root_inode, on_disk_ != nullptr};
}

Result<std::unique_ptr<const XfsFilesystem::Loaded>> XfsFilesystem::load(std::uint64_t inode) const {
  if (!reader_.super.contains_inode(inode))
    return fail(Code::kNotFound, "no inode of this filesystem has this number", Location{reader_.source->name(), std::nullopt, inode});
  auto loaded = std::make_unique<Loaded>();
  ICECORE_ASSIGN(loaded->record, reader_.bytes(reader_.super.inode_offset(inode), reader_.super.inode_size));
  ICECORE_ASSIGN(loaded->inode, parse_inode(reader_.super, inode, loaded->record, reader_.source->name()));
  return std::unique_ptr<const Loaded>(std::move(loaded));
}

Result<std::vector<Mapping>> XfsFilesystem::data_mappings(const Inode& inode) const {
  if (inode.info.mode == 0) return inode.remnants ? remnant_mappings(reader_.super, inode.data) : std::vector<Mapping>{};
  ICECORE_ASSIGN(auto mappings, read_mappings(reader_, inode.data, inode.realtime, at(inode)));
  const std::uint64_t number = inode.info.inode;
  const std::span own(std::ranges::lower_bound(pending_, number, {}, &PendingMap::inode),
                      std::ranges::upper_bound(pending_, number, {}, &PendingMap::inode));
  return apply_pending(std::move(mappings), number, false, own);
}

Result<std::vector<Mapping>> XfsFilesystem::mappings(std::uint64_t inode) const {
  ICECORE_ASSIGN(const auto loaded, load(inode));
  return data_mappings(loaded->inode);
}

Result<FileInfo> XfsFilesystem::stat(std::uint64_t inode) const {
  ICECORE_ASSIGN(const auto loaded, load(inode));
  return finished_info(reader_.super, loaded->inode);
}

Result<std::vector<DirectoryEntry>> XfsFilesystem::list(std::uint64_t directory) const {
  ICECORE_ASSIGN(const auto loaded, load(directory));
  const Inode& inode = loaded->inode;
  if (inode.info.type != FileType::kDirectory) return fail(Code::kInvalidArgument, "the inode is no directory", at(inode));
  std::vector<DirectoryEntry> entries;
  const EntrySink sink = [&](const RawEntry& entry) { entries.push_back({std::string(entry.name), entry.inode, entry.type}); };
  if (inode.data.format == ForkFormat::kLocal) {
    ICECORE_CHECK(parse_short_form(reader_.super, inode.data.bytes, at(inode), sink));
    return entries;
  }
  ICECORE_ASSIGN(const auto mappings, data_mappings(inode));
  Result<void> status;
  std::vector<DirectoryBlock> round;
  for_each_directory_block(reader_.super, directory, mappings, [&](DirectoryBlock&& block) {
    round.push_back(std::move(block));
    if (round.size() * reader_.super.directory_block_size < kDirectoryRound) return true;
    status = read_round(reader_, round, sink);
    round.clear();
    return status.has_value();
  });
  ICECORE_CHECK(std::move(status));
  ICECORE_CHECK(read_round(reader_, round, sink));
  return entries;
}

Result<std::shared_ptr<const XfsFilesystem::FileMap>> XfsFilesystem::file_map(std::uint64_t inode) const {
  {
    const std::scoped_lock lock(mutex_);
    const auto found = std::ranges::find(recent_, inode, [](const auto& map) { return map->inode; });
    if (found != recent_.end()) {
      recent_.splice(recent_.begin(), recent_, found);
      return recent_.front();
    }
  }
  ICECORE_ASSIGN(const auto loaded, load(inode));
  auto map = std::make_shared<FileMap>();
  map->inode = inode;
  map->info = finished_info(reader_.super, loaded->inode);
  if (loaded->inode.realtime && map->info.type == FileType::kRegular)
    return fail(Code::kUnsupported, "the file's content is on the filesystem's realtime device, which is not part of this source", at(loaded->inode));
  ICECORE_ASSIGN(map->mappings, data_mappings(loaded->inode));
  const std::scoped_lock lock(mutex_);
  recent_.push_front(map);
  if (recent_.size() > kRecentFiles) recent_.pop_back();
  return std::shared_ptr<const FileMap>(std::move(map));
}

Result<std::size_t> XfsFilesystem::read(std::uint64_t inode, std::uint64_t offset, std::span<std::byte> out) const {
  ICECORE_ASSIGN(const auto map, file_map(inode));
  if (map->info.type != FileType::kRegular && map->info.mode != 0)
    return fail(Code::kInvalidArgument, "the inode is no regular file", reader_.at(map->info.inode_offset, inode));
  if (offset >= map->info.size) return std::size_t{0};
  const std::size_t length = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), map->info.size - offset));
  const auto log = reader_.super.block_log;
  std::size_t done = 0;
  while (done < length) {
    const std::uint64_t here = offset + done;
    const auto next = std::ranges::upper_bound(map->mappings, here >> log, {}, &Mapping::file_block);
    const bool mapped = next != map->mappings.begin() && (here >> log) < (next - 1)->end();
    const std::uint64_t until = mapped ? (next - 1)->end() << log : next == map->mappings.end() ? offset + length : next->file_block << log;
    const auto piece = out.subspan(done, static_cast<std::size_t>(std::min<std::uint64_t>(length - done, until - here)));
    if (mapped && !(next - 1)->unwritten) {
      const Mapping& mapping = *(next - 1);
      ICECORE_CHECK(reader_.source->read(reader_.super.block_offset(mapping.fs_block) + (here - (mapping.file_block << log)), piece));
    } else {
      std::ranges::fill(piece, std::byte{0});
    }
    done += piece.size();
  }
  return length;
}

Result<std::string> XfsFilesystem::readlink(std::uint64_t inode) const {
  ICECORE_ASSIGN(const auto loaded, load(inode));
  const Inode& link = loaded->inode;
  if (link.info.type != FileType::kSymlink) return fail(Code::kInvalidArgument, "the inode is no symbolic link", at(link));
  if (link.info.size > kMostLink) return fail(Code::kCorrupt, fmt::format("symbolic link of {} bytes", link.info.size), at(link));
  const auto length = static_cast<std::size_t>(link.info.size);
  if (link.data.format == ForkFormat::kLocal) {
    if (length > link.data.bytes.size()) return fail(Code::kCorrupt, "symbolic link does not fit its inode", at(link));
    return std::string(as_text(link.data.bytes.first(length)));
  }
  ICECORE_ASSIGN(const auto mappings, data_mappings(link));
  return read_remote(reader_, mappings, 0, length, da::kSymlinkMagic, inode);
}

Result<std::vector<ExtendedAttribute>> XfsFilesystem::xattrs(std::uint64_t inode) const {
  ICECORE_ASSIGN(const auto loaded, load(inode));
  if (loaded->inode.info.mode == 0) return std::vector<ExtendedAttribute>{};
  return read_attributes(reader_, loaded->inode);
}

Result<std::vector<Extent>> XfsFilesystem::extents(std::uint64_t inode) const {
  ICECORE_ASSIGN(const auto map, file_map(inode));
  std::vector<Extent> extents;
  extents.reserve(map->mappings.size());
  const auto log = reader_.super.block_log;
  for (const Mapping& mapping : map->mappings)
    extents.push_back(
        {mapping.file_block << log, reader_.super.block_offset(mapping.fs_block), std::uint64_t{mapping.count} << log, mapping.unwritten});
  return extents;
}

}  // namespace icecore::fs::xfs
