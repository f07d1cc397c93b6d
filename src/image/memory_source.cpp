#include "image/memory_source.h"

#include <algorithm>

namespace icecore::image {

Result<void> MemorySource::read(std::uint64_t offset, std::span<std::byte> out) const {
  ICECORE_CHECK(check_range(offset, out.size(), bytes_.size(), name_));
  std::ranges::copy(ByteView(bytes_).subspan(offset, out.size()), out.begin());
  return {};
}

}  // namespace icecore::image
