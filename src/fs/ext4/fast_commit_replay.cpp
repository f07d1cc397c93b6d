#include "fs/ext4/fast_commit_replay.h"

#include <fmt/format.h>
#include <algorithm>

#include "core/interrupt.h"
#include "fs/ext4/directory.h"
#include "fs/ext4/extent_tree.h"
#include "fs/ext4/fast_commit_blocks.h"
#include "fs/ext4/fast_commit_inode.h"
#include "fs/ext4/sweep_parts.h"

namespace icecore::fs::ext4 {
namespace {

namespace fc = fast_commit;

constexpr std::size_t kInodeRootEntries = 4;

/// An inode that was touched.
struct Touched {
  Bytes raw;
  RangeMap ranges;
  bool ranges_known = false, ranges_changed = false, changed = false;
};

class Replay {
 public:
  Replay(Disk& disk, Anomalies& anomalies) : disk_(disk), sb_(disk.superblock), anomalies_(anomalies), free_(disk), names_(sb_) {}

  Result<WrittenBlocks> run(std::span<const FastCommitTag> tags) {
    claim(tags);
    for (const FastCommitTag& tag : tags) {
      if (interrupted()) return interruption();
      ICECORE_CHECK(tolerate(apply(tag)));
    }
    for (auto& [number, inode] : inodes_) ICECORE_CHECK(tolerate(write_back(number, inode)));
    return std::move(written_);
  }

 private:
  Result<void> tolerate(Result<void> done) {
    if (done || !is_evidence_error(done.error())) return done;
    anomalies_.add("ext4.fast-commit", done.error());
    return {};
  }

  Failure bad(std::string message, std::uint64_t inode) const { return disk_.corrupt("fast commit: " + std::move(message), inode); }

  // Blocks that the records give to files: nothing else may be put there.
  void claim(std::span<const FastCommitTag> tags) {
    for (const FastCommitTag& tag : tags) {
      if (tag.type != fc::kAddRange) continue;
      const Run run = decode_range(tag.value);
      if (run.length != 0 && disk_.inside(run.physical, run.length)) free_.claim(run.physical, run.length);
    }
  }

  static Run decode_range(ByteView value) {
    Run run;
    run.logical = load_le<std::uint32_t>(value, 4);
    run.length = load_le<std::uint16_t>(value, 8);
    run.physical = load_le<std::uint32_t>(value, 12) | std::uint64_t{load_le<std::uint16_t>(value, 10)} << 32;
    run.unwritten = run.length > kInitialisedMaximum;
    if (run.unwritten) run.length -= kInitialisedMaximum;
    return run;
  }

  Result<void> apply(const FastCommitTag& tag) {
    const ByteView value(tag.value);
    const std::uint64_t first = load_le<std::uint32_t>(value, 0);
    switch (tag.type) {
      case fc::kInode: return take_inode(first, value.subspan(fc::kInodeSize));
      case fc::kAddRange: return add_range(first, decode_range(value));
      case fc::kDelRange: return delete_range(first, load_le<std::uint32_t>(value, 4), load_le<std::uint32_t>(value, 8));
      default: break;
    }
    const std::uint64_t child = load_le<std::uint32_t>(value, 4);
    const std::string_view name = as_text(value.subspan(fc::kEntrySize));
    switch (tag.type) {
      case fc::kCreate: return create(first, child, name);
      case fc::kLink: return link(first, child, name);
      default: return unlink(first, child, name);
    }
  }

  Result<Touched*> touch(std::uint64_t number) {
    const auto found = inodes_.find(number);
    if (found != inodes_.end()) return &found->second;
    ICECORE_ASSIGN(const Inode inode, disk_.load_inode(number));
    ICECORE_ASSIGN(const std::uint64_t offset, disk_.inode_offset(number));
    Touched touched;
    touched.raw.resize(sb_.inode_size);
    ICECORE_CHECK(disk_.source->read(offset, touched.raw));
    return &inodes_.emplace(number, std::move(touched)).first->second;
  }

  InodeView view(std::uint64_t number, const Touched& inode) const { return {number, inode.raw}; }

  // The map as the disk has it, before the first change.
  Result<void> know_ranges(std::uint64_t number, Touched& inode) {
    if (inode.ranges_known) return {};
    if (!view(number, inode).has(inode_flag::kExtents)) return bad("ranges for an inode without extents", number);
    const BlockMap map = map_blocks(disk_, view(number, inode), 0, std::uint64_t{1} << 32);
    if (map.damage) return Failure(*map.damage);
    inode.ranges = RangeMap(map.runs);
    inode.ranges_known = true;
    return {};
  }

