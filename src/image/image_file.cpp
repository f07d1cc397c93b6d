#include "image/image_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>

#include "image/gathered_writer.h"

namespace icecore::image {
namespace {

class DiskImageFile : public ImageFile {
 public:
  /// `direct` is the same file opened with O_DIRECT, or nothing where its filesystem has none (tmpfs).
  DiskImageFile(Path path, FileDescriptor file, FileDescriptor direct = {})
      : path_(std::move(path)), file_(std::move(file)), direct_(std::move(direct)) {}

  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override { return read_exactly(file_.get(), out, offset, path_); }

  void will_read(std::uint64_t offset, std::uint64_t length) const override {
    ::posix_fadvise(file_.get(), static_cast<off_t>(offset), static_cast<off_t>(length), POSIX_FADV_WILLNEED);
  }

  Result<void> write(std::uint64_t offset, ByteView bytes) override {
    ICECORE_CHECK(write_exactly(file_.get(), bytes, offset, path_));
    // Starts the write-back now, without waiting, so that the flush that follows finds little left to do.
    ::sync_file_range(file_.get(), static_cast<off_t>(offset), static_cast<off_t>(bytes.size()), SYNC_FILE_RANGE_WRITE);
    return {};
  }

  // Through the page cache, writers of fresh blocks spin on the inode's lock and copy every byte: half the CPU of an acquisition (perf, two cores).
  Result<void> write_past_cache(std::uint64_t offset, ByteView bytes) override {
    if (direct_.write(offset, bytes)) return {};
    return write(offset, bytes);
  }

  bool share(int from, std::uint64_t offset, std::uint64_t length) override {
    const file_clone_range range{.src_fd = from, .src_offset = offset, .src_length = length, .dest_offset = offset};
    return ::ioctl(file_.get(), FICLONERANGE, &range) == 0;
  }

  Result<void> sync() override {
    if (::fdatasync(file_.get()) != 0) return errno_failure(errno, "flush", path_);
    return {};
  }

  Result<void> discard(std::uint64_t offset, std::uint64_t length) override {
    if (::fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset), static_cast<off_t>(length)) == 0) return {};
    if (errno != EOPNOTSUPP && errno != ENOSYS) return errno_failure(errno, "punch a hole in", path_);
    const Bytes zeros(length);
    return write_exactly(file_.get(), zeros, offset, path_);
  }

  Result<void> for_each_extent(const std::function<Result<void>(std::uint64_t, std::uint64_t)>& visit) const override {
    off_t at = 0;
    for (;;) {
      const off_t data = ::lseek(file_.get(), at, SEEK_DATA);
      if (data < 0 && errno == ENXIO) return {};
      if (data < 0) return errno_failure(errno, "look for data in", path_);
      const off_t hole = ::lseek(file_.get(), data, SEEK_HOLE);
      if (hole < 0) return errno_failure(errno, "look for holes in", path_);
      ICECORE_CHECK(visit(static_cast<std::uint64_t>(data), static_cast<std::uint64_t>(hole - data)));
      at = hole;
    }
  }

 private:
  const Path path_;
  const FileDescriptor file_;
  GatheredWriter direct_;
};

}  // namespace

Result<std::unique_ptr<ImageFile>> open_image_file(const Path& path, std::uint64_t size) {
  ICECORE_ASSIGN(FileDescriptor file, open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return errno_failure(errno, "look at", path);
  if (status.st_size == 0) {
    if (::ftruncate(file.get(), static_cast<off_t>(size)) != 0) return errno_failure(errno, "set the size of", path);
    if (::fsync(file.get()) != 0) return errno_failure(errno, "flush", path);
    ICECORE_ASSIGN(const FileDescriptor folder, open_file(path.parent_path(), O_RDONLY | O_DIRECTORY));
    if (::fsync(folder.get()) != 0) return errno_failure(errno, "flush", path.parent_path());
  } else if (static_cast<std::uint64_t>(status.st_size) != size) {
    return fail(Code::kIntegrity, fmt::format("{} has {} bytes and the snapshot {}: the file was changed", path.string(), status.st_size, size));
  }
  // Whole blocks are read, and between them lie holes: reading ahead fills the cache with zeros for nothing, gigabytes of them.
  ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_RANDOM);
  FileDescriptor direct(::open(path.c_str(), O_WRONLY | O_DIRECT | O_NOFOLLOW | O_CLOEXEC));
  return std::unique_ptr<ImageFile>(new DiskImageFile(path, std::move(file), std::move(direct)));
}

Result<std::unique_ptr<ImageFile>> open_image_file_read_only(const Path& path, std::uint64_t& size) {
  ICECORE_ASSIGN(FileDescriptor file, open_file(path, O_RDONLY | O_NOFOLLOW));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return errno_failure(errno, "look at", path);
  size = static_cast<std::uint64_t>(status.st_size);
  return std::unique_ptr<ImageFile>(new DiskImageFile(path, std::move(file)));
}

}  // namespace icecore::image
