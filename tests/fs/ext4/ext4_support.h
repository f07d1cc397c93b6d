// Images made by mkfs and the kernel, and one text line a file from either reader, so that a difference shows itself.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "fs/filesystem.h"
#include "support/support.h"

namespace icecore::test::ext4 {

/// A loop mount that ends with the object. Fails the test where it cannot be made.
class LoopMount {
 public:
  LoopMount(const std::filesystem::path& image, const std::filesystem::path& at, const std::string& options);
  ~LoopMount();
  LoopMount(const LoopMount&) = delete;
  LoopMount& operator=(const LoopMount&) = delete;
  void unmount();
  bool mounted() const { return mounted_; }
  const std::filesystem::path& path() const { return at_; }
  /// The loop device.
  const std::string& device() const { return device_; }

 private:
  std::filesystem::path at_;
  std::string device_;
  bool mounted_ = false;
};

/// A sparse file of `mebibytes`, formatted with `mkfs` ("mkfs.ext4 -q -b 1024 …"; the path is appended).
void make_image(const std::filesystem::path& image, unsigned mebibytes, const std::string& mkfs);

/// Files of every kind, with attributes, odd names and odd times. `features`: words "acl", "ea_inode", "small_inode" change what is made.
void populate(const std::filesystem::path& root, const std::string& features);

/// Path → "inode mode uid gid size links device atime mtime ctime btime | sha256 or target | attributes". Times to the nanosecond.
using Listing = std::map<std::string, std::string>;

/// As the kernel shows a mount: statx(2), readlink(2), read(2), llistxattr(2).
Listing kernel_listing(const std::filesystem::path& root);
/// As our sweep shows it: live names and allocated inodes.
Listing sweep_listing(const fs::Filesystem& filesystem);
/// As walking with list() and stat() shows it.
Listing walk_listing(const fs::Filesystem& filesystem);

/// The differences, one line each; empty where both are the same.
std::string difference(const Listing& kernel, const Listing& ours);

fs::FilesystemPtr open_image(const std::filesystem::path& image, fs::JournalView view, Anomalies& anomalies);

/// All anomalies as text, one a line.
std::string text_of(const Anomalies& anomalies);

}  // namespace icecore::test::ext4
