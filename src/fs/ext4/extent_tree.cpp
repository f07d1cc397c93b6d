#include "fs/ext4/extent_tree.h"

#include <fmt/format.h>
#include <algorithm>

#include "core/hash.h"

namespace icecore::fs::ext4 {
namespace {

constexpr std::uint64_t kLogicalEnd = std::uint64_t{1} << 32;

class Walker {
 public:
  Walker(const Disk& disk, const InodeView& inode, std::uint64_t first, std::uint64_t last)
      : disk_(disk),
        inode_(inode),
        first_(first),
        last_(std::min(last, kLogicalEnd)),
        seed_(disk.superblock.checksums() ? inode.checksum_seed(disk.superblock) : 0) {}

  BlockMap run() {
    const auto done = node(inode_.block(), 0, std::nullopt, kLogicalEnd);
    if (!done) {
      map_.damage = done.error();
      map_.known = next_;
    }
    return std::move(map_);
  }

 private:
  Failure bad(std::string message, std::uint64_t block) const { return disk_.corrupt("extent tree: " + std::move(message), inode_.number(), block); }

  // What is below `end` and not below `next_` belongs to this node. Entries must rise strictly, so a block that is linked twice is refused when
  // it comes again, and no cycle can be walked: the depth falls by one a level and every leaf moves `next_` on.
  Result<void> node(ByteView bytes, std::uint64_t block, std::optional<std::uint16_t> depth, std::uint64_t end) {
    const ExtentHeader header = ExtentHeader::decode(bytes);
    if (header.magic != kExtentMagic) return bad("no magic 0xF30A", block);
    if (depth ? header.depth != *depth : header.depth > kMaximumExtentDepth) return bad(fmt::format("depth {}", header.depth), block);
    const std::size_t room = bytes.size() / kExtentEntrySize - 1;
    if (header.entries > header.maximum || header.maximum > room) return bad(fmt::format("{} of {} entries", header.entries, header.maximum), block);
    if (header.entries == 0 && depth) return bad("an empty node below the root", block);
    ICECORE_CHECK(check_sum(bytes, header, block, depth.has_value()));
    for (std::size_t slot = 1; slot <= header.entries; ++slot) {
      if (next_ >= last_) return {};
      ICECORE_CHECK(header.depth == 0 ? leaf_entry(bytes, slot, block, end) : index_entry(bytes, slot, header, block, end));
    }
    return {};
  }

  Result<void> check_sum(ByteView bytes, const ExtentHeader& header, std::uint64_t block, bool below_root) const {
    if (!below_root || !disk_.superblock.checksums()) return {};
    const std::size_t tail = kExtentEntrySize * (std::size_t{header.maximum} + 1);
    if (tail + 4 > bytes.size()) return bad("no room for the checksum", block);
    if (crc32c(seed_, bytes.first(tail)) != load_le<std::uint32_t>(bytes, tail)) return bad("checksum of an index block is wrong", block);
    return {};
  }

  Result<void> leaf_entry(ByteView bytes, std::size_t slot, std::uint64_t block, std::uint64_t end) {
    const std::size_t at = slot * kExtentEntrySize;
    Run run;
    run.logical = load_le<std::uint32_t>(bytes, at);
    run.length = load_le<std::uint16_t>(bytes, at + 4);
    run.physical = load_le<std::uint32_t>(bytes, at + 8) | std::uint64_t{load_le<std::uint16_t>(bytes, at + 6)} << 32;
    run.unwritten = run.length > kInitialisedMaximum;
    if (run.unwritten) run.length -= kInitialisedMaximum;
    if (run.length == 0 || run.logical < next_ || run.logical + run.length > end)
      return bad(fmt::format("entries out of order at logical block {}", run.logical), block);
    if (!disk_.inside(run.physical, run.length)) return bad(fmt::format("blocks {}+{} are outside the filesystem", run.physical, run.length), block);
    next_ = run.logical + run.length;
    clip_and_append(run);
    return {};
  }

  void clip_and_append(Run run) {
    if (run.logical + run.length <= first_ || run.logical >= last_) return;
    const std::uint64_t skip = run.logical < first_ ? first_ - run.logical : 0;
    run.logical += skip;
    run.physical += skip;
    run.length = std::min(run.length - skip, last_ - run.logical);
    append_run(map_, run);
  }

  Result<void> index_entry(ByteView bytes, std::size_t slot, const ExtentHeader& header, std::uint64_t block, std::uint64_t end) {
    const std::uint64_t start = load_le<std::uint32_t>(bytes, slot * kExtentEntrySize);
    const std::uint64_t child_end = slot < header.entries ? load_le<std::uint32_t>(bytes, (slot + 1) * kExtentEntrySize) : end;
    if (start < next_ || child_end <= start || child_end > end)
      return bad(fmt::format("index entries out of order at logical block {}", start), block);
    if (child_end <= first_) {
      next_ = child_end;
      return {};
    }
    if (start >= last_) {
      next_ = start;
      return {};
    }
    const std::uint64_t child = extent_index_child(bytes, slot);
    if (!disk_.inside(child, 1)) return bad(fmt::format("index block {} is outside the filesystem", child), block);
    ICECORE_ASSIGN(const Bytes below, disk_.load_block(child));
    ++map_.index_blocks;
    next_ = start;
    return node(below, child, static_cast<std::uint16_t>(header.depth - 1), child_end);
  }

  const Disk& disk_;
  const InodeView& inode_;
  const std::uint64_t first_, last_;
  const std::uint32_t seed_;
  std::uint64_t next_ = 0;
  BlockMap map_;
};

}  // namespace

std::uint64_t extent_index_child(ByteView node, std::size_t slot) {
  const std::size_t at = slot * kExtentEntrySize;
  return load_le<std::uint32_t>(node, at + 4) | std::uint64_t{load_le<std::uint16_t>(node, at + 8)} << 32;
}

BlockMap map_extents(const Disk& disk, const InodeView& inode, std::uint64_t first, std::uint64_t last) {
  return Walker(disk, inode, first, last).run();
}

}  // namespace icecore::fs::ext4
