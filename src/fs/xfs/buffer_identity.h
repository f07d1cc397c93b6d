// Where a metadata block keeps its LSN, its filesystem's UUID and its checksum: told by its magic number, as xlog_recover_get_buf_lsn does.
#pragma once

#include <cstdint>
#include <optional>

#include "core/bytes.h"

namespace icecore::fs::xfs {

struct BufferIdentity {
  std::size_t lsn = 0, uuid = 0, crc = 0;
};

/// nullopt for blocks without these: unknown, version 4, inodes, quota. Precondition: at least 512 bytes.
std::optional<BufferIdentity> identify_buffer(ByteView block);

}  // namespace icecore::fs::xfs
