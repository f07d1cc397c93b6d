// One record of an APFS file system tree, before libtsk reads it.
#pragma once

#include "core/bytes.h"
#include "core/result.h"

namespace icecore::fs::tsk {

/// kCorrupt where a length in the record leads out of it, or a stream is larger than `limit`; kUnsupported for a name longer than libtsk can read.
/// Precondition: key.size() >= 8.
Result<void> check_apfs_record(ByteView key, ByteView value, std::uint64_t limit, const Location& where);

}  // namespace icecore::fs::tsk
