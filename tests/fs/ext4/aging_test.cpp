// Filesystems that were worked on for a while (created, appended, renamed, linked, punched, removed, over and over) and whose disk was taken in the
// middle of it, against the kernel's mounts of the same image.
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

Listing kernels_view(const std::filesystem::path& image, const ScratchFolder& scratch, const char* options) {
  const LoopMount mount(image, scratch / "view", options);
  EXPECT_TRUE(mount.mounted());
  return kernel_listing(mount.path());
}

/// Returns false where recovery changed nothing.
bool both_views_agree(const std::filesystem::path& image, const ScratchFolder& scratch) {
  const Listing as_on_disk = kernels_view(image, scratch, "ro,noload,noatime");
  Anomalies anomalies;
  const auto on_disk = open_image(image, fs::JournalView::kAsOnDisk, anomalies);
  const auto recovered = open_image(image, fs::JournalView::kRecovered, anomalies);
  EXPECT_TRUE(on_disk != nullptr && recovered != nullptr);
  if (!on_disk || !recovered) return false;
  EXPECT_EQ(difference(as_on_disk, walk_listing(*on_disk)), "");
  const Listing ours = sweep_listing(*recovered), walked = walk_listing(*recovered);
  EXPECT_EQ(text_of(anomalies), "");
  const auto replayed = scratch / "replayed";  // the kernel writes to what it recovers
  run_ok(fmt::format("cp --sparse=always '{}' '{}'", image.string(), replayed.string()));
  const Listing kernels = kernels_view(replayed, scratch, "rw,noatime");
  EXPECT_EQ(difference(kernels, ours), "");
  EXPECT_EQ(difference(kernels, walked), "");
  return kernels != as_on_disk;
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
  EXPECT_TRUE(both_views_agree(image, scratch)) << "the journal holds nothing that the disk does not";
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
  EXPECT_TRUE(both_views_agree(copy, scratch));
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
