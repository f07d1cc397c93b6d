// The helpers' own code; named _test so that the room's test program takes it in.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <set>

#include "core/hash.h"
#include "fs/ext4/ext4_support.h"
#include "image/file_source.h"

namespace icecore::test::ext4 {
namespace {

constexpr std::uint64_t kWholeFile = std::uint64_t{64} << 20;
constexpr std::size_t kSample = 65536;

// Whole content for what is small; for sparse giants the first and last 64 KiB, read the same way by both sides.
template <typename Read>
std::string content_digest(std::uint64_t size, Read&& read) {
  Sha256 hash;
  const auto part = [&](std::uint64_t offset, std::uint64_t length) {
    Bytes bytes(static_cast<std::size_t>(length));
    if (!read(offset, std::span(bytes))) return false;
    hash.update(bytes);
    return true;
  };
  const bool whole = size <= kWholeFile;
  if (!part(0, whole ? size : kSample)) return "unreadable";
  if (!whole && !part(size - kSample, kSample)) return "unreadable";
  return to_hex(hash.finish());
}

std::string attributes_text(std::map<std::string, std::string> attributes) {
  std::string text;
  for (const auto& [name, value] : attributes)
    text += fmt::format(" {}={}", name, to_hex(sha256(as_bytes(value))).substr(0, 16) + fmt::format("/{}", value.size()));
  return text;
}

std::map<std::string, std::string> kernel_attributes(const std::string& path) {
  std::map<std::string, std::string> result;
  std::string names(65536, '\0');
  const ssize_t length = ::llistxattr(path.c_str(), names.data(), names.size());
  if (length <= 0) return result;
  names.resize(static_cast<std::size_t>(length));
  for (std::size_t at = 0; at < names.size();) {
    const std::string name = names.c_str() + at;
    at += name.size() + 1;
    std::string value(std::size_t{1} << 20, '\0');
    const ssize_t size = ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
    value.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    result[name] = value;
  }
  return result;
}

std::string kernel_line(const std::string& path) {
  struct statx s {};
  if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &s) != 0) return "statx failed";
  const auto time = [](const statx_timestamp& t) { return fmt::format("{}.{:09}", t.tv_sec, t.tv_nsec); };
  std::string content;
  if (S_ISREG(s.stx_mode)) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOATIME);
    content = content_digest(s.stx_size, [&](std::uint64_t offset, std::span<std::byte> out) {
      return ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset)) == static_cast<ssize_t>(out.size());
    });
    ::close(fd);
  } else if (S_ISLNK(s.stx_mode)) {
    content = std::filesystem::read_symlink(path).string();
  }
  const std::string born = (s.stx_mask & STATX_BTIME) != 0 ? time(s.stx_btime) : "-";
  return fmt::format("{} {:o} {}:{} {} {} {}:{} {} {} {} {} | {} |{}", s.stx_ino, s.stx_mode, s.stx_uid, s.stx_gid,
                     S_ISDIR(s.stx_mode) ? 0 : s.stx_size, s.stx_nlink, s.stx_rdev_major, s.stx_rdev_minor, time(s.stx_atime), time(s.stx_mtime),
                     time(s.stx_ctime), born, content, attributes_text(kernel_attributes(path)));
}

void kernel_walk(const std::filesystem::path& folder, const std::string& prefix, Listing& listing) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string path = prefix + "/" + entry.path().filename().string();
    listing[path] = kernel_line(entry.path().string());
    if (!entry.is_symlink() && entry.is_directory()) kernel_walk(entry.path(), path, listing);
  }
}

std::string our_line(const fs::Filesystem& filesystem, const fs::FileInfo& info) {
  const auto time = [](const Timestamp& t) { return fmt::format("{}.{:09}", t.seconds, t.nanoseconds); };
  std::string content;
  if (info.type == fs::FileType::kRegular) {
    content = content_digest(info.size, [&](std::uint64_t offset, std::span<std::byte> out) {
      const auto count = filesystem.read(info.inode, offset, out);
      EXPECT_TRUE(count.has_value()) << to_string(count.error());
      return count && *count == out.size();
    });
  } else if (info.type == fs::FileType::kSymlink) {
    const auto target = filesystem.readlink(info.inode);
    content = target ? *target : to_string(target.error());
  }
  std::map<std::string, std::string> attributes;
  const auto found = filesystem.xattrs(info.inode);
  EXPECT_TRUE(found.has_value()) << to_string(found.error());
  if (found)
    for (const auto& attribute : *found) attributes[attribute.name] = attribute.value;
  return fmt::format("{} {:o} {}:{} {} {} {}:{} {} {} {} {} | {} |{}", info.inode, info.mode, info.uid, info.gid,
                     info.type == fs::FileType::kDirectory ? 0 : info.size, info.links, info.device >> 20, info.device & 0xFFFFF, time(info.accessed),
                     time(info.modified), time(info.changed), info.born ? time(*info.born) : "-", content, attributes_text(std::move(attributes)));
}

