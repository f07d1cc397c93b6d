// What has to hold of an APFS container before libtsk may read it.
#pragma once

#include "core/result.h"
#include "image/block_source.h"

namespace icecore::fs::tsk {

/// libtsk follows an APFS container's offsets, lengths and object ids without looking whether they lead out of a node, to nothing or in a circle; a
/// damaged container ends the process. This walks the same trees (both object maps, the file system tree of each volume that is not encrypted), and
/// gives kCorrupt with the place of the first thing that libtsk would stumble over, kUnsupported for what it would misread. Reads all metadata once.
/// Source: Apple File System Reference (2020-06-22).
Result<void> check_apfs(const image::BlockSource& source);

}  // namespace icecore::fs::tsk
