// Fast commits: what the kernel makes of them when it mounts the image is what we show without mounting.
#include <fmt/format.h>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "fs/ext4/ext4_support.h"

namespace icecore::test::ext4 {
namespace {

// fsync of a file makes a fast commit where the changes are simple enough; a full commit makes the earlier ones void.
constexpr const char* kActs = R"(
import os
def commit(path):
    handle = os.open(path, os.O_RDONLY); os.fsync(handle); os.close(handle)
os.mkdir("full"); [open(f"full/{i:03}", "w").write("before" * i) for i in range(80)]; open("grows", "w").write("a" * 5000); os.link("full/001", "linked")
for name in ("full/002", "full/003"): open(name, "w").write("x" * 9000)
os.sync()
os.rename("full/010", "full/renamed"); os.unlink("full/011"); os.link("full/012", "full/hard"); os.unlink("linked")
open("new", "wb").write(os.urandom(70000)); os.chmod("new", 0o640); os.chown("new", 12, 34); commit("new")
open("grows", "a").write("b" * 40000); commit("grows")
os.truncate("full/002", 4096); commit("full/002")
handle = open("scattered", "wb")
for i in range(40): handle.seek(i * 8192); handle.write(b"piece %04d" % i)
handle.flush(); os.fsync(handle.fileno())
for i in range(200): open(f"full/many-{i:03}-{'n' * 40}", "w").write("m" * i)
commit("full/many-199-" + "n" * 40)
os.mkdir("folder"); open("folder/inner", "w").write("inside"); commit("folder/inner")
os.unlink("full/020"); open("again", "w").write("again"); commit("again")
)";

// The kernel's replay gives folders that it puts names into the time of the mount, and new ones one link: neither was so when the disk was copied.
Listing without_replays_marks(Listing listing) {
  for (auto& [path, line] : listing) {
    std::istringstream words(line);
    std::string kept, word;
    for (int i = 0; words >> word; ++i) {
      if (i == 1 && !word.starts_with("4")) break;
      if (i != 4 && i != 7 && i != 8) kept += word + ' ';
    }
    if (kept.find(' ') != kept.rfind(' ')) line = kept;
  }
  return listing;
}

class FastCommit : public testing::TestWithParam<std::string> {};

TEST_P(FastCommit, IsReplayedAsTheKernelDoes) {
  const ScratchFolder scratch;
  const auto image = scratch / "image", copy = scratch / "copy", kernels = scratch / "kernels", script = scratch / "acts.py";
  make_image(image, 64, GetParam());
  std::ofstream(script) << kActs;
  {
    const LoopMount mount(image, scratch / "mnt", "rw");
    ASSERT_TRUE(mount.mounted());
    run_ok(fmt::format("cd '{}' && python3 '{}'", mount.path().string(), script.string()));
    const std::string device = mount.device().substr(mount.device().rfind('/') + 1);
    EXPECT_NE(run_ok(fmt::format("sed -n 2p /proc/fs/ext4/{}/fc_info", device)), "0 commits\n") << "the kernel made no fast commit";
    run_ok(fmt::format("cp --sparse=always '{0}' '{1}' && cp --sparse=always '{0}' '{2}'", image.string(), copy.string(), kernels.string()));
  }
  Listing expected;
  {
    const LoopMount mount(kernels, scratch / "mnt", "rw,noatime");  // recovers; a read-only device would be refused
    ASSERT_TRUE(mount.mounted());
    expected = without_replays_marks(kernel_listing(mount.path()));
  }
  Anomalies anomalies;
  const auto filesystem = open_image(copy, fs::JournalView::kRecovered, anomalies);
  ASSERT_NE(filesystem, nullptr);
  EXPECT_TRUE(filesystem->info().journal_replayed);
  EXPECT_EQ(difference(expected, without_replays_marks(sweep_listing(*filesystem))), "");
  EXPECT_EQ(difference(expected, without_replays_marks(walk_listing(*filesystem))), "");
  EXPECT_EQ(text_of(anomalies), "");
  EXPECT_TRUE(expected.contains("/folder/inner") && expected.contains("/again") && !expected.contains("/full/020"))
      << "the image lacks its last acts";
}

INSTANTIATE_TEST_SUITE_P(Mkfs, FastCommit,
                         testing::Values("mkfs.ext4 -q -O fast_commit", "mkfs.ext4 -q -b 1024 -O fast_commit",
                                         "mkfs.ext4 -q -O fast_commit,^metadata_csum"),
                         [](const auto& variant) { return "Layout" + std::to_string(variant.index); });

TEST(FastCommitArea, DamagedRecordsAreLeftOut) {
  const ScratchFolder scratch;
  const auto image = scratch / "image", copy = scratch / "copy";
  make_image(image, 64, "mkfs.ext4 -q -O fast_commit");
  {
    const LoopMount mount(image, scratch / "mnt", "rw");
    ASSERT_TRUE(mount.mounted());
    run_ok(fmt::format(
        "cd '{0}' && echo a > a && sync -f . && echo UNIQUE-NAME > UNIQUE-NAME && python3 -c 'import os; os.fsync(os.open(\"UNIQUE-NAME\", 0))' && "
        "cp --sparse=always '{1}' '{2}'",
        mount.path().string(), image.string(), copy.string()));
  }
  // The name in its record becomes another, and the checksum of the record does not fit any more.
  run_ok(fmt::format("sed -i 's/UNIQUE-NAME/VNIQUE-NAME/g' '{}'", copy.string()));
  Anomalies anomalies;
  const auto filesystem = open_image(copy, fs::JournalView::kRecovered, anomalies);
  ASSERT_NE(filesystem, nullptr);
  const auto entries = filesystem->list(2);
  ICECORE_ASSERT_OK(entries);
  for (const fs::DirectoryEntry& entry : *entries) EXPECT_EQ(entry.name.find("NIQUE"), std::string::npos);
}

}  // namespace
}  // namespace icecore::test::ext4
