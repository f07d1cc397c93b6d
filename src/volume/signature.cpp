#include "volume/signature.h"

#include <algorithm>
#include <array>
#include <span>

namespace icecore::volume {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kWindow = std::size_t{68} << 10;  // the farthest magic we look for is btrfs's, 64 KiB + 64

struct Magic {
  std::uint64_t offset;
  std::string_view bytes;
  Signature means;
};

constexpr Signature kLvm2{ContentKind::kContainer, "lvm2", "an LVM2 physical volume"};
constexpr Signature kMd{ContentKind::kContainer, "md", "a member of a Linux md (RAID) array"};
constexpr Signature kSwap{ContentKind::kSwap, "swap", "Linux swap space"};
constexpr Signature kSuspended{ContentKind::kSwap, "swap", "Linux swap space with a suspended system"};
constexpr Signature kFat{ContentKind::kFilesystem, "vfat", "FAT"};

// Containers first: what they hold may show its own magic further in.
constexpr auto kMagics = std::to_array<Magic>({
    {0, "LUKS\xba\xbe"sv, {ContentKind::kContainer, "luks", "a LUKS encrypted volume"}},
    {3, "-FVE-FS-"sv, {ContentKind::kContainer, "bitlocker", "a BitLocker encrypted volume"}},
    {24, "LVM2 001"sv, kLvm2},
    {512 + 24, "LVM2 001"sv, kLvm2},
    {1024 + 24, "LVM2 001"sv, kLvm2},
    {1536 + 24, "LVM2 001"sv, kLvm2},
    {0, "\xfc\x4e\x2b\xa9\x01\x00\x00\x00"sv, kMd},     // superblock 1.1
    {4096, "\xfc\x4e\x2b\xa9\x01\x00\x00\x00"sv, kMd},  // superblock 1.2
    {4096 - 10, "SWAPSPACE2"sv, kSwap},
    {4096 - 10, "SWAP-SPACE"sv, kSwap},
    {4096 - 10, "S1SUSPEND\0"sv, kSuspended},
    {16384 - 10, "SWAPSPACE2"sv, kSwap},
    {65536 - 10, "SWAPSPACE2"sv, kSwap},
    {0, "XFSB"sv, {ContentKind::kFilesystem, "xfs", "XFS"}},
    {3, "NTFS    "sv, {ContentKind::kFilesystem, "ntfs", "NTFS"}},
    {3, "EXFAT   "sv, {ContentKind::kFilesystem, "exfat", "exFAT"}},
    {3, "ReFS\0\0\0\0"sv, {ContentKind::kFilesystem, "refs", "ReFS"}},
    {0x52, "FAT32   "sv, kFat},
    {0x36, "FAT12   "sv, kFat},
    {0x36, "FAT16   "sv, kFat},
    {0x36, "FAT     "sv, kFat},
    {0, "hsqs"sv, {ContentKind::kFilesystem, "squashfs", "SquashFS"}},
    {32, "NXSB"sv, {ContentKind::kFilesystem, "apfs", "APFS"}},
    {0x438, "\x53\xef"sv, {ContentKind::kFilesystem, "ext", "ext2/3/4"}},
    {1024, "\x10\x20\xf5\xf2"sv, {ContentKind::kFilesystem, "f2fs", "F2FS"}},
    {1024, "\xe2\xe1\xf5\xe0"sv, {ContentKind::kFilesystem, "erofs", "EROFS"}},
    {1024, "H+\0\4"sv, {ContentKind::kFilesystem, "hfsplus", "HFS+"}},
    {1024, "HX\0\5"sv, {ContentKind::kFilesystem, "hfsplus", "HFS+"}},
    {32768, "JFS1"sv, {ContentKind::kFilesystem, "jfs", "JFS"}},
    {32769, "CD001"sv, {ContentKind::kFilesystem, "iso9660", "ISO 9660"}},
    {65536 + 52, "ReIsEr"sv, {ContentKind::kFilesystem, "reiserfs", "ReiserFS"}},
    {65536 + 64, "_BHRfS_M"sv, {ContentKind::kFilesystem, "btrfs", "btrfs"}},
});

bool matches(ByteView window, const Magic& magic) {
  return magic.offset + magic.bytes.size() <= window.size() &&
         as_text(window.subspan(static_cast<std::size_t>(magic.offset), magic.bytes.size())) == magic.bytes;
}

// md superblocks 0.90 and 1.0 lie near the end (drivers/md/md.c: MD_NEW_SIZE_SECTORS, super_1_load).
Result<std::optional<Signature>> recognise_end(const image::BlockSource& source) {
  const std::uint64_t size = source.size();
  if (size < 2 * kWindow) return std::optional<Signature>{};
  const std::uint64_t old_md = (size & ~std::uint64_t{65535}) - 65536;
  const std::uint64_t md_1_0 = ((size / 512 - 16) & ~std::uint64_t{7}) * 512;
  for (const std::uint64_t offset : {old_md, md_1_0}) {
    std::array<std::byte, 4> magic{};
    ICECORE_CHECK(source.read(offset, magic));
    if (as_text(magic) == "\xfc\x4e\x2b\xa9"sv) return std::optional<Signature>(kMd);
  }
  return std::optional<Signature>{};
}

}  // namespace

Result<std::optional<Signature>> recognise(const image::BlockSource& source) {
  Bytes window(static_cast<std::size_t>(std::min<std::uint64_t>(kWindow, source.size())));
  const image::ByteRange range{0, window.size()};
  ICECORE_CHECK(source.prefetch(std::span(&range, 1)));
  ICECORE_CHECK(source.read(0, window));
  const auto found = std::ranges::find_if(kMagics, [&](const Magic& magic) { return matches(window, magic); });
  if (found != kMagics.end()) return std::optional<Signature>(found->means);
  return recognise_end(source);
}

}  // namespace icecore::volume
