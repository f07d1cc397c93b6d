// Metadata of thin pools: blocks of 4 KiB whose checksums and own numbers are put right, so that the trees behind them are reached.
#include <cstring>

#include "core/hash.h"
#include "disk.h"
#include "volume/thin.h"

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  using namespace icecore;
  constexpr std::size_t kBlock = 4096;
  const auto disk = fuzz::disk_of(fuzz::view_of(data, std::min<std::size_t>(size, 64 * kBlock) / kBlock * kBlock));
  const std::span<std::byte> metadata = disk->bytes();
  if (metadata.empty()) return;
  for (std::size_t at = 0; at < metadata.size(); at += kBlock) {
    const std::uint64_t number = at / kBlock;
    std::memcpy(metadata.data() + at + 8, &number, 8);
    const std::uint32_t sum = crc32c(~std::uint32_t{0}, ByteView(metadata).subspan(at + 4, kBlock - 4)) ^ (at == 0 ? 160774U : 121107U);
    std::memcpy(metadata.data() + at, &sum, 4);
  }
  const volume::ThinPool pool{disk, fuzz::empty_disk(1 << 20)};
  for (const std::uint64_t device : {1U, 2U}) {
    const auto source = volume::open_thin(pool, device, 4 << 20, nullptr, "thin");
    if (!source) continue;
    Bytes buffer(64 << 10);
    for (std::uint64_t at = 0; at < (*source)->size(); at += buffer.size()) (void)(*source)->read(at, buffer);
  }
}
