#include "mount/read_ahead.h"

#include <gtest/gtest.h>

namespace icecore::mount {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kRead = 128 << 10;

TEST(ReadPatternTest, AReaderInOrderIsMetByAWindowThatGrowsWithIt) {
  ReadPattern pattern;
  std::uint64_t fetched = 0;
  for (std::uint64_t offset = 0; offset < 256 * kMiB; offset += kRead) {
    if (const auto range = pattern.on_read(offset, kRead, 256 * kMiB)) {
      EXPECT_EQ(range->offset, std::max(fetched, offset + kRead)) << "no byte is announced twice";
      fetched = range->offset + range->length;
      EXPECT_LE(fetched, std::min(2 * (offset + kRead), 256 * kMiB)) << "never more ahead than was read";
    }
    if (offset > 4 * kMiB && offset < 200 * kMiB) {
      EXPECT_GT(fetched, offset + kRead) << "the reader is never alone";
    }
  }
  EXPECT_EQ(fetched, 256 * kMiB);
}

TEST(ReadPatternTest, SmallAndScatteredReadsFetchNothingAhead) {
  ReadPattern pattern;
  for (std::uint64_t i = 0; i < 1000; ++i) EXPECT_FALSE(pattern.on_read((i * 7919 % 1000) * 8 * kMiB, 4096, 8000 * kMiB));
  for (std::uint64_t i = 0; i < 8; ++i) EXPECT_FALSE(pattern.on_read(100 * kMiB + i * 65536, 65536, 8000 * kMiB));
}

TEST(ReadPatternTest, TheKernelsReadsOutOfOrderAreStillInOrder) {
  ReadPattern pattern;
  bool announced = false;
  for (std::uint64_t pair = 0; pair < 32; ++pair) {
    announced |= pattern.on_read((2 * pair + 1) * kRead, kRead, 64 * kMiB).has_value();
    announced |= pattern.on_read(2 * pair * kRead, kRead, 64 * kMiB).has_value();
  }
  EXPECT_TRUE(announced);
}

}  // namespace
}  // namespace icecore::mount
