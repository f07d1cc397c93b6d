// XFS as it lies on disk: offsets, magic numbers and flags of the structures that we read. Everything is big-endian, but for the CRCs, which are
// little-endian. Sources: Linux fs/xfs/libxfs/xfs_format.h and xfs_da_format.h (6.18); "XFS Algorithms & Data Structures", 3rd edition.
// The structures in the log, which are in the host's byte order, are in xfs_log_format.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace icecore::fs::xfs {

inline constexpr std::uint32_t kBasicBlock = 512;  // BBSIZE: the unit of the log and of "daddr" addresses
inline constexpr std::size_t kUuidSize = 16;
inline constexpr std::uint64_t kNullBlock = ~std::uint64_t{0};    // NULLFSBLOCK
inline constexpr std::uint32_t kNullAgBlock = ~std::uint32_t{0};  // NULLAGBLOCK
inline constexpr std::uint32_t kNullAgInode = ~std::uint32_t{0};  // NULLAGINO

// struct xfs_dsb
namespace sb {
inline constexpr std::uint32_t kMagic = 0x58465342;  // "XFSB"
inline constexpr std::size_t kBlockSize = 4, kDataBlocks = 8, kRealtimeBlocks = 16, kUuid = 32, kLogStart = 48, kRootInode = 56, kBitmapInode = 64,
                             kSummaryInode = 72, kAgBlocks = 84, kAgCount = 88, kLogBlocks = 96, kVersion = 100, kSectorSize = 102, kInodeSize = 104,
                             kInodesPerBlock = 106, kName = 108, kNameSize = 12, kBlockLog = 120, kSectorLog = 121, kInodeLog = 122,
                             kInodesPerBlockLog = 123, kAgBlockLog = 124, kUserQuotaInode = 160, kGroupQuotaInode = 168, kDirBlockLog = 192,
                             kLogSectorSize = 194, kLogStripeUnit = 196, kFeatures2 = 200, kCompatible = 208, kReadOnlyCompatible = 212,
                             kIncompatible = 216, kLogIncompatible = 220, kCrc = 224, kSparseInodeAlignment = 228, kProjectQuotaInode = 232,
                             kLsn = 240, kMetaUuid = 248, kMetaDirectoryInode = 264, kSize = 512;

inline constexpr std::uint16_t kVersionNumberMask = 0xf, kVersionLogV2 = 0x400, kVersionDirV2 = 0x2000, kVersionMoreBits = 0x8000;
inline constexpr std::uint32_t kFeature2Crc = 0x100, kFeature2Ftype = 0x200;
inline constexpr std::uint32_t kIncompatibleFtype = 1U << 0, kIncompatibleSparseInodes = 1U << 1, kIncompatibleMetaUuid = 1U << 2,
                               kIncompatibleBigtime = 1U << 3, kIncompatibleNeedsRepair = 1U << 4, kIncompatibleNrext64 = 1U << 5,
                               kIncompatibleExchangeRange = 1U << 6, kIncompatibleParent = 1U << 7, kIncompatibleMetadir = 1U << 8,
                               kIncompatibleZoned = 1U << 9;
// Metadir and zoned change only where realtime and quota metadata lie: files on the data device read as ever.
inline constexpr std::uint32_t kIncompatibleKnown = (1U << 11) - 1;
}  // namespace sb

// struct xfs_agf: the free space of an allocation group, in its second sector
namespace agf {
inline constexpr std::uint32_t kMagic = 0x58414746;  // "XAGF"
inline constexpr std::size_t kLength = 12, kBnoRoot = 16, kBnoLevel = 28, kUuid = 64, kLsn = 208, kCrc = 216;
}  // namespace agf

// struct xfs_agfl: in its fourth sector
namespace agfl {
inline constexpr std::uint32_t kMagic = 0x5841464c;  // "XAFL"
inline constexpr std::size_t kUuid = 8, kLsn = 24, kCrc = 32;
}  // namespace agfl

// struct xfs_agi: the inodes of an allocation group, in its third sector
namespace agi {
inline constexpr std::uint32_t kMagic = 0x58414749;  // "XAGI"
inline constexpr std::size_t kSequence = 8, kLength = 12, kCount = 16, kRoot = 20, kLevel = 24, kUnlinked = 40, kUuid = 296, kCrc = 312, kLsn = 320;
inline constexpr std::size_t kUnlinkedBuckets = 64;
}  // namespace agi