void our_walk(const fs::Filesystem& filesystem, std::uint64_t directory, const std::string& prefix, Listing& listing) {
  const auto entries = filesystem.list(directory);
  ICECORE_ASSERT_OK(entries);
  for (const auto& entry : *entries) {
    const auto info = filesystem.stat(entry.inode);
    ICECORE_ASSERT_OK(info);
    if (entry.type != fs::FileType::kUnknown) {
      EXPECT_EQ(static_cast<int>(entry.type), static_cast<int>(info->type)) << entry.name;
    }
    listing[prefix + "/" + entry.name] = our_line(filesystem, *info);
    if (info->type == fs::FileType::kDirectory) our_walk(filesystem, entry.inode, prefix + "/" + entry.name, listing);
  }
}

}  // namespace

// The loop device is made writable whatever the mount options say: a read-only mount of a dirty filesystem replays its journal.
LoopMount::LoopMount(const std::filesystem::path& image, const std::filesystem::path& at, const std::string& options) : at_(at) {
  std::filesystem::create_directories(at);
  const auto made = run(fmt::format("losetup -f --show '{}'", image.string()), true);
  EXPECT_EQ(made.exit_code, 0) << made.output;
  if (made.exit_code != 0) return;
  device_ = made.output.substr(0, made.output.find('\n'));
  const auto done = run(fmt::format("mount -o {} {} '{}'", options, device_, at.string()), true);
  mounted_ = done.exit_code == 0;
  EXPECT_TRUE(mounted_) << done.output;
}

LoopMount::~LoopMount() { unmount(); }

void LoopMount::unmount() {
  if (mounted_) run_ok(fmt::format("umount '{}'", at_.string()));
  if (!device_.empty()) run_ok(fmt::format("losetup -d {}", device_));
  mounted_ = false;
  device_.clear();
}

void make_image(const std::filesystem::path& image, unsigned mebibytes, const std::string& mkfs) {
  std::filesystem::remove(image);
  run_ok(fmt::format("truncate -s {}M '{}' && {} '{}' >/dev/null 2>&1", mebibytes, image.string(), mkfs, image.string()));
}

Listing kernel_listing(const std::filesystem::path& root) {
  Listing listing;
  kernel_walk(root, "", listing);
  return listing;
}

Listing sweep_listing(const fs::Filesystem& filesystem) {
  Listing listing;
  Anomalies anomalies;
  const auto table = filesystem.sweep({}, anomalies, no_progress());
  EXPECT_TRUE(table.has_value()) << to_string(table.error());
  EXPECT_EQ(text_of(anomalies), "");
  if (!table) return listing;
  const fs::PathIndex paths(*table);
  std::set<std::uint64_t> named{table->root_inode};
  for (const auto& name : table->names) {
    if (name.deleted) continue;
    named.insert(name.inode);
    const fs::FileInfo* info = table->find(name.inode);
    listing[paths.path_of(name)] = info != nullptr && info->allocated ? our_line(filesystem, *info) : "its inode is not allocated";
  }
  for (const fs::FileInfo& file : table->files)
    if (file.allocated && !named.contains(file.inode)) listing[fmt::format("inode {} without a name", file.inode)] = our_line(filesystem, file);
  return listing;
}

Listing walk_listing(const fs::Filesystem& filesystem) {
  Listing listing;
  our_walk(filesystem, filesystem.info().root_inode, "", listing);
  return listing;
}

std::string difference(const Listing& kernel, const Listing& ours) {
  std::string text;
  for (const auto& [path, line] : kernel) {
    const auto found = ours.find(path);
    if (found == ours.end())
      text += fmt::format("missing: {}\n", path);
    else if (found->second != line)
      text += fmt::format("differs: {}\n  kernel {}\n  ours   {}\n", path, line, found->second);
  }
  for (const auto& [path, line] : ours)
    if (!kernel.contains(path)) text += fmt::format("extra: {} {}\n", path, line);
  return text.substr(0, 4000);
}

fs::FilesystemPtr open_image(const std::filesystem::path& image, fs::JournalView view, Anomalies& anomalies) {
  const auto source = image::FileSource::open(image);
  EXPECT_TRUE(source.has_value()) << to_string(source.error());
  if (!source) return nullptr;
  auto opened = fs::open(*source, fs::OpenOptions{view}, anomalies);
  EXPECT_TRUE(opened.has_value()) << to_string(opened.error());
  return opened ? *opened : nullptr;
}

std::string text_of(const Anomalies& anomalies) {
  std::string text;
  for (const Anomaly& anomaly : anomalies.list()) text += anomaly.kind + ": " + to_string(anomaly.error) + "\n";
  return text;
}

}  // namespace icecore::test::ext4
