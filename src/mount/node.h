// How the kernel and the mount call a file: 64 bits that say where it is, so that files need no table. Internal to mount/.
#pragma once

#include <cstdint>
#include <optional>

namespace icecore::mount {

/// 1 is the mount's own folder (FUSE_ROOT_ID). Small numbers are folders and images that exist only in the mount; numbers with the highest bit are
/// files on a disk; those with the second highest are symbolic links, which are known by the folder that they were met in, because where they lead
/// depends on it.
using NodeId = std::uint64_t;

inline constexpr NodeId kMountFolder = 1;

enum class View : std::uint8_t {
  kMachine,    ///< below `root`: other volumes are mounted over folders
  kPartition,  ///< below `volumes/…/partition-N`: one filesystem
};

struct StoredFile {
  View view = View::kMachine;
  std::size_t partition = 0;
  std::uint64_t inode = 0;
};

inline constexpr unsigned kInodeBits = 48;
inline constexpr std::uint64_t kInodeMask = (std::uint64_t{1} << kInodeBits) - 1;
inline constexpr std::size_t kMostPartitions = (std::size_t{1} << 14) - 2;
inline constexpr NodeId kStoredBit = NodeId{1} << 63;
inline constexpr NodeId kLinkBit = NodeId{1} << 62;

inline bool is_stored(NodeId id) { return (id & kStoredBit) != 0; }
inline bool is_link(NodeId id) { return !is_stored(id) && (id & kLinkBit) != 0; }
inline bool is_fixed(NodeId id) { return !is_stored(id) && !is_link(id); }

/// nullopt for inode numbers that no disk of less than 2^57 bytes can have.
inline std::optional<NodeId> stored_id(const StoredFile& file) {
  if (file.inode > kInodeMask) return std::nullopt;
  return kStoredBit | (file.view == View::kPartition ? kLinkBit : 0) | static_cast<NodeId>(file.partition) << kInodeBits | file.inode;
}

/// Precondition: is_stored(id).
inline StoredFile stored_file(NodeId id) {
  return {(id & kLinkBit) != 0 ? View::kPartition : View::kMachine, static_cast<std::size_t>((id >> kInodeBits) & 0x3FFF), id & kInodeMask};
}

}  // namespace icecore::mount