  // ext4_fc_replay_inode(): all of the record but the map, which the ranges make.
  Result<void> take_inode(std::uint64_t number, ByteView record) {
    ICECORE_ASSIGN(Touched* const inode, touch(number));
    Bytes& raw = inode->raw;
    std::ranges::copy(record.first(inode_field::kBlock), raw.begin());
    std::ranges::copy(record.subspan(inode_field::kGeneration), raw.begin() + inode_field::kGeneration);
    const std::span<std::byte> map = std::span(raw).subspan(inode_field::kBlock, kInodeBlockBytes);
    const InodeView now = view(number, *inode);
    if (now.has(inode_flag::kExtents)) {
      if (load_le<std::uint16_t>(map, 0) != kExtentMagic) encode_extent_leaf(map, {});
    } else if (now.has(inode_flag::kInlineData) || now.type() == FileType::kSymlink) {
      std::ranges::copy(record.subspan(inode_field::kBlock, kInodeBlockBytes), map.begin());
    }
    inode->changed = true;
    note_use(number);
    return {};
  }

  void note_use(std::uint64_t number) {
    Group& group = disk_.groups[(number - 1) / sb_.inodes_per_group];
    const auto index = static_cast<std::uint32_t>((number - 1) % sb_.inodes_per_group);
    group.inodes_used_part = std::max(group.inodes_used_part, index + 1);
    if (group.inodes_free == sb_.inodes_per_group) --group.inodes_free;
  }

  Result<void> add_range(std::uint64_t number, Run run) {
    if (run.length == 0 || !disk_.inside(run.physical, run.length)) return bad("a range outside the filesystem", number);
    ICECORE_ASSIGN(Touched* const inode, touch(number));
    ICECORE_CHECK(know_ranges(number, *inode));
    if (view(number, *inode).type() != FileType::kDirectory) {
      inode->ranges.set(run);
    } else {
      // What a folder's new block holds is in the names' records only.
      for (std::uint64_t i = 0; i < run.length; ++i) {
        if (inode->ranges.find(run.logical + i) != 0) continue;
        if (written_.size() >= kMostWritten) return bad("more blocks than are replayed", number);
        inode->ranges.set({run.logical + i, run.physical + i, 1, false});
        written_[run.physical + i] = names_.empty();
      }
    }
    inode->ranges_changed = true;
    return {};
  }

  Result<void> delete_range(std::uint64_t number, std::uint64_t logical, std::uint64_t length) {
    ICECORE_ASSIGN(Touched* const inode, touch(number));
    ICECORE_CHECK(know_ranges(number, *inode));
    inode->ranges.clear(logical, length);
    inode->ranges_changed = true;
    return {};
  }

  // Directories.

  Result<Bytes*> edit(std::uint64_t block) {
    const auto found = written_.find(block);
    if (found != written_.end()) return &found->second;
    if (written_.size() >= kMostWritten) return bad("more blocks than are replayed", 0);
    ICECORE_ASSIGN(Bytes bytes, disk_.load_block(block));
    return &written_.emplace(block, std::move(bytes)).first->second;
  }

  void seal(Bytes& block, std::uint64_t folder, const Touched& inode) const {
    names_.seal(block, inode_checksum_seed(sb_, folder, view(folder, inode).generation()));
  }

  /// Calls `visit(block, at, length, before)` for each record of the folder's plain blocks until it returns true; `before` is the record in front of
  /// it, or `at` itself. True where one did.
  template <typename Visit>
  Result<bool> for_each_record(std::uint64_t folder, Touched& inode, Visit&& visit) {
    const InodeView directory = view(folder, inode);
    if (directory.type() != FileType::kDirectory || directory.has(inode_flag::kInlineData)) return bad("a name in what is no plain folder", folder);
    ICECORE_CHECK(know_ranges(folder, inode));
    std::vector<std::uint64_t> blocks;
    for (const auto& [logical, run] : inode.ranges.runs())
      for (std::uint64_t i = 0; i < run.length && blocks.size() < kMostBlocks; ++i) blocks.push_back(run.physical + i);
    for (const std::uint64_t number : blocks) {
      if (++folder_blocks_read_ > kMostFolderBlocks) return bad("more names than are replayed", folder);
      Bytes copy;
      const auto here = written_.find(number);
      if (here != written_.end()) {
        copy = here->second;
      } else {
        ICECORE_ASSIGN(copy, disk_.load_block(number));
      }
      if (is_tree_node(copy)) continue;
      for (std::size_t at = 0, before = 0; at + kDirentHeader <= names_.room(copy);) {
        const std::size_t length = record_length(copy, at, copy.size());
        if (length < 12 || length % 4 != 0 || length > names_.room(copy) - at) break;
        if (visit(number, copy, at, length, before)) return true;
        before = at;
        at += length;
      }
    }
    return false;
  }

