#include "fs/ext4/xattr.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <optional>

#include "core/hash.h"
#include "fs/ext4/block_map.h"
#include "fs/ext4/content.h"
#include "fs/ext4/number_bytes.h"

namespace icecore::fs::ext4 {
namespace {

using namespace std::string_view_literals;

constexpr std::uint8_t kIndexAclAccess = 2, kIndexAclDefault = 3, kIndexSystem = 7;
constexpr std::uint64_t kMaximumValue = 65536;  // XATTR_SIZE_MAX

struct Entry {
  std::uint8_t index = 0;
  std::string_view name;
  std::uint32_t value_inode = 0, value_size = 0;
  std::uint16_t value_offset = 0;
};

// The names' prefixes by index, fs/ext4/xattr.h EXT4_XATTR_INDEX_*.
std::optional<std::string_view> prefix_of(std::uint8_t index) {
  switch (index) {
    case 0: return ""sv;
    case 1: return "user."sv;
    case kIndexAclAccess: return "system.posix_acl_access"sv;
    case kIndexAclDefault: return "system.posix_acl_default"sv;
    case 4: return "trusted."sv;
    case 5: return "lustre."sv;
    case 6: return "security."sv;
    case kIndexSystem: return "system."sv;
    case 8: return "system.richacl"sv;
    case 10: return "gnu."sv;
    default: return std::nullopt;  // 9 is the encryption context
  }
}

// `area` starts with the entries.
Result<std::vector<Entry>> parse_entries(const Disk& disk, std::uint64_t inode, ByteView area) {
  std::vector<Entry> entries;
  for (std::size_t at = 0; at + 4 <= area.size() && load_le<std::uint32_t>(area, at) != 0;) {
    if (at + kXattrEntryHeader > area.size()) return disk.corrupt("an attribute's entry runs out of its area", inode);
    Entry entry;
    const auto name_length = std::to_integer<std::size_t>(area[at]);
    entry.index = std::to_integer<std::uint8_t>(area[at + 1]);
    entry.value_offset = load_le<std::uint16_t>(area, at + 2);
    entry.value_inode = load_le<std::uint32_t>(area, at + 4);
    entry.value_size = load_le<std::uint32_t>(area, at + 8);
    if (at + kXattrEntryHeader + name_length > area.size()) return disk.corrupt("an attribute's name runs out of its area", inode);
    entry.name = as_text(area.subspan(at + kXattrEntryHeader, name_length));
    entries.push_back(entry);
    at += (kXattrEntryHeader + name_length + 3) & ~std::size_t{3};
  }
  return entries;
}

// Such values are written whole. With holes, a few bytes of entries could claim 64 KiB each.
bool is_mapped(const Disk& disk, const InodeView& holder, std::uint64_t size) {
  if (holder.has(inode_flag::kInlineData)) return false;
  const std::uint64_t blocks = (size + disk.superblock.block_size - 1) / disk.superblock.block_size;
  std::uint64_t mapped = 0;
  for (const Run& run : map_blocks(disk, holder, 0, blocks).runs) mapped += run.unwritten ? 0 : run.length;
  return mapped == blocks;
}

Result<std::string> value_of(const Disk& disk, std::uint64_t inode, const Entry& entry, ByteView values) {
  if (entry.value_inode != 0) {
    ICECORE_ASSIGN(const Inode holder, disk.load_inode(entry.value_inode));
    if (!holder.view().has(inode_flag::kEaInode) || entry.value_size > kMaximumValue || holder.view().size(disk.superblock) < entry.value_size ||
        !is_mapped(disk, holder.view(), entry.value_size))
      return disk.corrupt(fmt::format("attribute {}: inode {} does not hold its value", entry.name, entry.value_inode), inode);
    std::string value(entry.value_size, '\0');
    ICECORE_CHECK(read_content(disk, holder.view(), 0, std::as_writable_bytes(std::span(value))));
    return value;
  }
  if (entry.value_offset > values.size() || entry.value_size > values.size() - entry.value_offset)
    return disk.corrupt(fmt::format("the value of attribute {} runs out of its area", entry.name), inode);
  return std::string(as_text(values.subspan(entry.value_offset, entry.value_size)));
}

// ext4's own short form to that of the system call (fs/ext4/acl.c ext4_acl_from_disk, include/uapi/linux/posix_acl_xattr.h).
std::string acl_as_the_kernel_gives_it(std::string_view stored) {
  constexpr std::uint16_t kUser = 0x02, kGroup = 0x08;
  const ByteView in = as_bytes(stored);
  if (in.size() < 4 || load_le<std::uint32_t>(in, 0) != 1) return std::string(stored);
  std::string out("\2\0\0\0", 4);
  for (std::size_t at = 4; at + 4 <= in.size();) {
    const auto tag = load_le<std::uint16_t>(in, at);
    const bool has_id = tag == kUser || tag == kGroup;
    if (has_id && at + 8 > in.size()) return std::string(stored);
    out += stored.substr(at, 4);
    out += has_id ? stored.substr(at + 4, 4) : "\xFF\xFF\xFF\xFF"sv;
    at += has_id ? 8 : 4;
  }
  return out;
}

// Values in the area do not overlap, so that all together are no larger than it.
Result<void> append(const Disk& disk, std::uint64_t inode, const std::vector<Entry>& entries, ByteView values, std::vector<ExtendedAttribute>& out) {
  std::size_t room = values.size();
  for (const Entry& entry : entries) {
    if (entry.value_inode == 0) {
      if (entry.value_size > room) return disk.corrupt("the values of its attributes overlap", inode);
      room -= entry.value_size;
    }
    const auto prefix = prefix_of(entry.index);
    if (!prefix || (entry.index == kIndexSystem && entry.name == "data")) continue;
    ICECORE_ASSIGN(std::string value, value_of(disk, inode, entry, values));
    const bool acl = entry.index == kIndexAclAccess || entry.index == kIndexAclDefault;
    out.push_back({std::string(*prefix) + std::string(entry.name), acl ? acl_as_the_kernel_gives_it(value) : std::move(value)});
  }
  return {};
}

// ext4_xattr_block_csum() of fs/ext4/xattr.c.
bool block_checksum_ok(const Superblock& sb, std::uint64_t block, ByteView bytes) {
  if (!sb.checksums()) return true;
  static constexpr std::array<std::byte, 4> kZero{};
  std::uint32_t crc = crc32c(crc32c(sb.checksum_seed, number_bytes(block)), bytes.first(16));
  crc = crc32c(crc32c(crc, kZero), bytes.subspan(20));
  return crc == load_le<std::uint32_t>(bytes, 16);
}

// The in-inode area behind its magic; empty where there are no attributes.
ByteView inode_area(const InodeView& inode) {
  const ByteView area = inode.xattr_area();
  if (area.size() < kXattrInodeHeader || load_le<std::uint32_t>(area, 0) != kXattrMagic) return {};
  return area.subspan(kXattrInodeHeader);
}

}  // namespace

Result<std::vector<ExtendedAttribute>> read_xattrs(const Disk& disk, const InodeView& inode) {
  std::vector<ExtendedAttribute> out;
  const ByteView area = inode_area(inode);
  ICECORE_ASSIGN(const auto in_inode, parse_entries(disk, inode.number(), area));
  ICECORE_CHECK(append(disk, inode.number(), in_inode, area, out));
  const std::uint64_t block = inode.xattr_block(disk.superblock);
  if (block == 0) return out;
  ICECORE_ASSIGN(const Bytes bytes, disk.load_block(block));
  const ByteView view(bytes);
  if (load_le<std::uint32_t>(view, 0) != kXattrMagic) return disk.corrupt("attribute block: no magic", inode.number(), block);
  if (!block_checksum_ok(disk.superblock, block, view)) return disk.corrupt("attribute block: checksum is wrong", inode.number(), block);
  ICECORE_ASSIGN(const auto entries, parse_entries(disk, inode.number(), view.subspan(kXattrBlockHeader)));
  ICECORE_CHECK(append(disk, inode.number(), entries, view, out));
  return out;
}

Result<ByteView> inline_data_tail(const Disk& disk, const InodeView& inode) {
  const ByteView area = inode_area(inode);
  ICECORE_ASSIGN(const auto entries, parse_entries(disk, inode.number(), area));
  const auto found = std::ranges::find_if(entries, [](const Entry& entry) { return entry.index == kIndexSystem && entry.name == "data"; });
  if (found == entries.end() || found->value_size == 0) return ByteView{};
  if (found->value_inode != 0 || found->value_offset > area.size() || found->value_size > area.size() - found->value_offset)
    return disk.corrupt("inline data runs out of the inode", inode.number());
  return area.subspan(found->value_offset, found->value_size);
}

}  // namespace icecore::fs::ext4
