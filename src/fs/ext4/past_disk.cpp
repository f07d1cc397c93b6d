#include "fs/ext4/past_disk.h"

#include <algorithm>

namespace icecore::fs::ext4 {
namespace {

/// Which version of a block is looked for first.
enum class Prefer { kThen, kLater, kEarliest };

// i_blocks counts what the file holds: content, index blocks, and a block of attributes.
std::uint64_t blocks_held(const Superblock& sb, const InodeView& inode) {
  if (sb.ro_compat(ro_compat::kHugeFile) && inode.has(inode_flag::kHugeFile)) return inode.sectors(sb);
  return inode.sectors(sb) / (sb.block_size / 512);
}

bool is_complete(const Superblock& sb, const InodeView& inode, const BlockMap& map) {
  if (map.damage) return false;
  if (sb.ro_compat(ro_compat::kBigalloc)) return true;
  std::uint64_t found = map.index_blocks + (inode.xattr_block(sb) != 0 ? 1U : 0U);
  for (const Run& run : map.runs) found += run.length;
  return found >= blocks_held(sb, inode);
}

std::uint64_t mapped(const BlockMap& map) {
  std::uint64_t blocks = 0;
  for (const Run& run : map.runs) blocks += run.length;
  return blocks;
}

}  // namespace

class PastDisk::Source final : public image::BlockSource {
 public:
  Source(image::SourcePtr now, const JournalHistory& history, std::uint32_t block_size)
      : now_(std::move(now)), history_(history), block_size_(block_size) {}

  void set(std::uint64_t transaction, Prefer prefer) {
    transaction_ = transaction;
    prefer_ = prefer;
  }

  std::uint64_t size() const override { return now_->size(); }
  std::string name() const override { return now_->name(); }
  std::uint64_t image_offset(std::uint64_t offset) const override { return now_->image_offset(offset); }

  /// Whole blocks only, as Disk::load_block reads them; else the disk as it is.
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
    if (out.size() == block_size_ && offset % block_size_ == 0)
      if (const BlockCopy* copy = choose(offset / block_size_)) return history_.load(*copy, out);
    return now_->read(offset, out);
  }

 private:
  const BlockCopy* choose(std::uint64_t block) const {
    const auto copies = history_.copies_of(block);
    const auto after = std::ranges::upper_bound(copies, transaction_, {}, &BlockCopy::transaction);
    const BlockCopy* then = after == copies.begin() ? nullptr : &*std::prev(after);
    const BlockCopy* later = after == copies.end() ? nullptr : &*after;
    switch (prefer_) {
      case Prefer::kThen: return then;
      case Prefer::kLater: return then != nullptr ? then : later;
      case Prefer::kEarliest: break;
    }
    return copies.empty() ? nullptr : &copies.front();
  }

  const image::SourcePtr now_;
  const JournalHistory& history_;
  const std::uint32_t block_size_;
  std::uint64_t transaction_ = 0;
  Prefer prefer_ = Prefer::kThen;
};

PastDisk::PastDisk(const Disk& disk, const JournalHistory& history)
    : source_(std::make_shared<Source>(disk.source, history, disk.superblock.block_size)) {
  disk_.source = source_;
  disk_.superblock = disk.superblock;
  budget_ = 3 * (disk.source->size() / disk.superblock.block_size) + 1000;
}

PastDisk::~PastDisk() = default;

BlockMap PastDisk::map(const InodeView& inode, std::uint64_t transaction, bool& complete) {
  const Superblock& sb = disk_.superblock;
  const std::uint64_t size = inode.size(sb);
  const std::uint64_t blocks = size / sb.block_size + (size % sb.block_size != 0 ? 1U : 0U);
  BlockMap best;
  std::uint64_t index_blocks = 0;
  complete = false;
  if (budget_ == 0) return best;
  for (const Prefer prefer : {Prefer::kThen, Prefer::kLater, Prefer::kEarliest}) {
    source_->set(transaction, prefer);
    BlockMap map = map_blocks(disk_, inode, 0, blocks);
    index_blocks += map.index_blocks;
    complete = is_complete(sb, inode, map);
    if (complete || prefer == Prefer::kThen || mapped(map) > mapped(best)) best = std::move(map);
    if (complete || (best.index_blocks == 0 && !best.damage)) break;
  }
  complete = is_complete(sb, inode, best);
  budget_ -= std::min(budget_, index_blocks);
  return best;
}

}  // namespace icecore::fs::ext4
