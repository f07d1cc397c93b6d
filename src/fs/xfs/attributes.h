// Extended attributes: inside the inode, in leaf blocks (one, or a tree of them), and values in blocks of their own.
#pragma once

#include <string>
#include <vector>

#include "fs/filesystem.h"
#include "fs/xfs/extent_map.h"

namespace icecore::fs::xfs {

/// All attributes of an inode, named as listxattr(2) names them; POSIX ACLs also as "system.posix_acl_…". Parent pointers and attributes that were
/// being written are left out. kCorrupt where a structure or a checksum does not hold. Bounded: each block is read once, a value is at most 64 KiB.
Result<std::vector<ExtendedAttribute>> read_attributes(const Reader& reader, const Inode& inode);

/// The bytes of a remote symbolic link or attribute value: `length` bytes in the blocks of `mappings` from `file_block` on. Version 5 blocks have a
/// header each, which is checked against `magic` and `owner`.
Result<std::string> read_remote(const Reader& reader, std::span<const Mapping> mappings, std::uint64_t file_block, std::size_t length,
                                std::uint32_t magic, std::uint64_t owner);

/// Where file block `file_block` lies; kNullBlock in a hole.
std::uint64_t find_block(std::span<const Mapping> mappings, std::uint64_t file_block);

}  // namespace icecore::fs::xfs
