// What the passes of a sweep hand to each other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fs/ext4/disk.h"
#include "fs/filesystem.h"

namespace icecore::fs::ext4 {

/// Blocks of one directory that lie one behind the other.
struct DirectoryPiece {
  std::uint64_t physical = 0;
  std::uint32_t length = 0;
  std::uint32_t inode = 0;
  std::uint32_t checksum_seed = 0;
  bool encrypted = false;
};

/// Names and their text, of one piece of work; joined in order at the end.
struct NameList {
  std::vector<Name> names;
  std::string text;
  void add(std::uint64_t parent, std::uint64_t inode, std::string_view name, bool deleted);
};

/// What one chunk of an inode table gave.
struct InodeChunk {
  std::vector<FileInfo> files;
  std::vector<DirectoryPiece> pieces;
  std::vector<Inode> mapped_elsewhere;  ///< directories whose map has index blocks
  NameList inline_names;
};

struct SweepContext {
  const Disk& disk;
  const std::vector<std::uint64_t>& kept_orphans;
  const SweepOptions& options;
  Anomalies& anomalies;
};

/// Errors that the bytes cause become anomalies; what the source or the user causes ends the sweep.
inline bool is_evidence_error(const Error& error) {
  return error.code == Code::kCorrupt || error.code == Code::kUnsupported || error.code == Code::kNotFound;
}

/// Maps a directory and adds its blocks to `pieces`. Gives the number of index blocks that were read for it.
std::uint64_t append_pieces(const Disk& disk, const InodeView& inode, std::vector<DirectoryPiece>& pieces, Anomalies& anomalies);

Result<std::vector<InodeChunk>> sweep_inode_tables(const SweepContext& context, Progress& progress);

/// Maps the directories that need index blocks read, after one prefetch of them.
Result<void> map_remaining(const SweepContext& context, std::vector<Inode> directories, std::vector<DirectoryPiece>& pieces);

/// Parses all pieces; the lists come in disk order.
Result<std::vector<NameList>> sweep_directories(const SweepContext& context, std::vector<DirectoryPiece> pieces, Progress& progress);

}  // namespace icecore::fs::ext4
