#include "fs/xfs/attributes.h"

#include <fmt/format.h>
#include <algorithm>
#include <optional>
#include <unordered_set>

namespace icecore::fs::xfs {
namespace {

constexpr std::size_t kMostAttributeBytes = std::size_t{64} << 20;  // of one inode: far beyond any real one, and an end for hostile ones

std::string_view name_space(std::uint8_t flags) {
  if ((flags & da::kAttrRoot) != 0) return "trusted.";
  if ((flags & da::kAttrSecure) != 0) return "security.";
  return "user.";
}

void append_le(std::string& out, std::uint32_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xff);
}

// xfs_acl.c: struct xfs_acl on disk (big-endian) to the form of posix_acl_xattr.h that getfattr shows (little-endian, version 2).
std::optional<std::string> posix_acl(ByteView value) {
  constexpr std::size_t kEntry = 12;
  constexpr std::uint32_t kUser = 2, kGroup = 8;
  if (value.size() < 4) return std::nullopt;
  const std::size_t count = load_be<std::uint32_t>(value, 0);
  if (count > (value.size() - 4) / kEntry) return std::nullopt;
  std::string out;
  append_le(out, 2, 4);
  for (std::size_t i = 0; i < count; ++i) {
    const ByteView entry = value.subspan(4 + i * kEntry, kEntry);
    const auto tag = load_be<std::uint32_t>(entry, 0);
    append_le(out, tag, 2);
    append_le(out, load_be<std::uint16_t>(entry, 8), 2);
    append_le(out, tag == kUser || tag == kGroup ? load_be<std::uint32_t>(entry, 4) : ~0U, 4);
  }
  return out;
}

class AttributeReader {
 public:
  AttributeReader(const Reader& reader, const Inode& inode) : reader_(reader), inode_(inode) {}

  Result<std::vector<ExtendedAttribute>> run() {
    const Fork& fork = inode_.attributes;
    if (fork.bytes.empty()) return std::move(found_);
    if (fork.format == ForkFormat::kLocal) {
      ICECORE_CHECK(short_form(fork.bytes));
      return std::move(found_);
    }
    if (fork.format == ForkFormat::kExtents && fork.extents == 0) return std::move(found_);
    ICECORE_ASSIGN(mappings_, read_mappings(reader_, fork, false, where()));
    if (!mappings_.empty()) ICECORE_CHECK(walk_leaves());
    return std::move(found_);
  }

 private:
  Location where() const { return reader_.at(inode_.info.inode_offset, inode_.info.inode); }
  Failure corrupt(std::string message) const { return fail(Code::kCorrupt, std::move(message), where()); }

  Result<void> add(std::uint8_t flags, std::string_view name, std::string value) {
    if ((flags & (da::kAttrParent | da::kAttrIncomplete)) != 0) return {};
    total_ += name.size() + value.size();
    if (total_ > kMostAttributeBytes) return corrupt("the inode's attributes are beyond any real size");
    if ((flags & da::kAttrRoot) != 0 && (name == "SGI_ACL_FILE" || name == "SGI_ACL_DEFAULT")) {
      if (auto acl = posix_acl(as_bytes(value)))
        found_.push_back({name == "SGI_ACL_FILE" ? "system.posix_acl_access" : "system.posix_acl_default", std::move(*acl)});
    }
    found_.push_back({std::string(name_space(flags)) + std::string(name), std::move(value)});
    return {};
  }

  // struct xfs_attr_sf_hdr, xfs_attr_sf_entry
  Result<void> short_form(ByteView fork) {
    if (fork.size() < 4) return corrupt("short attributes are cut off");
    const unsigned count = load_be<std::uint8_t>(fork, 2);
    std::size_t at = 4;
    for (unsigned i = 0; i < count; ++i) {
      if (at + 3 > fork.size()) return corrupt(fmt::format("short attributes end before number {} of {}", i, count));
      const std::size_t name = load_be<std::uint8_t>(fork, at);
      const std::size_t value = load_be<std::uint8_t>(fork, at + 1);
      if (at + 3 + name + value > fork.size()) return corrupt(fmt::format("short attribute {} of {} does not fit", i, count));
      ICECORE_CHECK(
          add(load_be<std::uint8_t>(fork, at + 2), as_text(fork.subspan(at + 3, name)), std::string(as_text(fork.subspan(at + 3 + name, value)))));
      at += 3 + name + value;
    }
    return {};
  }

