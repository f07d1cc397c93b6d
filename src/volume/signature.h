// What the magic numbers at a volume's start (for md 0.90 and 1.0: its end) say is in it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "image/block_source.h"

namespace icecore::volume {

enum class ContentKind {
  kFilesystem,  ///< files may be read from it
  kContainer,   ///< holds or is part of other volumes: LVM2, md, LUKS
  kSwap,
};

struct Signature {
  ContentKind kind = ContentKind::kFilesystem;
  std::string_view type;  ///< "ext", "xfs", "btrfs", "ntfs", "vfat", "exfat", "iso9660", "hfsplus", "apfs", "lvm2", "md", "luks", "swap", …
  std::string_view name;  ///< for people: "XFS", "an LVM2 physical volume"
};

/// nullopt where nothing is recognised. Reads the first 68 KiB, and the last 128 KiB only where nothing was found there. Thread-safe. The offsets
/// are those of util-linux's libblkid.
Result<std::optional<Signature>> recognise(const image::BlockSource& source);

}  // namespace icecore::volume
