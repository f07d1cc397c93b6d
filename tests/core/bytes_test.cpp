// Stores beside loads, and what counts as nothing but zeros.
#include "core/bytes.h"

#include <gtest/gtest.h>
#include <array>

namespace icecore {
namespace {

// RFC 1700's example of network order; the other is the same number the other way round.
TEST(Bytes, AreStoredInTheOrderAskedForAndNowhereElse) {
  std::array<std::byte, 6> bytes{};
  store_be<std::uint32_t>(bytes, 1, 0x0A0B0C0D);
  EXPECT_EQ(as_text(bytes), std::string_view("\0\x0A\x0B\x0C\x0D\0", 6));
  EXPECT_EQ(load_be<std::uint32_t>(bytes, 1), 0x0A0B0C0DU);
  store_le<std::uint32_t>(bytes, 1, 0x0A0B0C0D);
  EXPECT_EQ(as_text(bytes), std::string_view("\0\x0D\x0C\x0B\x0A\0", 6));
  EXPECT_EQ(load_le<std::uint32_t>(bytes, 1), 0x0A0B0C0DU);
}

TEST(Bytes, AreAllZeroOnlyWhereEachOneIs) {
  Bytes bytes(4096);
  EXPECT_TRUE(is_all_zero({}));
  EXPECT_TRUE(is_all_zero(bytes));
  for (const std::size_t at : {std::size_t{0}, std::size_t{1}, std::size_t{2048}, std::size_t{4095}}) {
    bytes[at] = std::byte{1};
    EXPECT_FALSE(is_all_zero(bytes)) << at;
    EXPECT_EQ(is_all_zero(ByteView(bytes).first(1)), at != 0);
    bytes[at] = std::byte{0};
  }
}

}  // namespace
}  // namespace icecore
