// Directories: entries inside the inode ("short form"), and data blocks, whose live entries carry names and whose free space still may.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "fs/file_table.h"
#include "fs/xfs/inode.h"

namespace icecore::fs::xfs {

struct RawEntry {
  std::string_view name;  ///< raw bytes, valid during the call
  std::uint64_t inode = 0;
  FileType type = FileType::kUnknown;  ///< unknown without the ftype feature
  bool deleted = false;                ///< found in free space
};
using EntrySink = std::function<void(const RawEntry&)>;

/// Entries of a short-form directory, without "." and "..". kCorrupt at the first that does not fit; those before it have been given.
Result<void> parse_short_form(const Superblock& super, ByteView fork, const Location& where, const EntrySink& sink);

/// Entries of one directory block, of the "block" or the "data" form, without "." and "..". Version 5 blocks must belong to `directory`.
/// With `deleted`, also names in free space: an entry there counts only where its tag (its own place in the block) or the run's end confirms it.
/// kCorrupt at the first thing that does not fit; entries before it have been given.
Result<void> parse_directory_block(const Superblock& super, std::uint64_t directory, ByteView block, bool deleted, const Location& where,
                                   const EntrySink& sink);

/// CRC of a version 5 directory block; true for version 4.
bool directory_checksum_ok(const Superblock& super, ByteView block);

}  // namespace icecore::fs::xfs
