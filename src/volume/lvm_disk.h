// What a physical volume of LVM2 holds besides data: its label and the text of its volume group. Source: lvm2 lib/format_text/layout.h.
#pragma once

#include <optional>
#include <string>

#include "core/json.h"
#include "image/block_source.h"

namespace icecore::volume {

struct PhysicalVolume {
  image::SourcePtr source;
  std::string uuid;            ///< 32 characters, as on the disk
  std::optional<Json> group;   ///< the newest text in its metadata areas; absent where it has none
  std::optional<Error> error;  ///< why a metadata area that is there could not be used
};

/// kCorrupt where there is no sound label. A text that does not parse or whose checksum is wrong is an error in the value.
Result<PhysicalVolume> read_physical_volume(image::SourcePtr source);

/// "Xa3fGh-…": 6-4-4-4-4-4-6 characters, as LVM's tools print it.
std::string lvm_uuid_text(std::string_view uuid);
/// The 32 characters of either form.
std::string lvm_uuid_plain(std::string_view uuid);

}  // namespace icecore::volume
