#include "image/bitmap.h"

#include <bit>

namespace icecore::image {

bool Bitmap::set(std::uint64_t bit) {
  const bool was_clear = !test(bit);
  words_[bit / 64] |= std::uint64_t{1} << (bit % 64);
  return was_clear;
}

void Bitmap::set_range(std::uint64_t first, std::uint64_t end) {
  while (first < end && first % 64 != 0) set(first++);
  for (; first + 64 <= end; first += 64) words_[first / 64] = ~std::uint64_t{0};
  while (first < end) set(first++);
}

std::uint64_t Bitmap::count() const {
  std::uint64_t bits = 0;
  for (const std::uint64_t word : words_) bits += static_cast<std::uint64_t>(std::popcount(word));
  return bits;
}

}  // namespace icecore::image
