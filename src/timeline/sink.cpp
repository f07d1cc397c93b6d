#include "timeline/sink.h"

#include <unistd.h>
#include <cerrno>

namespace icecore::timeline {

Result<void> DescriptorSink::write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd_, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EPIPE) return fail(Code::kInterrupted, name_ + " was closed by its reader");
    if (count < 0) return errno_failure(errno, "write", name_);
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace icecore::timeline
