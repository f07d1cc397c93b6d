// The XFS log as it lies on disk. Record and operation headers are big-endian, the items in them are in the byte order of the machine that wrote them
// (fmt says which; we read little-endian). Source: Linux fs/xfs/libxfs/xfs_log_format.h (6.18).
#pragma once

#include <cstddef>
#include <cstdint>

namespace icecore::fs::xfs::log {

// struct xlog_rec_header, in a basic block of 512 bytes of its own
inline constexpr std::uint32_t kRecordMagic = 0xfeedbabe;
inline constexpr std::size_t kCycle = 4, kVersion = 8, kLength = 12, kLsn = 16, kTailLsn = 24, kCrc = 32, kOperations = 40, kCycleData = 44,
                             kFormat = 300, kUuid = 304, kSize = 320;
inline constexpr std::size_t kCrcHeader = 328, kCrcHeaderOf32Bit = 324;  // XLOG_REC_SIZE, XLOG_REC_SIZE_OTHER
inline constexpr std::size_t kCyclesPerHeader = 64, kExtendedCycleData = 4, kCrcExtendedHeader = 260;
inline constexpr std::uint32_t kVersion2 = 2, kFormatLittleEndian = 1;
inline constexpr std::uint32_t kHeaderCovers = 32768;          // bytes of data whose cycle words one header holds
inline constexpr std::uint32_t kMostRecordBytes = 256 * 1024;  // XLOG_MAX_RECORD_BSIZE
inline constexpr std::uint32_t kMostInFlight = 8;              // XLOG_MAX_ICLOGS

// struct xlog_op_header
inline constexpr std::size_t kOperationHeader = 12, kOperationLength = 4, kOperationFlags = 9;
inline constexpr std::uint8_t kStart = 0x01, kCommit = 0x02, kContinue = 0x04, kWasContinued = 0x08, kEnd = 0x10, kUnmount = 0x20;
inline constexpr std::uint32_t kTransactionMagic = 0x5452414e;  // "TRAN"
inline constexpr std::size_t kTransactionHeader = 16;

// Items: their first two fields are the type and the number of regions.
inline constexpr std::uint16_t kInode = 0x123b, kBuffer = 0x123c, kInodeCreate = 0x123f, kMapIntent = 0x1244, kMapDone = 0x1245,
                               kAttributeIntent = 0x1246, kAttributeDone = 0x1247, kExchangeIntent = 0x1248, kExchangeDone = 0x1249;

// struct xfs_buf_log_format
inline constexpr std::size_t kBufferFlags = 4, kBufferLength = 6, kBufferBlock = 8, kBufferMapSize = 16, kBufferMap = 20;
inline constexpr std::uint16_t kBufferInodes = 1, kBufferCancel = 2, kBufferQuota = 4 | 8 | 16;
inline constexpr std::size_t kChunk = 128;  // XFS_BLF_CHUNK: a bit of the map

// struct xfs_inode_log_format; the one of 32-bit kernels has no padding before the inode number
inline constexpr std::size_t kInodeFields = 4, kInodeNumber = 16, kInodeDevice = 24, kInodeBlock = 40, kInodeOffset = 52, kInodeFormat = 56,
                             kInodeFormatOf32Bit = 52, kPaddingOf32Bit = 4;
inline constexpr std::uint32_t kFieldDataLocal = 0x2, kFieldDataExtents = 0x4, kFieldDataRoot = 0x8, kFieldDevice = 0x10, kFieldAttrLocal = 0x40,
                               kFieldAttrExtents = 0x80, kFieldAttrRoot = 0x100;
inline constexpr std::uint32_t kFieldsData = kFieldDataLocal | kFieldDataExtents | kFieldDataRoot,
                               kFieldsAttr = kFieldAttrLocal | kFieldAttrExtents | kFieldAttrRoot;

// struct xfs_icreate_log: big-endian after the first two fields
inline constexpr std::size_t kCreateAg = 4, kCreateBlock = 8, kCreateCount = 12, kCreateInodeSize = 16, kCreateLength = 20, kCreateGeneration = 24,
                             kCreateFormat = 28;

// struct xfs_bui_log_format, xfs_map_extent; the "done" items name the intent where the intent names itself
inline constexpr std::size_t kIntentCount = 4, kIntentId = 8, kIntentExtents = 16, kMapExtent = 32;
inline constexpr std::uint32_t kMapTypeMask = 0xff, kMapUnmap = 2, kMapAttrFork = 1U << 31, kMapUnwritten = 1U << 30;

}  // namespace icecore::fs::xfs::log
