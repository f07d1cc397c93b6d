// ext2/3/4 as it lies on disk: offsets and flags, nothing else. Little-endian throughout.
// References: Linux Documentation/filesystems/ext4/ (super.rst, group_descr.rst, inodes.rst, ifork.rst, directory.rst, attributes.rst, orphan.rst)
// and fs/ext4/ext4.h, fs/ext4/xattr.h, fs/ext4/ext4_extents.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace icecore::fs::ext4 {

inline constexpr std::uint64_t kSuperblockOffset = 1024;
inline constexpr std::size_t kSuperblockSize = 1024;
inline constexpr std::uint16_t kSuperblockMagic = 0xEF53;

// struct ext4_super_block: s_*
namespace super_field {
inline constexpr std::size_t kInodesCount = 0x00, kBlocksCountLo = 0x04, kFirstDataBlock = 0x14, kLogBlockSize = 0x18, kLogClusterSize = 0x1C,
                             kBlocksPerGroup = 0x20, kClustersPerGroup = 0x24, kInodesPerGroup = 0x28, kMagic = 0x38, kState = 0x3A,
                             kCreatorOs = 0x48, kRevision = 0x4C, kFirstInode = 0x54, kInodeSize = 0x58, kBlockGroupNumber = 0x5A,
                             kFeatureCompat = 0x5C, kFeatureIncompat = 0x60, kFeatureRoCompat = 0x64, kUuid = 0x68, kLabel = 0x78,
                             kJournalInode = 0xE0, kJournalDevice = 0xE4, kLastOrphan = 0xE8, kDescriptorSize = 0xFE, kFirstMetaBg = 0x104,
                             kBlocksCountHi = 0x150, kFlags = 0x160, kLogGroupsPerFlex = 0x174, kChecksumType = 0x175, kUserQuotaInode = 0x240,
                             kGroupQuotaInode = 0x244, kBackupGroups = 0x24C, kProjectQuotaInode = 0x26C, kChecksumSeed = 0x270, kEncoding = 0x27C,
                             kOrphanFileInode = 0x280, kChecksum = 0x3FC;
}

namespace compat {
inline constexpr std::uint32_t kHasJournal = 0x4, kSparseSuper2 = 0x200, kFastCommit = 0x400, kOrphanFile = 0x1000;
}
namespace incompat {
inline constexpr std::uint32_t kCompression = 0x1, kFiletype = 0x2, kRecover = 0x4, kJournalDevice = 0x8, kMetaBg = 0x10, kExtents = 0x40,
                               k64Bit = 0x80, kMultipleMount = 0x100, kFlexBg = 0x200, kEaInode = 0x400, kDirData = 0x1000, kChecksumSeed = 0x2000,
                               kLargeDir = 0x4000, kInlineData = 0x8000, kEncrypt = 0x10000, kCasefold = 0x20000;
/// What this reader can read past. kDirData and kCompression were never finished in Linux.
inline constexpr std::uint32_t kKnown = kFiletype | kRecover | kMetaBg | kExtents | k64Bit | kMultipleMount | kFlexBg | kEaInode | kChecksumSeed |
                                        kLargeDir | kInlineData | kEncrypt | kCasefold;
}  // namespace incompat
namespace ro_compat {
inline constexpr std::uint32_t kSparseSuper = 0x1, kLargeFile = 0x2, kHugeFile = 0x8, kGroupChecksum = 0x10, kQuota = 0x100, kBigalloc = 0x200,
                               kMetadataChecksum = 0x400, kProject = 0x2000, kOrphanPresent = 0x10000;
}

// struct ext4_group_desc: bg_*
namespace group_field {
inline constexpr std::size_t kBlockBitmapLo = 0x00, kInodeBitmapLo = 0x04, kInodeTableLo = 0x08, kFreeInodesLo = 0x0E, kFlags = 0x12,
                             kBlockBitmapCsumLo = 0x18, kInodeBitmapCsumLo = 0x1A, kItableUnusedLo = 0x1C, kChecksum = 0x1E, kBlockBitmapHi = 0x20,
                             kInodeBitmapHi = 0x24, kInodeTableHi = 0x28, kFreeInodesHi = 0x2E, kItableUnusedHi = 0x32, kBlockBitmapCsumHi = 0x38,
                             kInodeBitmapCsumHi = 0x3A;
}
inline constexpr std::uint16_t kGroupInodeUninit = 0x1, kGroupBlockUninit = 0x2;

// struct ext4_inode: i_*
inline constexpr std::size_t kOldInodeSize = 128;
namespace inode_field {
inline constexpr std::size_t kMode = 0x00, kUidLo = 0x02, kSizeLo = 0x04, kAtime = 0x08, kCtime = 0x0C, kMtime = 0x10, kDtime = 0x14, kGidLo = 0x18,
                             kLinks = 0x1A, kBlocksLo = 0x1C, kFlags = 0x20, kBlock = 0x28, kGeneration = 0x64, kFileAclLo = 0x68, kSizeHigh = 0x6C,
                             kBlocksHigh = 0x74, kFileAclHigh = 0x76, kUidHigh = 0x78, kGidHigh = 0x7A, kChecksumLo = 0x7C, kExtraSize = 0x80,
                             kChecksumHi = 0x82, kCtimeExtra = 0x84, kMtimeExtra = 0x88, kAtimeExtra = 0x8C, kBirthTime = 0x90,
                             kBirthTimeExtra = 0x94;
}
inline constexpr std::size_t kInodeBlockBytes = 60;
namespace inode_flag {
inline constexpr std::uint32_t kEncrypt = 0x800, kIndex = 0x1000, kHugeFile = 0x40000, kExtents = 0x80000, kEaInode = 0x200000,
                               kInlineData = 0x10000000, kCasefold = 0x40000000;
}
inline constexpr std::uint64_t kRootInode = 2, kJournalInodeDefault = 8;

// struct ext4_extent_header, ext4_extent, ext4_extent_idx: 12 bytes each
inline constexpr std::uint16_t kExtentMagic = 0xF30A;
inline constexpr std::size_t kExtentEntrySize = 12;
inline constexpr unsigned kMaximumExtentDepth = 5;
inline constexpr std::uint32_t kInitialisedMaximum = 32768;  ///< longer lengths mean "unwritten", less this

// Indirect maps: 12 direct blocks, then one block each of one, two and three levels
inline constexpr std::size_t kDirectBlocks = 12;

// struct ext4_dir_entry_2
inline constexpr std::size_t kDirentHeader = 8;
inline constexpr std::size_t kDirentTailSize = 12;
inline constexpr std::uint8_t kDirentTailType = 0xDE;

// Extended attributes
inline constexpr std::uint32_t kXattrMagic = 0xEA020000;
inline constexpr std::size_t kXattrBlockHeader = 32, kXattrInodeHeader = 4, kXattrEntryHeader = 16;

// struct ext4_orphan_block_tail: magic, checksum
inline constexpr std::uint32_t kOrphanBlockMagic = 0x0B10CA04;

}  // namespace icecore::fs::ext4
