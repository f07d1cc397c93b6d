// Internal to image/: the hashes of a complete image, for acquisition and for verification.
#pragma once

#include <string>

#include "core/progress.h"
#include "image/block_database.h"
#include "image/image_file.h"

namespace icecore::image {

/// Keys of blocks.db's meta table.
inline constexpr std::string_view kImageHashKey = "image_sha256";
inline constexpr std::string_view kMerkleRootKey = "merkle_root";

/// Over all blocks of the volume; those without a row are zeros.
Result<std::string> merkle_root_of(const BlockDatabase& database);
/// SHA-256 of the whole file; blocks that are not `written` are not read, they are zeros.
Result<std::string> image_sha256_of(const ImageFile& file, const Bitmap& written, Progress& progress);

}  // namespace icecore::image
