#include "fs/ext4/inode.h"

#include <algorithm>
#include <array>

#include "core/hash.h"
#include "fs/ext4/number_bytes.h"

namespace icecore::fs::ext4 {
namespace {

namespace f = inode_field;

constexpr std::size_t kLargestOnStack = 1024;

// include/linux/kdev_t.h: old_decode_dev, new_decode_dev. Given as major << 20 | minor.
std::uint32_t decode_device(ByteView block) {
  const auto old_form = load_le<std::uint32_t>(block, 0);
  if (old_form != 0) return ((old_form >> 8) & 0xFF) << 20 | (old_form & 0xFF);
  const auto form = load_le<std::uint32_t>(block, 4);
  return ((form & 0xFFF00) >> 8) << 20 | (form & 0xFF) | ((form >> 12) & 0xFFF00);
}

}  // namespace

std::uint32_t InodeView::extra_size() const {
  if (raw_.size() < kOldInodeSize + 4) return 0;
  const std::uint32_t extra = load_le<std::uint16_t>(raw_, f::kExtraSize);
  return extra % 4 == 0 && kOldInodeSize + extra <= raw_.size() ? extra : 0;
}

std::uint64_t InodeView::size(const Superblock& sb) const {
  std::uint64_t size = load_le<std::uint32_t>(raw_, f::kSizeLo);
  const FileType kind = type();
  if (kind == FileType::kRegular || (kind == FileType::kDirectory && sb.incompat(incompat::kLargeDir)))
    size |= std::uint64_t{load_le<std::uint32_t>(raw_, f::kSizeHigh)} << 32;
  return size;
}

std::uint64_t InodeView::xattr_block(const Superblock& sb) const {
  const std::uint64_t high = sb.incompat(incompat::k64Bit) ? load_le<std::uint16_t>(raw_, f::kFileAclHigh) : 0;
  return load_le<std::uint32_t>(raw_, f::kFileAclLo) | high << 32;
}

ByteView InodeView::xattr_area() const {
  const std::size_t start = kOldInodeSize + extra_size();
  return extra_size() == 0 || start + kXattrInodeHeader > raw_.size() ? ByteView{} : raw_.subspan(start);
}

std::uint32_t inode_checksum_seed(const Superblock& sb, std::uint64_t number, std::uint32_t generation) {
  return crc32c(crc32c(sb.checksum_seed, number_bytes(static_cast<std::uint32_t>(number))), number_bytes(generation));
}

std::uint32_t InodeView::checksum_seed(const Superblock& sb) const { return inode_checksum_seed(sb, number_, generation()); }

std::uint64_t InodeView::sectors(const Superblock& sb) const {
  const std::uint64_t low = load_le<std::uint32_t>(raw_, f::kBlocksLo);
  // Without the feature the high half means nothing.
  return sb.ro_compat(ro_compat::kHugeFile) ? low | std::uint64_t{load_le<std::uint16_t>(raw_, f::kBlocksHigh)} << 32 : low;
}

bool InodeView::checksum_ok(const Superblock& sb) const {
  if (!sb.checksums()) return true;
  std::array<std::byte, kLargestOnStack> small;
  Bytes large;
  std::span<std::byte> copy(small);
  if (raw_.size() > small.size()) {
    large.resize(raw_.size());
    copy = large;
  }
  copy = copy.first(raw_.size());
  std::ranges::copy(raw_, copy.begin());
  const auto clear = [&](std::size_t at) { copy[at] = copy[at + 1] = std::byte{0}; };
  std::uint32_t stored = load_le<std::uint16_t>(raw_, f::kChecksumLo);
  clear(f::kChecksumLo);
  const bool wide = raw_.size() > kOldInodeSize && fits(f::kChecksumHi + 2);
  if (wide) {
    stored |= std::uint32_t{load_le<std::uint16_t>(raw_, f::kChecksumHi)} << 16;
    clear(f::kChecksumHi);
  }
  const std::uint32_t found = crc32c(checksum_seed(sb), copy);
  return (wide ? found : found & 0xFFFFU) == stored;
}

// ext4_decode_extra_time() of fs/ext4/ext4.h: two epoch bits carry signed 32-bit seconds to 2446; 30 bits of nanoseconds.
Timestamp InodeView::time(std::size_t seconds_field, std::size_t extra_field) const {
  Timestamp result;
  result.seconds = static_cast<std::int32_t>(load_le<std::uint32_t>(raw_, seconds_field));
  if (!fits(extra_field + 4)) return result;
  const auto extra = load_le<std::uint32_t>(raw_, extra_field);
  result.seconds += static_cast<std::int64_t>(extra & 3U) << 32;
  result.nanoseconds = std::min(extra >> 2, 999'999'999U);
  return result;
}

FileInfo InodeView::info(const Superblock& sb, std::uint64_t record_offset) const {
  FileInfo info;
  info.inode = number_;
  info.size = size(sb);
  info.inode_offset = record_offset;
  info.accessed = time(f::kAtime, f::kAtimeExtra);
  info.modified = time(f::kMtime, f::kMtimeExtra);
  info.changed = time(f::kCtime, f::kCtimeExtra);
  if (fits(f::kBirthTime + 4)) info.born = time(f::kBirthTime, f::kBirthTimeExtra);
  // In an orphan the field chains to the next orphan instead (smaller than the number of inodes; e2fsck uses the same test).
  if (links() == 0 && deletion_time() > sb.inodes) info.deleted = Timestamp{static_cast<std::int64_t>(deletion_time()), 0};
  info.mode = mode();
  info.uid = load_le<std::uint16_t>(raw_, f::kUidLo) | std::uint32_t{load_le<std::uint16_t>(raw_, f::kUidHigh)} << 16;
  info.gid = load_le<std::uint16_t>(raw_, f::kGidLo) | std::uint32_t{load_le<std::uint16_t>(raw_, f::kGidHigh)} << 16;
  info.links = links();
  info.generation = generation();
  info.type = type();
  if (info.type == FileType::kCharacterDevice || info.type == FileType::kBlockDevice) info.device = decode_device(block());
  info.allocated = linked();
  return info;
}

}  // namespace icecore::fs::ext4
