// A case's image read without the case: by its path, or while another run holds the case. Nothing is written, fetched or noted in the ledger.
#pragma once

#include "core/file.h"
#include "image/block_source.h"

namespace icecore::image {

/// `path` is the image.raw of a case: its blocks.db lies beside it.
bool is_case_image(const Path& path);

/// The complete image in `folder` (snapshots/snap-…), each block held against its recorded SHA-256 before its bytes are first given (kIntegrity).
/// What was never written reads as zeros, whatever the file has there. kConflict where blocks are still missing: they would look like zeros.
Result<SourcePtr> open_case_image(const Path& folder);

}  // namespace icecore::image
