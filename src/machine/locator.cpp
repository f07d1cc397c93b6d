#include "machine/locator.h"

#include <algorithm>

namespace icecore::machine {

Locator::Locator(const Machine& machine, const FileRef& file) : whole_(machine.provenance(file)) {
  if (file.info.type != fs::FileType::kRegular) return;
  const fs::Filesystem& filesystem = machine.filesystem_of(file);
  partition_ = &machine.partition_of(file);
  const auto extents = filesystem.extents(file.info.inode);
  if (!extents) return;  // whoever reads the content will report it
  for (const fs::Extent& extent : *extents) runs_.push_back({extent.file_offset, extent.source_offset, extent.length});
  std::ranges::sort(runs_, {}, &Run::file_offset);
}

Provenance Locator::at(std::uint64_t offset, std::optional<std::uint64_t> line) const {
  Provenance where = whole_;
  where.offset = offset;
  where.line = line;
  auto run = std::ranges::upper_bound(runs_, offset, {}, &Run::file_offset);
  if (run != runs_.begin()) {
    --run;
    if (offset - run->file_offset < run->length) place_in_image(*partition_, run->source_offset + (offset - run->file_offset), where);
  }
  return where;
}

Provenance Locator::at_line(std::uint64_t line) const {
  Provenance where = whole_;
  where.line = line;
  return where;
}

}  // namespace icecore::machine
