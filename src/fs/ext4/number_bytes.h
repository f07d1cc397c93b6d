// Numbers as they lie on the disk: ext4 mixes a block's or its owner's into a checksum, to bind the block to its place.
#pragma once

#include <array>

#include "core/bytes.h"

namespace icecore::fs::ext4 {

/// Little-endian.
template <typename Number>
std::array<std::byte, sizeof(Number)> number_bytes(Number number) {
  std::array<std::byte, sizeof(Number)> bytes{};
  store_le<Number>(bytes, 0, number);
  return bytes;
}

}  // namespace icecore::fs::ext4
