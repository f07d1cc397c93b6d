// Metadata of thin pools: blocks of 4 KiB whose checksums and own numbers are put right, so that the trees behind them are reached.
#include <cstring>

#include "core/hash.h"
#include "image/memory_source.h"
#include "volume/thin.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace icecore;
  constexpr std::size_t kBlock = 4096;
  Bytes metadata(std::min<std::size_t>(size, 64 * kBlock) / kBlock * kBlock);
  if (metadata.empty()) return 0;
  std::memcpy(metadata.data(), data, metadata.size());
  for (std::size_t at = 0; at < metadata.size(); at += kBlock) {
    const std::uint64_t number = at / kBlock;
    std::memcpy(metadata.data() + at + 8, &number, 8);
    const std::uint32_t sum = crc32c(~std::uint32_t{0}, ByteView(metadata).subspan(at + 4, kBlock - 4)) ^ (at == 0 ? 160774U : 121107U);
    std::memcpy(metadata.data() + at, &sum, 4);
  }
  const volume::ThinPool pool{std::make_shared<image::MemorySource>(std::move(metadata), "fuzz"),
                              std::make_shared<image::MemorySource>(Bytes(1 << 20), "data")};
  for (const std::uint64_t device : {1U, 2U}) {
    const auto source = volume::open_thin(pool, device, 4 << 20, nullptr, "thin");
    if (!source) continue;
    Bytes buffer(4 << 20);
    (void)(*source)->read(0, buffer);
  }
  return 0;
}
