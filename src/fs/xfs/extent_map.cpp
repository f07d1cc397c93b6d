#include "fs/xfs/extent_map.h"

#include <fmt/format.h>
#include <unordered_set>

namespace icecore::fs::xfs {
namespace {

constexpr std::uint64_t kMostFileBlocks = std::uint64_t{1} << 54;  // BMBT_STARTOFF_BITLEN

// No file is longer than 2^63 - 1 bytes, so offsets of what passes here can be counted in bytes.
bool within_a_file(const Superblock& super, const Mapping& mapping) { return mapping.end() <= (std::uint64_t{1} << (63 - super.block_log)); }

// Nodes keep all keys first and then all pointers, each array of the size that a full node has.
std::vector<std::uint64_t> read_pointers(ByteView body, std::size_t capacity, std::size_t count) {
  std::vector<std::uint64_t> children(count);
  for (std::size_t i = 0; i < count; ++i) children[i] = load_be<std::uint64_t>(body, capacity * btree::kMapKey + i * btree::kLongPointer);
  return children;
}

}  // namespace

Mapping decode_mapping(ByteView record, std::size_t offset) {
  const auto high = load_be<std::uint64_t>(record, offset);
  const auto low = load_be<std::uint64_t>(record, offset + 8);
  Mapping mapping;
  mapping.unwritten = (high >> 63) != 0;
  mapping.file_block = (high >> 9) & (kMostFileBlocks - 1);
  mapping.fs_block = ((high & 0x1ff) << 43) | (low >> 21);
  mapping.count = static_cast<std::uint32_t>(low & 0x1fffff);
  return mapping;
}

Result<MapBlock> parse_map_block(const Superblock& super, ByteView block, unsigned level, const Location& where) {
  if (load_be<std::uint32_t>(block, 0) != (super.crc ? btree::kMapCrcMagic : btree::kMapMagic))
    return fail(Code::kCorrupt, "no block of an extent tree (magic number)", where);
  if (load_be<std::uint16_t>(block, btree::kLevel) != level)
    return fail(Code::kCorrupt, fmt::format("block of an extent tree is of level {}, not {}", load_be<std::uint16_t>(block, btree::kLevel), level),
                where);
  const ByteView body = block.subspan(super.crc ? btree::kLongCrcHeader : btree::kLongHeader);
  const std::size_t records = load_be<std::uint16_t>(block, btree::kRecords);
  const std::size_t capacity = body.size() / btree::kMapRecord;  // a key and a pointer are as long as a record
  if (records > capacity) return fail(Code::kCorrupt, fmt::format("block of an extent tree claims {} records of {}", records, capacity), where);
  MapBlock parsed;
  if (level > 0) {
    parsed.children = read_pointers(body, capacity, records);
    return parsed;
  }
  parsed.mappings.reserve(records);
  for (std::size_t i = 0; i < records; ++i) parsed.mappings.push_back(decode_mapping(body, i * btree::kMapRecord));
  return parsed;
}

Result<MapRoot> parse_map_root(const Superblock& super, const Fork& fork, const Location& where) {
  (void)super;
  if (fork.bytes.size() < btree::kMapRootHeader) return fail(Code::kCorrupt, "the fork is too small for the root of an extent tree", where);
  MapRoot root;
  root.level = load_be<std::uint16_t>(fork.bytes, 0);
  const std::size_t records = load_be<std::uint16_t>(fork.bytes, 2);
  const ByteView body = fork.bytes.subspan(btree::kMapRootHeader);
  const std::size_t capacity = body.size() / btree::kMapRecord;
  if (root.level == 0 || root.level >= btree::kMaximumLevels || records > capacity)
    return fail(Code::kCorrupt, fmt::format("root of an extent tree of level {} with {} records is impossible", root.level, records), where);
  root.children = read_pointers(body, capacity, records);
  return root;
}

Result<std::vector<Mapping>> parse_extent_list(const Fork& fork, const Location& where) {
  if (fork.extents > fork.bytes.size() / btree::kMapRecord)
    return fail(Code::kCorrupt, fmt::format("{} extents do not fit a fork of {} bytes", fork.extents, fork.bytes.size()), where);
  std::vector<Mapping> mappings;
  for (std::size_t i = 0; i < fork.extents; ++i) mappings.push_back(decode_mapping(fork.bytes, i * btree::kMapRecord));
  return mappings;
}

Result<void> check_mappings(const Superblock& super, std::span<const Mapping> mappings, bool realtime, const Location& where) {
  std::uint64_t next = 0;
  for (const Mapping& mapping : mappings) {
    if (mapping.count == 0 || mapping.file_block < next || !within_a_file(super, mapping) ||
        (!realtime && !super.contains_block(mapping.fs_block, mapping.count)))
      return fail(Code::kCorrupt,
                  fmt::format("extent of {} blocks at file block {} to block {:#x} is out of order or outside of the filesystem", mapping.count,
                              mapping.file_block, mapping.fs_block),
                  where);
    next = mapping.end();
  }
  return {};
}

Result<std::vector<Mapping>> read_mappings(const Reader& reader, const Fork& fork, bool realtime, const Location& where) {
  std::vector<Mapping> mappings;
  if (fork.format == ForkFormat::kExtents) {
    ICECORE_ASSIGN(mappings, parse_extent_list(fork, where));
  } else if (fork.format == ForkFormat::kBtree) {
    ICECORE_ASSIGN(MapRoot root, parse_map_root(reader.super, fork, where));
    std::unordered_set<std::uint64_t> seen;  // no block twice: what is read is bounded by the image
    std::vector<std::uint64_t> level_blocks = std::move(root.children);
    for (unsigned level = root.level; level-- > 0;) {
      ICECORE_CHECK(reader.prefetch_blocks(level_blocks));
      std::vector<std::uint64_t> below;
      for (const std::uint64_t fs_block : level_blocks) {
        if (!seen.insert(fs_block).second) return fail(Code::kCorrupt, fmt::format("extent tree reaches block {:#x} twice", fs_block), where);
        ICECORE_ASSIGN(const Bytes block, reader.blocks(fs_block));
        const Location place = reader.at(reader.super.block_offset(fs_block), where.inode);
        ICECORE_ASSIGN(const MapBlock parsed, parse_map_block(reader.super, block, level, place));
        if (reader.super.crc && !crc_matches(block, btree::kLongCrc))
          return fail(Code::kCorrupt, "block of an extent tree has a wrong checksum", place);
        below.insert(below.end(), parsed.children.begin(), parsed.children.end());
        mappings.insert(mappings.end(), parsed.mappings.begin(), parsed.mappings.end());
      }
      level_blocks = std::move(below);
    }
  }
  ICECORE_CHECK(check_mappings(reader.super, mappings, realtime, where));
  return mappings;
}

std::vector<Mapping> remnant_mappings(const Superblock& super, const Fork& fork) {
  std::vector<Mapping> mappings;
  std::uint64_t next = 0;
  for (std::size_t at = 0; at + btree::kMapRecord <= fork.bytes.size(); at += btree::kMapRecord) {
    const Mapping mapping = decode_mapping(fork.bytes, at);
    if (mapping.count == 0 || mapping.fs_block == 0 || mapping.file_block < next || !within_a_file(super, mapping) ||
        !super.contains_block(mapping.fs_block, mapping.count))
      break;
    mappings.push_back(mapping);
    next = mapping.end();
  }
  return mappings;
}

FileInfo finished_info(const Superblock& super, const Inode& inode) {
  FileInfo info = inode.info;
  if (info.mode != 0 && info.links == 0) {
    info.allocated = false;
    info.deleted = info.changed;
  } else if (inode.remnants) {
    const auto mappings = remnant_mappings(super, inode.data);
    if (!mappings.empty()) info.size = mappings.back().end() << super.block_log;
  }
  return info;
}

}  // namespace icecore::fs::xfs
