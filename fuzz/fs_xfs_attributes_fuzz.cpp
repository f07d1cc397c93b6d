// A hostile inode's attributes: inside the inode, in leaves and trees of them, values in blocks of their own; and its link, in such blocks too.
#include "fs/xfs/attributes.h"
#include "xfs_parts.h"

using namespace icecore;
using fuzz::xfs::require;

// An entry of 8 bytes with the least attribute, of 3, becomes two strings, which are 64 bytes: thrice while the list grows.
const icecore::fuzz::Budget icecore::fuzz::kBudget{.times = 18, .base = 64 << 10};

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  const auto given = fuzz::xfs::inode_of(fuzz::view_of(data, size));
  if (!given) return;
  const fuzz::xfs::Input& input = given->input;
  const fs::xfs::Inode& inode = given->inode;
  const fs::xfs::Superblock& super = input.reader.super;
  if (const auto attributes = fs::xfs::read_attributes(input.reader, inode)) {
    for (const fs::ExtendedAttribute& attribute : *attributes)
      require(attribute.value.size() <= fs::xfs::da::kMaximumAttrValue, "a value has at most 64 KiB");
  } else {
    require(attributes.error().code == Code::kCorrupt, "damage is kCorrupt");
  }
  const auto mappings = fs::xfs::read_mappings(input.reader, inode.data, false, input.reader.at(0, input.number));
  if (!mappings) return;
  const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(inode.info.size, 1024));
  const auto target = fs::xfs::read_remote(input.reader, *mappings, 0, length, fs::xfs::da::kSymlinkMagic, input.number);
  require(!target || target->size() == length, "a link is as long as its inode says");
  if (const std::uint64_t block = fs::xfs::find_block(*mappings, input.flags); block != fs::xfs::kNullBlock)
    require(super.contains_block(block), "a mapped block lies on the disk");
}
