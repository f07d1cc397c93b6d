// LUKS headers, as far as they go without a key.
#include <cstring>

#include "disk.h"
#include "volume/luks.h"

// libcryptsetup looks for a second LUKS2 header at each size that the format has, up to 4 MiB, and keeps both.
const icecore::fuzz::Budget icecore::fuzz::kBudget{.base = 18 << 20};

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  using namespace icecore;
  const auto source = fuzz::empty_disk(std::max<std::size_t>(std::min<std::size_t>(size, 64 << 10), 32 << 10));
  std::memcpy(source->bytes().data(), data, std::min(size, source->bytes().size()));
  (void)volume::read_luks_header(*source);
  (void)volume::open_luks(source, {});
}
