#include "image/block_source.h"

#include <fmt/format.h>

namespace icecore::image {

Result<void> check_range(std::uint64_t offset, std::uint64_t length, std::uint64_t size, const std::string& name) {
  if (offset <= size && length <= size - offset) return {};
  return fail(Code::kCorrupt, fmt::format("{} bytes at {} lie beyond the end ({} bytes)", length, offset, size), Location{name, offset});
}

}  // namespace icecore::image
