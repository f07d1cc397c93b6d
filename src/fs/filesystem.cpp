#include "fs/filesystem.h"

#include <fmt/format.h>
#include <algorithm>

namespace icecore::fs {

Result<std::uint64_t> Filesystem::lookup(std::uint64_t directory, std::string_view name) const {
  ICECORE_ASSIGN(const auto entries, list(directory));
  const auto found = std::ranges::find(entries, name, &DirectoryEntry::name);
  if (found != entries.end()) return found->inode;
  return fail(Code::kNotFound, "no such name in the directory", Location{source().name(), std::nullopt, directory, std::string(name)});
}

Result<std::shared_ptr<const Filesystem>> Filesystem::without_recovery(Anomalies& anomalies) const {
  (void)anomalies;
  return FilesystemPtr();
}

Result<std::string> read_file(const Filesystem& filesystem, std::uint64_t inode, std::uint64_t limit) {
  ICECORE_ASSIGN(const FileInfo info, filesystem.stat(inode));
  if (info.size > limit)
    return fail(Code::kUnsupported, fmt::format("file of {} bytes is over the limit of {}", info.size, limit),
                Location{filesystem.source().name(), std::nullopt, inode});
  std::string content(info.size, '\0');
  ICECORE_ASSIGN(const std::size_t count, filesystem.read(inode, 0, std::as_writable_bytes(std::span(content))));
  content.resize(count);
  return content;
}

}  // namespace icecore::fs
