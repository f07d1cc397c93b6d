// XFS images made by mkfs.xfs and filled through the kernel: the oracle's side of these tests.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "core/file.h"
#include "image/block_source.h"
#include "support/support.h"

namespace icecore::fs::xfs::test {

using icecore::test::run;
using icecore::test::run_ok;

/// mkfs.xfs with `options` on a sparse file of `mebibytes`.
inline void make_xfs(const Path& image, const std::string& options, unsigned mebibytes = 320) {
  run_ok(fmt::format("truncate -s {}M '{}' && mkfs.xfs -q -f {} '{}'", mebibytes, image.string(), options, image.string()));
}

/// A loop mount that ends with the object.
class Mount {
 public:
  Mount(const Path& image, Path folder, const std::string& options) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
    loop_ = run_ok(fmt::format("losetup -f --show '{}'", image.string()));
    if (!loop_.empty() && loop_.back() == '\n') loop_.pop_back();
    const auto mounted = run(fmt::format("mount -t xfs -o '{}' {} '{}'", options, loop_, folder_.string()), true);
    mounted_ = mounted.exit_code == 0;
    message_ = mounted.output;
  }
  ~Mount() {
    if (mounted_) run_ok(fmt::format("umount '{}'", folder_.string()));
    if (!loop_.empty()) run_ok(fmt::format("losetup -d {}", loop_));
  }
  Mount(const Mount&) = delete;
  Mount& operator=(const Mount&) = delete;
  bool ok() const { return mounted_; }
  const std::string& message() const { return message_; }
  const Path& folder() const { return folder_; }

 private:
  Path folder_;
  std::string loop_, message_;
  bool mounted_ = false;
};

/// Fills a mounted filesystem with every form that XFS has: see the script.
inline void populate(const Path& folder, unsigned seed, unsigned scale, bool far_times) {
  run_ok(fmt::format("{} python3 '{}' '{}' {} {}", far_times ? "FAR_TIMES=1" : "", icecore::test::data_file("xfs/populate.py").string(),
                     folder.string(), seed, scale));
}

inline void copy_image(const Path& from, const Path& to) { run_ok(fmt::format("cp --sparse=always '{}' '{}'", from.string(), to.string())); }

/// The file as a source, by plain pread.
class ImageFile : public image::BlockSource {
 public:
  explicit ImageFile(Path path) : path_(std::move(path)), file_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat status = {};
    if (file_ && ::fstat(file_.get(), &status) == 0) size_ = static_cast<std::uint64_t>(status.st_size);
  }
  std::uint64_t size() const override { return size_; }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
    ICECORE_CHECK(image::check_range(offset, out.size(), size_, name()));
    return read_exactly(file_.get(), out, offset, path_);
  }
  std::string name() const override { return path_.filename().string(); }

 private:
  Path path_;
  FileDescriptor file_;
  std::uint64_t size_ = 0;
};

inline image::SourcePtr open_image(const Path& image) { return std::make_shared<ImageFile>(image); }

}  // namespace icecore::fs::xfs::test
