// LVM2's text format: nested sections of names and values (lvm2 lib/config, man lvm.conf).
#pragma once

#include <string_view>

#include "core/json.h"

namespace icecore::volume {

/// Sections become objects, lists arrays, numbers integers (or doubles), strings strings; comments go. kCorrupt with the place where it stops making
/// sense. Depth is bounded to 16, the text's length by the caller. A name that comes twice keeps its last value.
Result<Json> parse_lvm_text(std::string_view text);

}  // namespace icecore::volume
