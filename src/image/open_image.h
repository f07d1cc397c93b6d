// What a path is: a raw image or block device today; other containers are recognised and named.
#pragma once

#include "core/file.h"
#include "image/block_source.h"

namespace icecore::image {

/// Opens a local image. kUnsupported names a format that is recognised and not read yet (qcow2, E01, VMDK, VHD, VHDX, VDI, AFF, split raw, compressed
/// images) and the command that turns it into raw; kNotFound, kPermission and kInvalidArgument (a folder, an empty file) say what to do.
Result<SourcePtr> open_image(const Path& path);

}  // namespace icecore::image