  Result<void> remove_name(std::uint64_t folder, std::string_view name) {
    ICECORE_ASSIGN(Touched* const inode, touch(folder));
    Result<void> edited;
    ICECORE_CHECK(
        for_each_record(folder, *inode, [&](std::uint64_t number, const Bytes& block, std::size_t at, std::size_t length, std::size_t before) {
          if (load_le<std::uint32_t>(block, at) == 0 || DirectoryWriter::name_at(block, at) != name) return false;
          const auto target = edit(number);
          if (!target) {
            edited = Failure(target.error());
            return true;
          }
          if (before != at)
            DirectoryWriter::store_length(**target, before, record_length(block, before, block.size()) + length);
          else
            store_le32(**target, at, 0);
          seal(**target, folder, *inode);
          return true;
        }));
    return edited;
  }

  Result<void> add_name(std::uint64_t folder, std::uint64_t child, std::string_view name) {
    ICECORE_ASSIGN(Touched* const inode, touch(folder));
    ICECORE_ASSIGN(const Touched* const target, touch(child));
    const FileType type = view(child, *target).type();
    ICECORE_ASSIGN(const bool there,
                   for_each_record(folder, *inode, [&](std::uint64_t, const Bytes& block, std::size_t at, std::size_t, std::size_t) {
                     return load_le<std::uint32_t>(block, at) != 0 && DirectoryWriter::name_at(block, at) == name;
                   }));
    if (there) return {};  // its block reached the disk before the records were needed
    const std::size_t needed = dirent_space(name.size());
    Result<void> edited;
    ICECORE_ASSIGN(const bool placed,
                   for_each_record(folder, *inode, [&](std::uint64_t number, const Bytes& block, std::size_t at, std::size_t length, std::size_t) {
                     const bool used = load_le<std::uint32_t>(block, at) != 0;
                     const std::size_t own = used ? dirent_space(std::to_integer<std::size_t>(block[at + 6])) : 0;
                     if (own > length || length - own < needed) return false;
                     const auto into = edit(number);
                     if (!into) {
                       edited = Failure(into.error());
                       return true;
                     }
                     if (used) {
                       DirectoryWriter::store_length(**into, at, own);
                       DirectoryWriter::store_length(**into, at + own, length - own);
                     }
                     names_.store_entry(**into, at + own, child, name, type);
                     seal(**into, folder, *inode);
                     return true;
                   }));
    ICECORE_CHECK(edited);
    return placed ? Result<void>() : append_block(folder, *inode, child, name, type);
  }

  Result<void> append_block(std::uint64_t folder, Touched& inode, std::uint64_t child, std::string_view name, FileType type) {
    std::uint64_t logical = 0;
    for (const auto& [start, run] : inode.ranges.runs()) logical = start + run.length;
    ICECORE_ASSIGN(const std::uint64_t block, free_.take(folder));
    Bytes bytes = names_.empty();
    names_.store_entry(bytes, 0, child, name, type);
    seal(bytes, folder, inode);
    written_[block] = std::move(bytes);
    inode.ranges.set({logical, block, 1, false});
    inode.ranges_changed = true;
    return {};
  }

  Result<void> create(std::uint64_t folder, std::uint64_t child, std::string_view name) {
    ICECORE_ASSIGN(Touched* const inode, touch(child));
    note_use(child);
    if (view(child, *inode).type() == FileType::kDirectory) ICECORE_CHECK(begin_directory(folder, child, *inode));
    return link(folder, child, name);
  }

  Result<void> begin_directory(std::uint64_t parent, std::uint64_t folder, Touched& inode) {
    if (view(folder, inode).has(inode_flag::kInlineData)) return bad("a new folder inside its inode", folder);
    ICECORE_CHECK(know_ranges(folder, inode));
    if (inode.ranges.find(0) == 0) {
      ICECORE_ASSIGN(const std::uint64_t block, free_.take(folder));
      inode.ranges.set({0, block, 1, false});
      inode.ranges_changed = true;
    }
    Bytes bytes = names_.first(folder, parent);
    seal(bytes, folder, inode);
    written_[inode.ranges.find(0)] = std::move(bytes);
    return {};
  }

