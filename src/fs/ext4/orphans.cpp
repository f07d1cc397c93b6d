#include "fs/ext4/orphans.h"

#include <algorithm>
#include <unordered_set>

#include "core/hash.h"
#include "fs/ext4/block_map.h"
#include "fs/ext4/number_bytes.h"
#include "fs/ext4/sweep_parts.h"

namespace icecore::fs::ext4 {
namespace {

constexpr std::size_t kMaximumChain = 1'000'000;
constexpr std::size_t kOrphanTail = 8;  // magic, checksum

class Finder {
 public:
  Finder(const Disk& disk, Anomalies& anomalies) : disk_(disk), anomalies_(anomalies) {}

  // ext4_orphan_cleanup(): each inode on the chain keeps the next one's number in its deletion time.
  Result<void> chain() {
    std::unordered_set<std::uint64_t> seen;
    for (std::uint64_t number = disk_.superblock.last_orphan; number != 0;) {
      if (!seen.insert(number).second || seen.size() > kMaximumChain) {
        anomalies_.add("ext4.orphan", disk_.corrupt("the list of orphans loops", number).value());
        return {};
      }
      const auto inode = disk_.load_inode(number);
      if (!inode && !is_evidence_error(inode.error())) return Failure(inode.error());
      if (!inode) {
        anomalies_.add("ext4.orphan", inode.error());
        return {};
      }
      take(inode->view());
      number = inode->view().deletion_time();
    }
    return {};
  }

  // Documentation/filesystems/ext4/orphan.rst: blocks of inode numbers, each with a magic and a checksum at its end.
  Result<void> file() {
    const Superblock& sb = disk_.superblock;
    if (!sb.compat(compat::kOrphanFile) || !sb.ro_compat(ro_compat::kOrphanPresent)) return {};
    ICECORE_ASSIGN(const Inode inode, disk_.load_inode(sb.orphan_file_inode));
    const BlockMap map = map_blocks(disk_, inode.view(), 0, inode.view().size(sb) / sb.block_size);
    if (map.damage) return Failure(*map.damage);
    std::unordered_set<std::uint64_t> seen;
    for (const Run& run : map.runs)
      for (std::uint64_t i = 0; i < run.length; ++i)
        if (seen.insert(run.physical + i).second) ICECORE_CHECK(file_block(inode.view(), run.physical + i));
    return {};
  }

  std::vector<std::uint64_t> found() {
    std::ranges::sort(orphans_);
    orphans_.erase(std::unique(orphans_.begin(), orphans_.end()), orphans_.end());
    return std::move(orphans_);
  }

 private:
  void take(const InodeView& inode) {
    if (inode.links() == 0 && inode.mode() != 0) orphans_.push_back(inode.number());
  }

  // ext4_orphan_file_block_csum_verify() of fs/ext4/orphan.c.
  bool checksum_ok(const InodeView& file, std::uint64_t block, ByteView bytes) const {
    if (!disk_.superblock.checksums()) return true;
    const std::uint32_t crc = crc32c(file.checksum_seed(disk_.superblock), number_bytes(block));
    return crc32c(crc, bytes.first(bytes.size() - kOrphanTail)) == load_le<std::uint32_t>(bytes, bytes.size() - 4);
  }

  Result<void> file_block(const InodeView& file, std::uint64_t block) {
    ICECORE_ASSIGN(const Bytes bytes, disk_.load_block(block));
    const ByteView view(bytes);
    if (load_le<std::uint32_t>(view, view.size() - kOrphanTail) != kOrphanBlockMagic)
      return disk_.corrupt("a block of the orphan file has no magic", file.number(), block);
    if (!checksum_ok(file, block, view))
      anomalies_.add("ext4.orphan", disk_.corrupt("the checksum of a block of the orphan file is wrong", file.number(), block).value());
    for (std::size_t at = 0; at + 4 <= view.size() - kOrphanTail; at += 4) {
      const auto number = load_le<std::uint32_t>(view, at);
      if (number == 0) continue;
      ICECORE_ASSIGN(const Inode inode, disk_.load_inode(number));
      take(inode.view());
    }
    return {};
  }

  const Disk& disk_;
  Anomalies& anomalies_;
  std::vector<std::uint64_t> orphans_;
};

}  // namespace

Result<std::vector<std::uint64_t>> find_orphans(const Disk& disk, Anomalies& anomalies) {
  Finder finder(disk, anomalies);
  ICECORE_CHECK(finder.chain());
  if (const auto done = finder.file(); !done) {
    if (!is_evidence_error(done.error())) return Failure(done.error());
    anomalies.add("ext4.orphan", done.error());
  }
  return finder.found();
}

}  // namespace icecore::fs::ext4
