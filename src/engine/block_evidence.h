// Names, for each file in a finding, the 512 KiB blocks that hold it and their SHA-256: anyone with the snapshot can fetch these blocks and check.
#pragma once

#include "detect/finding.h"
#include "engine/target.h"

namespace icecore::engine {

/// Fills Provenance::blocks of file locations: the block of the inode's record or content at image_offset. From blocks.db for snapshots; hashed here
/// for images.
Result<void> name_blocks(const Target& target, std::vector<detect::Finding>& findings);

}  // namespace icecore::engine
