#include "image/file_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>

namespace icecore::image {

Result<std::shared_ptr<const FileSource>> FileSource::open(const Path& path) {
  const auto refuse = [&](std::string_view why) { return fail(Code::kInvalidArgument, fmt::format("{} {}", path.string(), why)); };
  // O_NONBLOCK: opening a fifo must not wait for its other end; regular files and disks ignore it.
  ICECORE_ASSIGN(FileDescriptor file, open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return errno_failure(errno, "look at", path);
  if (S_ISDIR(status.st_mode)) return refuse("is a folder, not a disk image; name the image file in it");
  if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) return refuse("is neither a file nor a block device");
  // st_size of a block device is 0; its end says how large it is.
  const off_t end = ::lseek(file.get(), 0, SEEK_END);
  if (end < 0) return errno_failure(errno, "find the size of", path);
  if (end == 0) return refuse("is empty; if it is a copy, it did not get through");
  return std::shared_ptr<const FileSource>(new FileSource(path, std::move(file), static_cast<std::uint64_t>(end)));
}

Result<void> FileSource::read(std::uint64_t offset, std::span<std::byte> out) const {
  ICECORE_CHECK(check_range(offset, out.size(), size_, name()));
  return read_exactly(file_.get(), out, offset, path_);
}

}  // namespace icecore::image
