#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "core/hash.h"
#include "core/text.h"
#include "fs/tsk/apfs_check.h"
#include "fs/tsk/tsk.h"
#include "fs/tsk/tsk_filesystem.h"

namespace icecore::fs::tsk {
namespace {

struct Type {
  std::string_view name;
  TSK_FS_TYPE_ENUM tsk;
};
constexpr std::array kTypes = {
    Type{"vfat", TSK_FS_TYPE_FAT_DETECT},        Type{"exfat", TSK_FS_TYPE_FAT_DETECT},   Type{"ntfs", TSK_FS_TYPE_NTFS},
    Type{"iso9660", TSK_FS_TYPE_ISO9660_DETECT}, Type{"hfsplus", TSK_FS_TYPE_HFS_DETECT}, Type{"apfs", TSK_FS_TYPE_APFS},
};

Result<std::string> text_at(const image::BlockSource& source, std::uint64_t offset, std::size_t length) {
  std::string text(length, '\0');
  ICECORE_CHECK(source.read(offset, std::as_writable_bytes(std::span(text))));
  return text;
}

// As blkid names them: NTFS's serial number, an ISO's date of modification or creation.
Result<void> name_volume(const image::BlockSource& source, FilesystemInfo& info) {
  if (info.type == "ntfs" && source.size() >= 512) {
    ICECORE_ASSIGN(const std::string serial, text_at(source, 0x48, 8));
    info.uuid = fmt::format("{:016X}", load_le<std::uint64_t>(as_bytes(serial), 0));
  }
  if (info.type == "iso9660" && source.size() >= 34 * 1024) {
    ICECORE_ASSIGN(const std::string descriptor, text_at(source, 32768, 2048));
    info.label = std::string(trim(std::string_view(descriptor).substr(40, 32)));
    for (const std::size_t at : {830U, 813U}) {
      const std::string_view date = std::string_view(descriptor).substr(at, 16);
      if (!std::ranges::all_of(date, [](char c) { return c >= '0' && c <= '9'; }) || date.starts_with("0000")) continue;
      info.uuid = fmt::format("{}-{}-{}-{}-{}-{}-{}", date.substr(0, 4), date.substr(4, 2), date.substr(6, 2), date.substr(8, 2), date.substr(10, 2),
                              date.substr(12, 2), date.substr(14, 2));
      break;
    }
  }
  return {};
}

// Of the container, as blkid names it (Apple File System Reference: nx_superblock_t.nx_uuid).
Result<std::string> apfs_uuid(const image::BlockSource& source) {
  ICECORE_ASSIGN(const std::string uuid, text_at(source, 72, 16));
  std::string text = to_hex(as_bytes(uuid));
  for (const std::size_t at : {20U, 16U, 12U, 8U}) text.insert(at, 1, '-');
  return text;
}

// The first volume that can be read; the others are named.
Result<FilesystemPtr> open_apfs(const image::SourcePtr& source, Anomalies& anomalies) {
  ICECORE_CHECK(check_apfs(*source));
  ICECORE_ASSIGN(const auto volumes, pool_volumes(source));
  ICECORE_ASSIGN(const std::string uuid, apfs_uuid(*source));
  FilesystemPtr opened;
  std::string left_out;
  for (const PoolVolume& volume : volumes) {
    if (!opened && !volume.encrypted) {
      ICECORE_ASSIGN(auto handle, Handle::open_in_pool(source, volume.block));
      ICECORE_ASSIGN(opened, TskFilesystem::make(std::move(handle), {"apfs", volume.name, uuid, 0, 0, 0, false}));
      continue;
    }
    left_out += fmt::format("{}{}{}", left_out.empty() ? "" : ", ", printable(volume.name), volume.encrypted ? " (encrypted)" : "");
  }
  const Location where{source->name(), 0};
  if (!opened) return fail(Code::kUnsupported, fmt::format("an APFS container without a volume that can be read ({})", left_out), where);
  if (!left_out.empty())
    anomalies.add("apfs.volumes",
                  Error{Code::kUnsupported, fmt::format("volumes of this APFS container that were not read: {}", left_out), where, nullptr});
  return opened;
}

}  // namespace

bool reads(std::string_view type) { return std::ranges::find(kTypes, type, &Type::name) != kTypes.end(); }

Result<FilesystemPtr> open(image::SourcePtr source, std::string_view type, Anomalies& anomalies) {
  if (type == "apfs") return open_apfs(source, anomalies);
  FilesystemInfo info;
  info.type = std::string(type);
  ICECORE_CHECK(name_volume(*source, info));
  ICECORE_ASSIGN(auto handle, Handle::open(std::move(source), std::ranges::find(kTypes, type, &Type::name)->tsk));
  return TskFilesystem::make(std::move(handle), std::move(info));
}

}  // namespace icecore::fs::tsk
