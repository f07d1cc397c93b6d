#include "fs/xfs/directory.h"

#include <fmt/format.h>
#include <array>

namespace icecore::fs::xfs {
namespace {

constexpr std::size_t kEntryFixed = 8 + 1;  // inode number, length of the name
constexpr std::size_t kTag = 2;

// xfs_da_format.h: XFS_DIR3_FT_*
FileType file_type(std::uint8_t raw) {
  static constexpr std::array kTypes{FileType::kUnknown,     FileType::kRegular, FileType::kDirectory, FileType::kCharacterDevice,
                                     FileType::kBlockDevice, FileType::kFifo,    FileType::kSocket,    FileType::kSymlink};
  return raw < kTypes.size() ? kTypes[raw] : FileType::kUnknown;
}

std::size_t entry_size(const Superblock& super, std::size_t name_length) {
  return (kEntryFixed + name_length + (super.ftype ? 1 : 0) + kTag + 7) & ~std::size_t{7};
}

bool is_dot(std::string_view name) { return name == "." || name == ".."; }

// Names that were removed: xfs_dir2_data_make_free overwrites the first four bytes of the run that becomes free and its last two, nothing else.
void parse_free_run(const Superblock& super, ByteView block, std::size_t begin, std::size_t end, const EntrySink& sink) {
  std::size_t at = begin;
  while (at + kEntryFixed < end) {
    const std::size_t length = load_be<std::uint8_t>(block, at + 8);
    const std::size_t size = entry_size(super, length);
    const std::size_t next = at + size;
    bool taken = false;
    if (length > 0 && next <= end) {
      const std::string_view name = as_text(block.subspan(at + kEntryFixed, length));
      const auto tag = load_be<std::uint16_t>(block, next - kTag);
      // A run's end holds the place of its start. Runs grow together, so an entry may have ended one that began at itself or at one before it.
      const bool tag_ok = tag % 8 == 0 && tag >= begin && tag <= at;
      const auto type = super.ftype ? file_type(load_be<std::uint8_t>(block, at + kEntryFixed + length)) : FileType::kUnknown;
      // A run's first entry, and any that once was first of a smaller run, lost the upper half of the inode number to the free tag.
      const bool upper_lost = load_be<std::uint16_t>(block, at) == dir::kFreeTag;
      const std::uint64_t inode = upper_lost ? load_be<std::uint32_t>(block, at + 4) : load_be<std::uint64_t>(block, at);
      const bool name_ok = name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
      if (tag_ok && name_ok && (!super.ftype || type != FileType::kUnknown) && super.contains_inode(inode)) {
        if (!is_dot(name)) sink({name, inode, type, true});
        taken = true;
      }
    }
    at = taken ? next : at + 8;
  }
}

}  // namespace

Result<void> parse_short_form(const Superblock& super, ByteView fork, const Location& where, const EntrySink& sink) {
  if (fork.size() < 6) return fail(Code::kCorrupt, "short directory is cut off", where);
  const unsigned count = load_be<std::uint8_t>(fork, 0);
  const bool wide = load_be<std::uint8_t>(fork, 1) != 0;  // any number beyond 32 bits makes all of them 64
  const std::size_t number = wide ? 8 : 4;
  std::size_t at = 2 + number;
  for (unsigned i = 0; i < count; ++i) {
    if (at + 3 > fork.size()) return fail(Code::kCorrupt, fmt::format("short directory ends before entry {} of {}", i, count), where);
    const std::size_t length = load_be<std::uint8_t>(fork, at);
    const std::size_t name_at = at + 3;
    const std::size_t type_at = name_at + length;
    const std::size_t inode_at = type_at + (super.ftype ? 1 : 0);
    if (length == 0 || inode_at + number > fork.size())
      return fail(Code::kCorrupt, fmt::format("entry {} of {} of a short directory does not fit", i, count), where);
    RawEntry entry;
    entry.name = as_text(fork.subspan(name_at, length));
    if (super.ftype) entry.type = file_type(load_be<std::uint8_t>(fork, type_at));
    entry.inode = wide ? load_be<std::uint64_t>(fork, inode_at) : load_be<std::uint32_t>(fork, inode_at);
    if (!super.contains_inode(entry.inode))
      return fail(Code::kCorrupt, fmt::format("entry {} of {} names inode {}, which cannot be", i, count, entry.inode), where);
    sink(entry);
    at = inode_at + number;
  }
  return {};
}

bool directory_checksum_ok(const Superblock& super, ByteView block) { return !super.crc || crc_matches(block, dir::kCrc); }

Result<void> parse_directory_block(const Superblock& super, std::uint64_t directory, ByteView block, bool deleted, const Location& where,
                                   const EntrySink& sink) {
  const auto magic = load_be<std::uint32_t>(block, 0);
  const bool block_form = magic == (super.crc ? dir::kBlockCrcMagic : dir::kBlockMagic);
  if (!block_form && magic != (super.crc ? dir::kDataCrcMagic : dir::kDataMagic))
    return fail(Code::kCorrupt, fmt::format("no directory block (magic number {:#010x})", magic), where);
  if (super.crc && load_be<std::uint64_t>(block, dir::kOwner) != directory)
    return fail(Code::kCorrupt, fmt::format("directory block belongs to inode {}", load_be<std::uint64_t>(block, dir::kOwner)), where);
  std::size_t end = block.size();
  if (block_form) {
    const std::size_t leaves = load_be<std::uint32_t>(block, block.size() - dir::kBlockTail);
    const std::size_t header = super.crc ? dir::kDataCrcHeader : dir::kDataHeader;
    if (leaves > (block.size() - header - dir::kBlockTail) / dir::kLeafEntry)
      return fail(Code::kCorrupt, fmt::format("directory block claims {} entries", leaves), where);
    end -= dir::kBlockTail + leaves * dir::kLeafEntry;
  }
  std::size_t at = super.crc ? dir::kDataCrcHeader : dir::kDataHeader;
  while (at + kEntryFixed < end) {
    const auto broken = [&](std::string_view what) {
      return fail(Code::kCorrupt, fmt::format("{} at byte {} of a directory block", what, at), where);
    };
    if (load_be<std::uint16_t>(block, at) == dir::kFreeTag) {
      const std::size_t length = load_be<std::uint16_t>(block, at + 2);
      if (length == 0 || length % 8 != 0 || length > end - at) return broken("free space of impossible length");
      if (deleted) parse_free_run(super, block, at, at + length, sink);
      at += length;
      continue;
    }
    const std::size_t length = load_be<std::uint8_t>(block, at + 8);
    const std::size_t size = entry_size(super, length);
    if (length == 0 || size > end - at) return broken("entry that does not fit");
    RawEntry entry;
    entry.name = as_text(block.subspan(at + kEntryFixed, length));
    entry.inode = load_be<std::uint64_t>(block, at);
    if (super.ftype) entry.type = file_type(load_be<std::uint8_t>(block, at + kEntryFixed + length));
    if (!super.contains_inode(entry.inode)) return broken("entry with an impossible inode number");
    if (!is_dot(entry.name)) sink(entry);
    at += size;
  }
  return {};
}

}  // namespace icecore::fs::xfs
