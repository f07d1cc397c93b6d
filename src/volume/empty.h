// Whether a volume on which nothing is recognised holds anything at all.
#pragma once

#include <optional>

#include "image/block_source.h"

namespace icecore::volume {

/// The first byte found that is not zero; nullopt where all that was looked at is zeros: the first MiB, then 16 places of 64 KiB spread over the
/// rest, the last of them at its end. So a volume that was never formatted is told from one whose start was wiped, and on a snapshot, where what was
/// never written is not fetched, at no cost; at most 35 blocks of 512 KiB where zeros were written. Errors are the source's.
Result<std::optional<std::uint64_t>> find_data(const image::BlockSource& source);

/// "its first MiB and 16 places spread over it are zeros": what find_data() without a result is evidence of.
inline constexpr const char* kEmptyEvidence = "its first MiB and 16 places spread over it are zeros";

}  // namespace icecore::volume
