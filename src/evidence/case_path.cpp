#include "evidence/case_path.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>

#include "core/text.h"

namespace icecore::evidence {
namespace {

Failure link_or_file(const Path& path) {
  return fail(Code::kConflict,
              fmt::format("{} is a link or a special file, and icecore makes none in a case: somebody put it there; look at it, then "
                          "remove it",
                          printable(path.string())));
}

Result<FileDescriptor> open_part(int parent, const std::string& part, int flags, const Path& path) {
  const int fd = ::openat(parent, part.c_str(), flags | O_CLOEXEC | O_NOFOLLOW);
  if (fd >= 0) return FileDescriptor(fd);
  if (errno == ELOOP || errno == ENOTDIR) return link_or_file(path);
  return errno_failure(errno, "open", path);
}

}  // namespace

Result<std::string> checked_relative(std::string_view relative) {
  const auto bad = [&](std::string_view why) {
    return fail(Code::kInvalidArgument, fmt::format("\"{}\" is no path inside a case: {}", printable(relative), why));
  };
  if (relative.empty() || relative.size() > 4000) return bad("it is empty or too long");
  if (relative.front() == '/') return bad("it is absolute");
  if (relative.find('\0') != std::string_view::npos || !is_valid_utf8(relative)) return bad("it is not UTF-8");
  for (const std::string_view part : split(relative, '/'))
    if (part.empty() || part == "." || part == "..") return bad("it has an empty part, \".\" or \"..\"");
  return std::string(relative);
}

Result<FileDescriptor> open_beneath(const Path& folder, std::string_view relative) {
  ICECORE_ASSIGN(FileDescriptor here, open_file(folder, O_RDONLY | O_DIRECTORY));
  const std::vector<std::string_view> parts = split(relative, '/');
  Path path = folder;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    path /= parts[i];
    // O_NONBLOCK: opening a fifo must not wait for its other end.
    const int flags = i + 1 < parts.size() ? O_RDONLY | O_DIRECTORY : O_RDONLY | O_NONBLOCK | O_NOCTTY;
    ICECORE_ASSIGN(here, open_part(here.get(), std::string(parts[i]), flags, path));
  }
  struct stat status {};
  if (::fstat(here.get(), &status) != 0) return errno_failure(errno, "look at", path);
  if (!S_ISREG(status.st_mode)) return link_or_file(path);
  return here;
}

Result<void> make_parents(const Path& folder, std::string_view relative) {
  ICECORE_ASSIGN(FileDescriptor here, open_file(folder, O_RDONLY | O_DIRECTORY));
  std::vector<std::string_view> parts = split(relative, '/');
  parts.pop_back();
  Path path = folder;
  for (const std::string_view part : parts) {
    path /= part;
    const std::string name(part);
    if (::mkdirat(here.get(), name.c_str(), 0700) != 0 && errno != EEXIST) return errno_failure(errno, "make the folder", path);
    ICECORE_ASSIGN(here, open_part(here.get(), name, O_RDONLY | O_DIRECTORY, path));
  }
  return {};
}

}  // namespace icecore::evidence
