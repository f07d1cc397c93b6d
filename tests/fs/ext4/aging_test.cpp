// Filesystems that were worked on for a while (created, appended, renamed, linked, punched, removed, over and over) and whose disk was taken in the
// middle of it, against the kernel's mount of the same image.
#include <fmt/format.h>

#include "fs/ext4/ext4_support.h"

namespace icecore::test::ext4 {
namespace {

struct Age {
  std::string name, mkfs;
  unsigned seed = 0, acts = 0, rounds = 1;
};

class Aging : public testing::TestWithParam<Age> {};

void work(const LoopMount& mount, unsigned seed, unsigned acts, bool crash) {
  run_ok(fmt::format("{}python3 '{}' '{}' {} {}", crash ? "CRASH=1 " : "", data_file("churn.py").string(), mount.path().string(), seed, acts));
}

/// The view of the disk itself is torn here, for the kernel too: it is in journal_test. Returns false where recovery changed nothing.
bool agrees(const std::filesystem::path& image, const ScratchFolder& scratch) {
  Anomalies anomalies;
  const auto recovered = open_image(image, fs::JournalView::kRecovered, anomalies);
  EXPECT_NE(recovered, nullptr);
  if (!recovered) return false;
  const Listing swept = sweep_listing(*recovered), walked = walk_listing(*recovered);
  EXPECT_EQ(text_of(anomalies), "");
  const LoopMount mount(image, scratch / "mnt", "rw,noatime");  // recovers
  EXPECT_TRUE(mount.mounted());
  const Listing kernels = kernel_listing(mount.path());
  EXPECT_EQ(difference(kernels, swept), "");
  EXPECT_EQ(difference(kernels, walked), "");
  return recovered->info().journal_replayed;
}

TEST_P(Aging, AgreesWithTheKernelAfterACrash) {
  const ScratchFolder scratch;
  const auto image = scratch / "image";
  make_image(image, 256, GetParam().mkfs);
  for (unsigned round = 0; round < GetParam().rounds; ++round) {
    const LoopMount mount(image, scratch / "mnt", "rw,noatime");
    ASSERT_TRUE(mount.mounted());
    work(mount, GetParam().seed + round, GetParam().acts, true);
  }
  EXPECT_TRUE(agrees(image, scratch)) << "the journal holds nothing that the disk does not";
}

// As a snapshot of a running machine has it. The copy counts only where nothing was written back while it was made.
TEST_P(Aging, AgreesWithTheKernelOnACopyMadeWhileMounted) {
  const ScratchFolder scratch;
  const auto image = scratch / "image", copy = scratch / "copy";
  make_image(image, 256, GetParam().mkfs);
  {
    const LoopMount mount(image, scratch / "mnt", "rw,noatime");
    ASSERT_TRUE(mount.mounted());
    bool still = false;
    for (unsigned attempt = 0; attempt < 5 && !still; ++attempt) {
      work(mount, GetParam().seed + attempt, GetParam().acts, false);
      run_ok(fmt::format("cp --sparse=always '{}' '{}'", image.string(), copy.string()));
      still = run(fmt::format("cmp '{}' '{}'", image.string(), copy.string())).exit_code == 0;
    }
    ASSERT_TRUE(still);
  }
  EXPECT_TRUE(agrees(copy, scratch));
}

INSTANTIATE_TEST_SUITE_P(Layouts, Aging,
                         testing::Values(Age{"today", "mkfs.ext4 -q", 1, 1500, 3}, Age{"short", "mkfs.ext4 -q", 10, 40, 1},
                                         Age{"small_blocks", "mkfs.ext4 -q -b 1024 -N 8000", 20, 1200, 2},
                                         Age{"ext3", "mkfs.ext3 -q -b 2048 -N 8000", 30, 800, 2},
                                         Age{"bigalloc_inline", "mkfs.ext4 -q -O bigalloc,inline_data,ea_inode -C 16384", 40, 800, 2},
                                         Age{"no_checksums", "mkfs.ext4 -q -O ^metadata_csum,^64bit -N 8000", 50, 800, 1}),
                         [](const auto& variant) { return variant.param.name; });

}  // namespace
}  // namespace icecore::test::ext4
