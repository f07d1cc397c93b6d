#include "core/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace icecore {

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Failure errno_failure(int error_number, std::string_view doing, const Path& path) {
  const Code code = error_number == ENOENT ? Code::kNotFound : (error_number == EACCES || error_number == EPERM) ? Code::kPermission : Code::kIo;
  std::string message = fmt::format("cannot {} {}: {}", doing, path.string(), std::generic_category().message(error_number));
  if (error_number == ENOSPC || error_number == EDQUOT) message += "; make room (nothing recorded so far is lost) and run the same command again";
  return fail(code, std::move(message));
}

Result<FileDescriptor> open_file(const Path& path, int flags, unsigned mode) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, static_cast<mode_t>(mode));
  if (fd < 0) return errno_failure(errno, (flags & O_CREAT) != 0 ? "create" : "open", path);
  return FileDescriptor(fd);
}

Result<std::string> read_text_file(const Path& path, std::uint64_t limit) {
  ICECORE_ASSIGN(const FileDescriptor file, open_file(path, O_RDONLY));
  std::string content;
  for (;;) {
    constexpr std::size_t kChunk = 1 << 16;
    const std::size_t old_size = content.size();
    content.resize(old_size + kChunk);
    const ssize_t count = ::read(file.get(), content.data() + old_size, kChunk);
    if (count < 0) return errno_failure(errno, "read", path);
    content.resize(old_size + static_cast<std::size_t>(count));
    if (count == 0) return content;
    if (content.size() > limit) return fail(Code::kIo, fmt::format("{} is larger than {} bytes", path.string(), limit));
  }
}

Result<Bytes> read_file(const Path& path, std::uint64_t limit) {
  ICECORE_ASSIGN(const std::string text, read_text_file(path, limit));
  const ByteView view = as_bytes(text);
  return Bytes(view.begin(), view.end());
}

Result<void> write_exactly(int fd, ByteView bytes, std::uint64_t offset, const Path& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_failure(errno, "write", path);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return {};
}

Result<void> read_exactly(int fd, std::span<std::byte> out, std::uint64_t offset, const Path& path) {
  while (!out.empty()) {
    const ssize_t count = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_failure(errno, "read", path);
    if (count == 0) return fail(Code::kIo, fmt::format("{} ends at byte {}, {} more were expected", path.string(), offset, out.size()));
    out = out.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return {};
}

bool is_special_file(const Path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  return !error && std::filesystem::exists(status) && !std::filesystem::is_regular_file(status) && !std::filesystem::is_directory(status);
}

Result<void> write_file_atomically(const Path& path, std::string_view content) {
  if (is_special_file(path)) return fail(Code::kInvalidArgument, fmt::format("{} is no file, and is not replaced by one", path.string()));
  const Path temporary = path.string() + ".tmp";
  {
    ICECORE_ASSIGN(const FileDescriptor file, open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600));
    ICECORE_CHECK(write_exactly(file.get(), as_bytes(content), 0, temporary));
    if (::fsync(file.get()) != 0) return errno_failure(errno, "flush", temporary);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return errno_failure(errno, "rename to", path);
  ICECORE_ASSIGN(const FileDescriptor folder, open_file(path.has_parent_path() ? path.parent_path() : ".", O_RDONLY | O_DIRECTORY));
  if (::fsync(folder.get()) != 0) return errno_failure(errno, "flush", path.parent_path());
  return {};
}

Result<void> make_private_directory(const Path& path) {
  if (path.empty() || std::filesystem::is_directory(path)) return {};
  ICECORE_CHECK(make_private_directory(path.parent_path()));
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return errno_failure(errno, "make the folder", path);
  return {};
}

}  // namespace icecore
