// The bodyfile of Sleuth Kit 3: MD5|name|inode|mode_as_string|UID|GID|size|atime|mtime|ctime|crtime, whole seconds. mactime and everything built on
// it reads it. Source: https://wiki.sleuthkit.org/index.php?title=Body_file
#pragma once

#include <span>

#include "core/result.h"
#include "timeline/layer.h"
#include "timeline/sink.h"

namespace icecore::timeline {

/// One line a name, and one for each inode without a name, in disk order. Names are made printable; `|` becomes `\x7c`. Deleted ones end in "
/// (deleted)", or " (deleted-realloc)" where the inode has been given to a live file since. Formats on all cores; memory is bounded by a few MiB
/// whatever the size.
Result<void> write_bodyfile(std::span<const Layer> layers, TextSink& sink);

}  // namespace icecore::timeline