  Result<Bytes> da_block(std::uint64_t file_block) {
    if (!seen_.insert(file_block).second) return corrupt(fmt::format("attribute block {} is reached twice", file_block));
    const std::uint64_t fs_block = find_block(mappings_, file_block);
    if (fs_block == kNullBlock) return corrupt(fmt::format("attribute block {} is a hole", file_block));
    ICECORE_ASSIGN(Bytes block, reader_.blocks(fs_block));
    if (reader_.super.crc && !crc_matches(block, da::kCrc)) return corrupt(fmt::format("attribute block {} has a wrong checksum", file_block));
    return block;
  }

  // Down the left edge of the tree, then along the leaves.
  Result<void> walk_leaves() {
    const Superblock& super = reader_.super;
    std::uint64_t file_block = 0;
    for (;;) {
      ICECORE_ASSIGN(const Bytes block, da_block(file_block));
      const auto magic = load_be<std::uint16_t>(block, da::kMagic);
      if (magic == (super.crc ? da::kNodeCrcMagic : da::kNodeMagic)) {
        file_block = load_be<std::uint32_t>(block, (super.crc ? da::kNodeCrcEntries : da::kNodeEntries) + 4);
        continue;
      }
      if (magic != (super.crc ? da::kAttrLeafCrcMagic : da::kAttrLeafMagic)) return corrupt(fmt::format("no attribute block (magic {:#06x})", magic));
      if (super.crc && load_be<std::uint64_t>(block, da::kOwner) != inode_.info.inode) return corrupt("attribute block belongs to another inode");
      ICECORE_CHECK(leaf(block));
      file_block = load_be<std::uint32_t>(block, da::kForward);
      if (file_block == 0) return {};
    }
  }

  // struct xfs_attr_leafblock
  Result<void> leaf(ByteView block) {
    const bool crc = reader_.super.crc;
    const std::size_t count = load_be<std::uint16_t>(block, crc ? da::kCrcInfo : da::kInfo);
    const std::size_t entries = crc ? da::kAttrCrcEntries : da::kAttrEntries;
    if (count > (block.size() - entries) / da::kAttrEntry) return corrupt(fmt::format("attribute leaf claims {} entries", count));
    leaf_room_ = block.size() - entries - count * da::kAttrEntry;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t entry = entries + i * da::kAttrEntry;
      const std::size_t at = load_be<std::uint16_t>(block, entry + 4);
      const auto flags = load_be<std::uint8_t>(block, entry + 6);
      ICECORE_CHECK((flags & da::kAttrLocal) != 0 ? local(block, at, flags) : remote(block, at, flags));
    }
    return {};
  }

  // Entries of a leaf do not overlap, so together they are no longer than it is: few bytes cannot become many.
  Result<void> take_room(std::size_t bytes) {
    if (bytes > leaf_room_) return corrupt("attributes of a leaf overlap");
    leaf_room_ -= bytes;
    return {};
  }

  // Nor do values share blocks, with each other or with the leaves.
  Result<void> take_blocks(std::uint64_t first, std::size_t length) {
    const std::size_t each = reader_.super.block_size - (reader_.super.crc ? da::kRemoteHeader : 0);
    for (std::uint64_t block = first; block < first + (length + each - 1) / each; ++block)
      if (!seen_.insert(block).second) return corrupt(fmt::format("attribute block {} is reached twice", block));
    return {};
  }

  Result<void> local(ByteView block, std::size_t at, std::uint8_t flags) {
    if (at + 3 > block.size()) return corrupt("attribute lies outside of its block");
    const std::size_t value = load_be<std::uint16_t>(block, at);
    const std::size_t name = load_be<std::uint8_t>(block, at + 2);
    if (at + 3 + name + value > block.size()) return corrupt("attribute does not fit its block");
    ICECORE_CHECK(take_room(3 + name + value));
    return add(flags, as_text(block.subspan(at + 3, name)), std::string(as_text(block.subspan(at + 3 + name, value))));
  }

