// Recognises what a source holds and opens it: ext and XFS by our own readers, others by libtsk; the rest is named.
#include <fmt/format.h>

#include "fs/ext4/ext4.h"
#include "fs/filesystem.h"
#include "fs/tsk/tsk.h"
#include "fs/xfs/xfs.h"
#include "volume/signature.h"

namespace icecore::fs {

Result<FilesystemPtr> open(image::SourcePtr source, const OpenOptions& options, Anomalies& anomalies) {
  const Location where{source->name(), 0};
  if (source->size() == 0)
    return fail(Code::kCorrupt, "the volume is empty (0 bytes): nothing to read; check that the image was copied whole", where);
  ICECORE_ASSIGN(const auto found, volume::recognise(*source));
  if (!found) {
    // An ext filesystem whose first superblock was wiped is still there: its backups say so.
    auto rescued = ext4::open(source, options, anomalies);
    if (rescued || rescued.error().code != Code::kNotFound) return rescued;
    return fail(Code::kNotFound, "no known filesystem begins here (not ext, XFS, btrfs, NTFS, FAT, LVM2, md, LUKS or swap)", where);
  }
  if (found->type == "ext") return ext4::open(std::move(source), options, anomalies);
  if (found->type == "xfs") return xfs::open(std::move(source), options, anomalies);
  if (tsk::reads(found->type)) return tsk::open(std::move(source), found->type, anomalies);
  if (found->type == "btrfs")
    return fail(Code::kUnsupported,
                "this is btrfs, which this version does not read; `icecore acquire` or `icecore mount` gives its image, and a kernel mount "
                "(read-only, of a copy) or "
                "`btrfs restore` its files",
                where);
  return fail(Code::kUnsupported, fmt::format("this is {}, which this version does not read", found->name), where);
}

}  // namespace icecore::fs
