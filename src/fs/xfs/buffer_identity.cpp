#include "fs/xfs/buffer_identity.h"

#include "fs/xfs/xfs_format.h"

namespace icecore::fs::xfs {

std::optional<BufferIdentity> identify_buffer(ByteView block) {
  switch (load_be<std::uint32_t>(block, 0)) {
    case btree::kFreeBlockCrcMagic:
    case btree::kFreeCountCrcMagic:
    case btree::kInodeCrcMagic:
    case btree::kFreeInodeCrcMagic:
    case btree::kReverseMapCrcMagic:
    case btree::kReferenceCrcMagic: return BufferIdentity{btree::kShortLsn, btree::kShortUuid, btree::kShortCrc};
    case btree::kMapCrcMagic: return BufferIdentity{btree::kLongLsn, btree::kLongUuid, btree::kLongCrc};
    case agf::kMagic: return BufferIdentity{agf::kLsn, agf::kUuid, agf::kCrc};
    case agfl::kMagic: return BufferIdentity{agfl::kLsn, agfl::kUuid, agfl::kCrc};
    case agi::kMagic: return BufferIdentity{agi::kLsn, agi::kUuid, agi::kCrc};
    case sb::kMagic:
      return BufferIdentity{sb::kLsn, (load_be<std::uint32_t>(block, sb::kIncompatible) & sb::kIncompatibleMetaUuid) != 0 ? sb::kMetaUuid : sb::kUuid,
                            sb::kCrc};
    case da::kSymlinkMagic: return BufferIdentity{da::kRemoteLsn, da::kRemoteUuid, da::kRemoteCrc};
    case dir::kBlockCrcMagic:
    case dir::kDataCrcMagic:
    case dir::kFreeCrcMagic: return BufferIdentity{dir::kLsn, dir::kUuid, dir::kCrc};
    default: break;
  }
  switch (load_be<std::uint16_t>(block, da::kMagic)) {
    case dir::kLeaf1CrcMagic:
    case dir::kLeafNCrcMagic:
    case da::kNodeCrcMagic:
    case da::kAttrLeafCrcMagic: return BufferIdentity{da::kLsn, da::kUuid, da::kCrc};
    default: return std::nullopt;
  }
}

}  // namespace icecore::fs::xfs