  Result<void> remote(ByteView block, std::size_t at, std::uint8_t flags) {
    if (at + 9 > block.size()) return corrupt("attribute lies outside of its block");
    const auto value_block = load_be<std::uint32_t>(block, at);
    const auto length = load_be<std::uint32_t>(block, at + 4);
    const std::size_t name = load_be<std::uint8_t>(block, at + 8);
    if (at + 9 + name > block.size()) return corrupt("attribute does not fit its block");
    ICECORE_CHECK(take_room(9 + name));
    if ((flags & da::kAttrIncomplete) != 0) return {};
    if (length > da::kMaximumAttrValue) return corrupt(fmt::format("attribute value of {} bytes is over the format's limit", length));
    ICECORE_CHECK(take_blocks(value_block, length));
    ICECORE_ASSIGN(std::string value, read_remote(reader_, mappings_, value_block, length, da::kRemoteMagic, inode_.info.inode));
    return add(flags, as_text(block.subspan(at + 9, name)), std::move(value));
  }

  const Reader& reader_;
  const Inode& inode_;
  std::vector<Mapping> mappings_;
  std::vector<ExtendedAttribute> found_;
  std::unordered_set<std::uint64_t> seen_;
  std::size_t leaf_room_ = 0;  // bytes of the leaf that no entry has taken yet
  std::size_t total_ = 0;
};

}  // namespace

Result<std::vector<ExtendedAttribute>> read_attributes(const Reader& reader, const Inode& inode) { return AttributeReader(reader, inode).run(); }

std::uint64_t find_block(std::span<const Mapping> mappings, std::uint64_t file_block) {
  const auto after = std::ranges::upper_bound(mappings, file_block, {}, &Mapping::file_block);
  if (after == mappings.begin()) return kNullBlock;
  const Mapping& mapping = *(after - 1);
  return file_block < mapping.end() ? mapping.fs_block + (file_block - mapping.file_block) : kNullBlock;
}

Result<std::string> read_remote(const Reader& reader, std::span<const Mapping> mappings, std::uint64_t file_block, std::size_t length,
                                std::uint32_t magic, std::uint64_t owner) {
  std::string out;
  while (out.size() < length) {
    const std::uint64_t fs_block = find_block(mappings, file_block);
    const Location where{reader.source->name(), std::nullopt, owner};
    if (fs_block == kNullBlock) return fail(Code::kCorrupt, fmt::format("block {} of a remote value is a hole", file_block), where);
    ICECORE_ASSIGN(Bytes block, reader.blocks(fs_block));
    std::uint32_t count = 1;
    ByteView body = block;
    if (reader.super.crc) {
      if (load_be<std::uint32_t>(block, 0) != magic || load_be<std::uint64_t>(block, da::kRemoteOwner) != owner)
        return fail(Code::kCorrupt, "remote value's block has no header of its own, or belongs to another inode", where);
      const std::size_t bytes = load_be<std::uint32_t>(block, da::kRemoteBytes);
      // Only the last may leave a part of its blocks unused (xfs_attr3_rmt_hdr_ok, xfs_symlink_hdr_ok): so the blocks read are no more than the
      // length needs.
      const bool fits = bytes == length - out.size() || (bytes < length - out.size() && (da::kRemoteHeader + bytes) % block.size() == 0);
      if (bytes == 0 || !fits) return fail(Code::kCorrupt, fmt::format("remote value's block claims {} bytes", bytes), where);
      // An attribute's value has a header in each block; a symbolic link has one in each run of blocks (xfs_symlink_remote.c).
      if (da::kRemoteHeader + bytes > block.size()) {
        count = static_cast<std::uint32_t>((da::kRemoteHeader + bytes + block.size() - 1) >> reader.super.block_log);
        ICECORE_ASSIGN(block, reader.blocks(fs_block, count));
      }
      if (!crc_matches(block, da::kRemoteCrc)) return fail(Code::kCorrupt, "remote value's block has a wrong checksum", where);
      body = ByteView(block).subspan(da::kRemoteHeader, bytes);
    }
    out += as_text(body.first(std::min(body.size(), length - out.size())));
    file_block += count;
  }
  return out;
}

}  // namespace icecore::fs::xfs
