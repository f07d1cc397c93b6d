// A recovered view of a filesystem that lies on several disks.
#include "fs/ext4/journal_overlay.h"

#include <gtest/gtest.h>

#include "fs/xfs/overlay.h"
#include "image/memory_source.h"
#include "support/support.h"
#include "volume/map_source.h"

namespace icecore::fs::ext4 {
namespace {

constexpr std::uint64_t kBlock = 1024;

struct TwoDisks {
  image::SourcePtr first, second, volume;
  TwoDisks() {
    Bytes one(8 * kBlock), two(8 * kBlock);
    for (std::size_t i = 0; i < one.size(); ++i) {
      one[i] = static_cast<std::byte>(i / kBlock + 1);
      two[i] = static_cast<std::byte>(i / kBlock + 101);
    }
    first = std::make_shared<image::MemorySource>(one, "one");
    second = std::make_shared<image::MemorySource>(two, "two");
    using Run = volume::MapRun;
    volume = std::make_shared<volume::MapSource>(
        std::vector<Run>{{0, 4 * kBlock, {{first, 2 * kBlock, ""}}, 0, 0}, {4 * kBlock, 4 * kBlock, {{second, kBlock, ""}}, 0, 0}}, "volume");
  }
};

// Whoever looks at the disk that is named, at the place that is named, finds the byte that was read.
TEST(JournalOverlay, NamesTheDiskOnWhichTheNewestBytesLie) {
  const TwoDisks disks;
  const JournalOverlay overlay(disks.volume, kBlock, {{1, 6 * kBlock, false}, {5, 2 * kBlock, false}});
  for (std::uint64_t block = 0; block < 8; ++block) {
    SCOPED_TRACE(block);
    Bytes here(kBlock), there(kBlock);
    const std::uint64_t at = block * kBlock;
    ICECORE_ASSERT_OK(overlay.read(at, here));
    const image::BlockSource* const disk = overlay.disk_at(at + 5);
    ASSERT_TRUE(disk == disks.first.get() || disk == disks.second.get());
    EXPECT_EQ(disk == disks.second.get(), block == 1 || (block >= 4 && block != 5));
    ICECORE_ASSERT_OK(disk->read(overlay.image_offset(at), there));
    EXPECT_EQ(here, there);
  }
}

TEST(XfsOverlay, NamesTheDiskUnderIt) {
  const TwoDisks disks;
  xfs::Overlay overlay(disks.volume, 100);
  ICECORE_ASSERT_OK(overlay.write(5 * kBlock, Bytes(kBlock, std::byte{0xff})));
  const image::SourcePtr source = overlay.finish();
  EXPECT_EQ(source->disk_at(0), disks.first.get());
  EXPECT_EQ(source->disk_at(5 * kBlock), disks.second.get());
  EXPECT_EQ(source->disk_at(7 * kBlock), disks.second.get());
}

}  // namespace
}  // namespace icecore::fs::ext4
