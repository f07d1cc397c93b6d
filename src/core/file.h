// Local files of the case, written so that a crash leaves the old or the new content, never half. All functions name the path in their errors.
#pragma once

#include <filesystem>
#include <string_view>

#include "core/bytes.h"
#include "core/result.h"

namespace icecore {

using Path = std::filesystem::path;

/// An open file descriptor that closes itself.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// kIo (or kNotFound, kPermission) from errno, as "cannot DOING PATH: reason"; a full disk says so and what to do.
Failure errno_failure(int error_number, std::string_view doing, const Path& path);

/// open(2) with O_CLOEXEC added.
Result<FileDescriptor> open_file(const Path& path, int flags, unsigned mode = 0600);

Result<Bytes> read_file(const Path& path, std::uint64_t limit = std::uint64_t{1} << 30);
Result<std::string> read_text_file(const Path& path, std::uint64_t limit = std::uint64_t{1} << 30);

/// A device, fifo or socket stands there (links followed): it is written into, and never replaced by a file. /dev/null must stay what it is.
bool is_special_file(const Path& path);

/// Writes a temporary beside it (mode 0600), fsyncs, renames over `path`, fsyncs the folder. kInvalidArgument where a special file
/// stands there.
Result<void> write_file_atomically(const Path& path, std::string_view content);

/// Makes the folder and its parents, mode 0700; an existing one is left as it is.
Result<void> make_private_directory(const Path& path);

/// pread/pwrite of the whole range; a short read is kIo.
Result<void> read_exactly(int fd, std::span<std::byte> out, std::uint64_t offset, const Path& path);
Result<void> write_exactly(int fd, ByteView bytes, std::uint64_t offset, const Path& path);

}  // namespace icecore