// struct xfs_btree_block, short (pointers within an allocation group) and long (of the whole filesystem)
namespace btree {
inline constexpr std::uint32_t kInodeMagic = 0x49414254, kInodeCrcMagic = 0x49414233;              // "IABT", "IAB3"
inline constexpr std::uint32_t kFreeInodeMagic = 0x46494254, kFreeInodeCrcMagic = 0x46494233;      // "FIBT", "FIB3"
inline constexpr std::uint32_t kMapMagic = 0x424d4150, kMapCrcMagic = 0x424d4133;                  // "BMAP", "BMA3"
inline constexpr std::uint32_t kFreeBlockMagic = 0x41425442, kFreeBlockCrcMagic = 0x41423342;      // "ABTB", "AB3B"
inline constexpr std::uint32_t kFreeCountMagic = 0x41425443, kFreeCountCrcMagic = 0x41423343;      // "ABTC", "AB3C"
inline constexpr std::uint32_t kReverseMapCrcMagic = 0x524d4233, kReferenceCrcMagic = 0x52334643;  // "RMB3", "R3FC"
inline constexpr std::size_t kLevel = 4, kRecords = 6, kShortHeader = 16, kShortLsn = 24, kShortUuid = 32, kShortOwner = 48, kShortCrc = 52,
                             kShortCrcHeader = 56, kLongHeader = 24, kLongLsn = 32, kLongUuid = 40, kLongOwner = 56, kLongCrc = 64,
                             kLongCrcHeader = 72;
inline constexpr unsigned kMaximumLevels = 9;  // XFS_BTREE_MAXLEVELS
// struct xfs_inobt_rec: start, holemask, count, free count, free mask
inline constexpr std::size_t kInodeRecord = 16, kInodeKey = 4, kShortPointer = 4;
inline constexpr std::size_t kMapRecord = 16, kMapKey = 8, kLongPointer = 8, kMapRootHeader = 4;
inline constexpr unsigned kInodesPerChunk = 64, kInodesPerHoleBit = 4;
}  // namespace btree

// struct xfs_dinode
namespace dinode {
inline constexpr std::uint16_t kMagic = 0x494e;  // "IN"
inline constexpr std::size_t kMode = 2, kVersion = 4, kFormat = 5, kOldLinks = 6, kUid = 8, kGid = 12, kLinks = 16, kProjectLow = 20,
                             kBigExtents = 24, kFlushIteration = 30, kAccessed = 32, kModified = 40, kChanged = 48, kSize = 56, kBlocks = 64,
                             kExtents = 76, kAttrExtents = 80, kBigAttrExtents = 76, kForkOffset = 82, kAttrFormat = 83, kFlags = 90,
                             kGeneration = 92, kNextUnlinked = 96, kCrc = 100, kChangeCount = 104, kLsn = 112, kFlags2 = 120, kCreated = 144,
                             kInode = 152, kUuid = 160;
inline constexpr std::size_t kCoreV2 = 100, kCoreV3 = 176;
inline constexpr std::uint8_t kFormatDevice = 0, kFormatLocal = 1, kFormatExtents = 2, kFormatBtree = 3, kFormatMetaBtree = 5;
inline constexpr std::uint16_t kFlagRealtime = 1;
inline constexpr std::uint64_t kFlag2Bigtime = 1U << 3, kFlag2Nrext64 = 1U << 4, kFlag2Metadata = 1U << 5;
inline constexpr std::int64_t kBigtimeEpoch = -(std::int64_t{1} << 31);  // XFS_BIGTIME_EPOCH_OFFSET: 1901-12-13
}  // namespace dinode

// xfs_da_format.h: directories
namespace dir {
inline constexpr std::uint32_t kDataMagic = 0x58443244, kBlockMagic = 0x58443242;        // "XD2D", "XD2B"
inline constexpr std::uint32_t kDataCrcMagic = 0x58444433, kBlockCrcMagic = 0x58444233;  // "XDD3", "XDB3"
inline constexpr std::uint32_t kFreeMagic = 0x58443246, kFreeCrcMagic = 0x58444633;      // "XD2F", "XDF3"
inline constexpr std::uint16_t kLeaf1Magic = 0xd2f1, kLeafNMagic = 0xd2ff, kLeaf1CrcMagic = 0x3df1, kLeafNCrcMagic = 0x3dff;
inline constexpr std::size_t kDataHeader = 16, kDataCrcHeader = 64, kBlockTail = 8, kLeafEntry = 8;
inline constexpr std::size_t kCrc = 4, kBlockNumber = 8, kLsn = 16, kUuid = 24, kOwner = 40;
inline constexpr std::uint16_t kFreeTag = 0xffff;
inline constexpr std::uint64_t kLeafOffset = std::uint64_t{1} << 35;  // XFS_DIR2_LEAF_OFFSET: entries are below, hashes from here on
}  // namespace dir

// struct xfs_da_blkinfo, xfs_da3_blkinfo; attribute leaves and nodes
namespace da {
inline constexpr std::uint16_t kNodeMagic = 0xfebe, kNodeCrcMagic = 0x3ebe, kAttrLeafMagic = 0xfbee, kAttrLeafCrcMagic = 0x3bee;
inline constexpr std::size_t kForward = 0, kMagic = 8, kCrc = 12, kBlockNumber = 16, kLsn = 24, kUuid = 32, kOwner = 48, kInfo = 12, kCrcInfo = 56;
inline constexpr std::size_t kNodeEntries = 16, kNodeCrcEntries = 64, kNodeEntry = 8;
inline constexpr std::size_t kAttrEntries = 32, kAttrCrcEntries = 80, kAttrEntry = 8;
inline constexpr std::uint8_t kAttrLocal = 1, kAttrRoot = 2, kAttrSecure = 4, kAttrParent = 8, kAttrIncomplete = 0x80;
inline constexpr std::uint32_t kRemoteMagic = 0x5841524d, kSymlinkMagic = 0x58534c4d;  // "XARM", "XSLM": one header, xfs_dsymlink_hdr
inline constexpr std::size_t kRemoteBytes = 8, kRemoteCrc = 12, kRemoteUuid = 16, kRemoteOwner = 32, kRemoteLsn = 48, kRemoteHeader = 56;
inline constexpr std::uint32_t kMaximumAttrValue = 65536;  // XATTR_SIZE_MAX
}  // namespace da

}  // namespace icecore::fs::xfs