  Result<void> link(std::uint64_t folder, std::uint64_t child, std::string_view name) {
    if (name.find('/') != std::string_view::npos || name.find('\0') != std::string_view::npos) return bad("a name with a slash", child);
    return add_name(folder, child, name);
  }

  Result<void> unlink(std::uint64_t folder, std::uint64_t child, std::string_view name) {
    ICECORE_CHECK(remove_name(folder, name));
    ICECORE_ASSIGN(Touched* const inode, touch(child));
    const InodeView file = view(child, *inode);
    const std::uint32_t links = file.type() == FileType::kDirectory || file.links() == 0 ? 0 : file.links() - 1;
    store_le16(inode->raw, inode_field::kLinks, links);
    // The record of a file that is gone is not written any more; recovery frees it, at the time of its last change as far as can be told.
    if (links == 0) store_le32(inode->raw, inode_field::kDtime, load_le<std::uint32_t>(inode->raw, inode_field::kCtime));
    inode->changed = true;
    return {};
  }

  // Back to the disk.

  Result<void> write_back(std::uint64_t number, Touched& inode) {
    if (!inode.changed && !inode.ranges_changed) return {};
    if (inode.ranges_changed) ICECORE_CHECK(encode_ranges(number, inode));
    seal_inode(sb_, number, inode.raw);
    ICECORE_ASSIGN(const std::uint64_t offset, disk_.inode_offset(number));
    ICECORE_ASSIGN(Bytes* const block, edit(offset / sb_.block_size));
    std::ranges::copy(inode.raw, block->begin() + static_cast<std::ptrdiff_t>(offset % sb_.block_size));
    return {};
  }

  Result<void> encode_ranges(std::uint64_t number, Touched& inode) {
    const std::vector<Run> extents = inode.ranges.extents();
    const std::span<std::byte> root = std::span(inode.raw).subspan(inode_field::kBlock, kInodeBlockBytes);
    const std::size_t per_leaf = sb_.block_size / kExtentEntrySize - 1;
    std::uint64_t blocks = 0;
    for (const Run& run : extents) blocks += run.length;
    if (extents.size() <= kInodeRootEntries) {
      encode_extent_leaf(root, extents);
    } else {
      const std::size_t leaves = (extents.size() + per_leaf - 1) / per_leaf;
      if (leaves > kInodeRootEntries) return bad(fmt::format("{} extents, more than are replayed", extents.size()), number);
      std::vector<std::pair<std::uint64_t, std::uint64_t>> children;
      for (std::size_t i = 0; i < leaves; ++i) {
        const auto part = std::span(extents).subspan(i * per_leaf, std::min(per_leaf, extents.size() - i * per_leaf));
        ICECORE_ASSIGN(const std::uint64_t at, free_.take(number));
        Bytes leaf(sb_.block_size);
        encode_extent_leaf(leaf, part);
        if (sb_.checksums()) seal_extent_block(leaf, inode_checksum_seed(sb_, number, view(number, inode).generation()));
        written_[at] = std::move(leaf);
        children.emplace_back(part.front().logical, at);
      }
      encode_extent_index(root, children);
      blocks += leaves;
    }
    if (view(number, inode).xattr_block(sb_) != 0) ++blocks;
    store_le32(inode.raw, inode_field::kBlocksLo, blocks * (sb_.block_size / 512));
    // A folder that needed more room than the kernel gave it.
    if (view(number, inode).type() == FileType::kDirectory && !extents.empty()) {
      const std::uint64_t size = (extents.back().logical + extents.back().length) * sb_.block_size;
      if (size > view(number, inode).size(sb_)) store_le32(inode.raw, inode_field::kSizeLo, size);
    }
    return {};
  }

  // Honest areas hold a MiB of records; these keep a hostile one from taking memory and time.
  static constexpr std::size_t kMostBlocks = std::size_t{1} << 16;            // of one folder
  static constexpr std::size_t kMostWritten = std::size_t{1} << 14;           // blocks that change
  static constexpr std::uint64_t kMostFolderBlocks = std::uint64_t{500'000};  // looked through for names

  Disk& disk_;
  const Superblock& sb_;
  Anomalies& anomalies_;
  std::map<std::uint64_t, Touched> inodes_;
  FreeBlocks free_;
  const DirectoryWriter names_;
  std::uint64_t folder_blocks_read_ = 0;
  WrittenBlocks written_;
};

}  // namespace

Result<WrittenBlocks> replay_fast_commits(Disk& disk, std::span<const FastCommitTag> tags, Anomalies& anomalies) {
  return Replay(disk, anomalies).run(tags);
}

}  // namespace icecore::fs::ext4
