// What is looked at before libtsk may read an APFS container. An input is the container's size in bytes (u64), then pieces: offset (u64), length
// (u32), bytes; all little-endian. Every block gets the checksum it needs, or no change to one would come past it. Seeds: fuzz/make_apfs_seed.
#include <algorithm>
#include <array>
#include <map>

#include "budget.h"
#include "core/bytes.h"
#include "fs/tsk/apfs_check.h"

namespace {

using namespace icecore;

constexpr std::size_t kBlock = 4096;
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 40;
using Block = std::array<std::byte, kBlock>;

class Container final : public image::BlockSource {
 public:
  explicit Container(ByteView input) : size_(std::min(load_le<std::uint64_t>(input, 0), kMostBytes)) {
    const fuzz::NotCounted own;
    for (std::size_t at = 8; input.size() - at > 12;) {
      const auto offset = load_le<std::uint64_t>(input, at);
      const std::size_t length = std::min<std::size_t>(load_le<std::uint32_t>(input, at + 8), input.size() - at - 12);
      put(offset, input.subspan(at + 12, length));
      at += 12 + length;
    }
    for (auto& [number, block] : blocks_) seal(block);
  }
  ~Container() override {
    const fuzz::NotCounted own;
    blocks_.clear();
  }

  std::uint64_t size() const override { return size_; }
  std::string name() const override { return "fuzz"; }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
    ICECORE_CHECK(image::check_range(offset, out.size(), size_, name()));
    fuzz::count_read(out.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
      const auto block = blocks_.find((offset + i) / kBlock);
      out[i] = block == blocks_.end() ? std::byte{0} : block->second[(offset + i) % kBlock];
    }
    return {};
  }

 private:
  void put(std::uint64_t offset, ByteView bytes) {
    if (offset >= size_) return;
    bytes = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), size_ - offset)));
    for (std::size_t i = 0; i < bytes.size(); ++i) blocks_[(offset + i) / kBlock][(offset + i) % kBlock] = bytes[i];
  }

  static void seal(Block& block) {  // Fletcher's checksum, as the Apple File System Reference has it
    std::uint64_t low = 0, high = 0;
    for (std::size_t at = 8; at < kBlock; at += 4) {
      low = (low + load_le<std::uint32_t>(block, at)) % UINT32_MAX;
      high = (high + low) % UINT32_MAX;
    }
    const std::uint64_t first = UINT32_MAX - (low + high) % UINT32_MAX, second = UINT32_MAX - (low + first) % UINT32_MAX;
    for (std::size_t i = 0; i < 8; ++i) block[i] = static_cast<std::byte>((second << 32 | first) >> (8 * i));
  }

  const std::uint64_t size_;
  std::map<std::uint64_t, Block> blocks_;
};

}  // namespace

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  const ByteView input = std::as_bytes(std::span(data, size));
  if (input.size() < 8) return;
  (void)fs::tsk::check_apfs(Container(input)).has_value();
}
