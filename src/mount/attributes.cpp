#include "mount/attributes.h"

#include <fmt/format.h>

namespace icecore::mount {
namespace {

constexpr std::uint32_t kSetIdBits = S_ISUID | S_ISGID;
constexpr std::uint32_t kPermissions = 01777;
constexpr std::string_view kOwn = "user.icecore.";

timespec to_timespec(const Timestamp& time) {
  timespec value{};
  value.tv_sec = time.seconds;
  value.tv_nsec = static_cast<decltype(value.tv_nsec)>(time.nanoseconds);
  return value;
}

mode_t shown_type(fs::FileType type) {
  if (type == fs::FileType::kDirectory) return S_IFDIR;
  if (type == fs::FileType::kSymlink) return S_IFLNK;
  return S_IFREG;
}

}  // namespace

std::string_view special_type(fs::FileType type) {
  switch (type) {
    case fs::FileType::kCharacterDevice: return "character device";
    case fs::FileType::kBlockDevice: return "block device";
    case fs::FileType::kFifo: return "fifo";
    case fs::FileType::kSocket: return "socket";
    case fs::FileType::kUnknown: return "unknown";
    default: return {};
  }
}

struct stat attributes_of(const fs::FileInfo& info) {
  struct stat status {};
  status.st_ino = info.inode;
  status.st_mode = shown_type(info.type) | (info.mode & kPermissions);
  status.st_nlink = info.links;
  status.st_uid = info.uid;
  status.st_gid = info.gid;
  // A hostile size may not fit off_t.
  constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
  const std::uint64_t size = special_type(info.type).empty() ? std::min(info.size, kLargest) : 0;
  status.st_size = static_cast<off_t>(size);
  status.st_blocks = static_cast<blkcnt_t>(size / 512 + (size % 512 != 0 ? 1 : 0));
  status.st_blksize = 128 << 10;
  status.st_atim = to_timespec(info.accessed);
  status.st_mtim = to_timespec(info.modified);
  status.st_ctim = to_timespec(info.changed);
  return status;
}

std::vector<Attribute> own_attributes(const fs::FileInfo& info) {
  std::vector<Attribute> own;
  const auto add = [&](std::string_view name, std::string value) { own.push_back({std::string(kOwn) + std::string(name), std::move(value)}); };
  if (const auto type = special_type(info.type); !type.empty()) {
    add("type", std::string(type));
    if (info.type == fs::FileType::kCharacterDevice || info.type == fs::FileType::kBlockDevice)
      add("device", fmt::format("{}:{}", info.device >> 20, info.device & 0xFFFFF));
  }
  if ((info.mode & kSetIdBits) != 0) add("mode", fmt::format("{:o}", info.mode));
  if (info.born) add("born", to_iso8601(*info.born));
  return own;
}

std::string shown_name(std::string_view evidence_name) {
  if (evidence_name.starts_with("user.") && !evidence_name.starts_with(kOwn)) return std::string(evidence_name);
  return std::string(kOwn) + "xattr." + std::string(evidence_name);
}

}  // namespace icecore::mount
