// What fast commits make of a disk: their records are applied to inodes and directories in memory, as ext4_fc_replay() does to the disk.
#pragma once

#include <map>
#include <span>

#include "core/anomaly.h"
#include "fs/ext4/disk.h"
#include "fs/ext4/fast_commit.h"

namespace icecore::fs::ext4 {

/// New contents of blocks by their number.
using WrittenBlocks = std::map<std::uint64_t, Bytes>;

/// Precondition: each tag is of a known type and fast_commit_length_is_valid().
/// `disk` is the disk after all full transactions; its groups are told of inodes that came into use. Blocks that a folder or an extent tree needs
/// more than it has are taken from those that the bitmaps call free. What cannot be applied (inline folders, a damaged tree, more than an honest area
/// can hold) is left out with an anomaly ("ext4.fast-commit"). Fails only where the source does. Memory: the blocks and inodes that change.
Result<WrittenBlocks> replay_fast_commits(Disk& disk, std::span<const FastCommitTag> tags, Anomalies& anomalies);

}  // namespace icecore::fs::ext4
