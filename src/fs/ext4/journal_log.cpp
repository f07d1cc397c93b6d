#include "fs/ext4/journal_log.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "core/hash.h"

namespace icecore::fs::ext4 {
namespace {

namespace f = jbd2::super_field;

constexpr std::uint32_t kFirstWindow = std::uint32_t{512} << 10, kLargestWindow = std::uint32_t{32} << 20;  // bytes

Failure bad(const Disk& disk, std::string message) { return disk.corrupt("journal: " + std::move(message), disk.superblock.journal_inode); }

}  // namespace

std::size_t JournalSuperblock::tag_bytes() const {
  if (has(jbd2::kIncompatChecksumV3)) return 16;
  return std::size_t{8} + (has(jbd2::kIncompatChecksumV2) ? 2 : 0) + (has(jbd2::kIncompat64Bit) ? 4 : 0);
}

std::uint32_t JournalSuperblock::next(std::uint32_t block, std::uint32_t steps) const {
  const std::uint64_t length = end - first;
  return first + static_cast<std::uint32_t>((std::uint64_t{block - first} + steps) % length);
}

Result<JournalLog> JournalLog::open(const Disk& disk) {
  const Superblock& sb = disk.superblock;
  if (sb.journal_inode == 0) return fail(Code::kUnsupported, "the journal is on another device; it was not replayed", Location{disk.source->name()});
  ICECORE_ASSIGN(const Inode inode, disk.load_inode(sb.journal_inode));
  if (inode.view().type() != FileType::kRegular) return bad(disk, "its inode is no regular file");
  const std::uint64_t blocks = std::min<std::uint64_t>(inode.view().size(sb) / sb.block_size, UINT32_MAX);
  JournalLog log(disk, map_blocks(disk, inode.view(), 0, blocks));
  if (log.map_.damage) return Failure(*log.map_.damage);
  ICECORE_CHECK(log.decode_superblock());
  return log;
}

Result<void> JournalLog::decode_superblock() {
  ICECORE_ASSIGN(const std::uint64_t offset, offset_of(0));
  std::array<std::byte, f::kSize> raw{};
  ICECORE_CHECK(disk_->source->read(offset, raw));
  const ByteView view(raw);
  const auto u32 = [&](std::size_t at) { return load_be<std::uint32_t>(view, at); };
  const std::uint32_t type = u32(4);
  if (u32(0) != jbd2::kMagic || (type != jbd2::kSuperblockV1 && type != jbd2::kSuperblockV2)) return bad(*disk_, "it has no superblock");
  JournalSuperblock& sb = superblock_;
  if (type == jbd2::kSuperblockV2) {
    sb.compat = u32(f::kFeatureCompat);
    sb.incompat = u32(f::kFeatureIncompat);
  }
  if ((sb.incompat & ~jbd2::kIncompatKnown) != 0)
    return fail(Code::kUnsupported,
                fmt::format("the journal has unknown features (0x{:x}); it was not replayed", sb.incompat & ~jbd2::kIncompatKnown),
                Location{disk_->source->name(), offset});
  const std::uint32_t stored = u32(f::kChecksum);
  if (sb.checksums()) {
    std::ranges::fill(std::span(raw).subspan(f::kChecksum, 4), std::byte{0});
    if (crc32c(~0U, view) != stored) return bad(*disk_, "the checksum of its superblock is wrong");
  }
  sb.checksum_seed = crc32c(~0U, view.subspan(f::kUuid, 16));
  sb.first = u32(f::kFirst);
  sb.sequence = u32(f::kSequence);
  sb.start = u32(f::kStart);
  sb.fast_commit_end = u32(f::kMaxLength);
  if (u32(f::kBlockSize) != block_size())
    return bad(*disk_, fmt::format("its blocks have {} bytes, the filesystem's {}", u32(f::kBlockSize), block_size()));
  std::uint32_t fast = 0;
  if (sb.has(jbd2::kIncompatFastCommit)) fast = u32(f::kFastCommitBlocks) != 0 ? u32(f::kFastCommitBlocks) : jbd2::kDefaultFastCommitBlocks;
  if (fast >= sb.fast_commit_end) return bad(*disk_, fmt::format("{} blocks for fast commits of {}", fast, sb.fast_commit_end));
  sb.end = sb.fast_commit_end - fast;
  if (sb.first == 0 || sb.first >= sb.end || (sb.start != 0 && (sb.start < sb.first || sb.start >= sb.end)))
    return bad(*disk_, fmt::format("log of blocks {} to {} that starts at {}", sb.first, sb.end, sb.start));
  return {};
}

Result<std::uint64_t> JournalLog::offset_of(std::uint32_t block) const {
  const auto after = std::ranges::upper_bound(map_.runs, std::uint64_t{block}, {}, &Run::logical);
  if (after == map_.runs.begin()) return bad(*disk_, fmt::format("its block {} is not there", block));
  const Run& run = *std::prev(after);
  if (block - run.logical >= run.length) return bad(*disk_, fmt::format("its block {} is not there", block));
  return (run.physical + (block - run.logical)) * block_size();
}

// Live logs are short and journals long, so as much is announced ahead as was announced before. A window ends where a 512 KiB block of an on-demand
// image does (mkfs lays journals on such borders), so that it does not fetch one more for its last few bytes.
Result<void> JournalLog::announce(std::uint32_t block) {
  if (block >= announced_from_ && block < announced_to_) return {};
  const std::uint32_t window = std::min(announced_bytes_ < kFirstWindow ? kFirstWindow : announced_bytes_, kLargestWindow);
  announced_bytes_ = std::min(announced_bytes_ + window, kLargestWindow);
  announced_from_ = block;
  const std::uint64_t step = std::max(1U, kFirstWindow / block_size());
  const std::uint64_t end = (std::uint64_t{block} + std::max(1U, window / block_size())) / step * step;
  announced_to_ =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(std::max<std::uint64_t>(end, std::uint64_t{block} + 1), superblock_.fast_commit_end));
  return announce_range(announced_from_, announced_to_);
}

Result<void> JournalLog::announce_range(std::uint32_t first, std::uint32_t last) const {
  std::vector<image::ByteRange> ranges;
  for (const Run& run : map_.runs) {
    const std::uint64_t from = std::max<std::uint64_t>(run.logical, first), to = std::min<std::uint64_t>(run.logical + run.length, last);
    if (from < to) ranges.push_back({(run.physical + from - run.logical) * block_size(), (to - from) * block_size()});
  }
  return disk_->source->prefetch(ranges);
}

Result<void> JournalLog::read_many(std::uint32_t block, std::uint32_t count, Bytes& out) const {
  out.resize(std::size_t{count} * block_size());
  std::size_t filled = 0;
  while (count > 0) {
    ICECORE_ASSIGN(const std::uint64_t offset, offset_of(block));
    std::uint32_t together = 1;
    while (together < count) {
      const auto next = offset_of(block + together);
      if (!next || *next != offset + std::uint64_t{together} * block_size()) break;
      ++together;
    }
    const std::size_t bytes = std::size_t{together} * block_size();
    ICECORE_CHECK(disk_->source->read(offset, std::span(out).subspan(filled, bytes)));
    filled += bytes;
    block += together;
    count -= together;
  }
  return {};
}

Result<ByteView> JournalLog::read(std::uint32_t block) {
  ICECORE_CHECK(announce(block));
  ICECORE_ASSIGN(const std::uint64_t offset, offset_of(block));
  buffer_.resize(block_size());
  ICECORE_CHECK(disk_->source->read(offset, buffer_));
  return ByteView(buffer_);
}

}  // namespace icecore::fs::ext4
