// QEMU's qcow2, versions 2 and 3, big-endian. QEMU docs/interop/qcow2.txt. Internal to container/.
#pragma once

#include <cstdint>

namespace icecore::container::qcow2 {

inline constexpr std::uint32_t kMagic = 0x514649FB;

// Header, offsets in bytes.
inline constexpr std::size_t kVersion = 4, kBackingOffset = 8, kBackingSize = 16, kClusterBits = 20, kDiskSize = 24, kEncryption = 32, kL1Size = 36,
                             kL1Offset = 40, kRefcountTableOffset = 48, kRefcountTableClusters = 56, kSnapshots = 60, kIncompatible = 72,
                             kRefcountOrder = 96, kHeaderLength = 100, kCompressionType = 104;
inline constexpr std::size_t kHeaderLength2 = 72, kHeaderLength3 = 112;

inline constexpr std::uint64_t kDirtyBit = 1, kCorruptBit = 2, kExternalDataBit = 4, kCompressionBit = 8, kExtendedL2Bit = 16, kKnownBits = 31;
inline constexpr std::uint8_t kDeflate = 0, kZstd = 1;
inline constexpr std::uint32_t kBackingFormatExtension = 0xE2792ACA;

// Entries of L1 and L2 tables.
inline constexpr std::uint64_t kOffsetMask = 0x00FFFFFFFFFFFE00, kCopied = std::uint64_t{1} << 63, kCompressed = std::uint64_t{1} << 62, kZero = 1;

/// Of a compressed cluster's entry: bits below this are the offset in the file, those from it to bit 61 the further 512-byte sectors.
constexpr unsigned compressed_shift(unsigned cluster_bits) { return 62 - (cluster_bits - 8); }

}  // namespace icecore::container::qcow2
