// Both views of a filesystem whose journal was not empty, against the kernel: mounted with recovery, and with noload.
#include <fmt/format.h>

#include "fs/ext4/ext4_support.h"

namespace icecore::test::ext4 {
namespace {

struct Case {
  std::string name, mkfs, mount;
};

// A backing file copied while mounted: base files checkpointed, then work, then one fsync (which commits the journal and writes nothing back).
// False where it changed under the copying hand.
bool make_dirty_image(const ScratchFolder& scratch, const Case& how, const std::filesystem::path& copy) {
  const auto image = scratch / "image";
  make_image(image, 96, how.mkfs);
  const LoopMount mount(image, scratch / "mnt", how.mount);
  EXPECT_TRUE(mount.mounted());
  run_ok(fmt::format(R"(set -e; cd '{0}'
mkdir base later; for i in $(seq 300); do echo base $i > base/$i; done
cd /; umount '{0}'; mount -o {3} {4} '{0}'; cd '{0}'
for i in $(seq 400); do echo new $i > later/$i; done
for i in $(seq 50); do rm base/$i; done
for i in $(seq 51 70); do mv base/$i later/moved-$i; done
for i in $(seq 71 90); do echo appended >> base/$i; done
mkdir later/deep later/gone; for i in $(seq 30); do : > later/gone/$i; done; rm -r later/gone
ln -s /somewhere/far/away later/link; setfattr -n user.late -v value base/100; chmod 4755 base/101; touch -d '2013-01-02 03:04:05.123456789' base/102
python3 - <<'PY'
import os
# A block that begins like a journal block, twice: in journalled data it must be escaped.
with open("later/magic", "wb") as f: f.write(b"\xc0\x3b\x39\x98" + b"m" * 5000)
f = os.open("base/100", os.O_RDONLY); os.fsync(f)
PY
: > later/after-sync; echo more > later/after-sync-2; rm base/200 # a second transaction
python3 -c 'import os; f = os.open("base/103", os.O_WRONLY | os.O_APPEND); os.write(f, b"last"); os.fsync(f)'
cp --sparse=always '{1}' '{2}')",
                     mount.path().string(), image.string(), copy.string(), how.mount, mount.device()));
  return run(fmt::format("cmp '{}' '{}'", image.string(), copy.string())).exit_code == 0;
}

/// The kernel's two views of `copy`: without recovery, and with it.
struct KernelViews {
  Listing as_on_disk, recovered;
};

KernelViews kernel_views(const ScratchFolder& scratch, const std::filesystem::path& copy) {
  KernelViews views;
  {
    const LoopMount mount(copy, scratch / "noload", "ro,noload,noatime");
    views.as_on_disk = kernel_listing(mount.path());
  }
  const auto replayed = scratch / "replayed";
  run_ok(fmt::format("cp --sparse=always {} {}", copy.string(), replayed.string()));
  const LoopMount mount(replayed, scratch / "recovered", "ro,noatime");
  views.recovered = kernel_listing(mount.path());
  return views;
}

class Journal : public testing::TestWithParam<Case> {};

TEST_P(Journal, BothViewsAreTheKernels) {
  const ScratchFolder scratch;
  const auto copy = scratch / "copy";
  KernelViews kernel;
  ASSERT_TRUE(until_undisturbed([&] {
    if (!make_dirty_image(scratch, GetParam(), copy)) return false;
    kernel = kernel_views(scratch, copy);
    return kernel.recovered.size() > 650 && !difference(kernel.as_on_disk, kernel.recovered).empty();
  })) << "the image should have two views";
  ASSERT_NE(run_ok(fmt::format("dumpe2fs -h {} 2>/dev/null | grep features", copy.string())).find("needs_recovery"), std::string::npos);

  Anomalies recovered_anomalies, disk_anomalies;
  const auto recovered = open_image(copy, fs::JournalView::kRecovered, recovered_anomalies);
  const auto on_disk = open_image(copy, fs::JournalView::kAsOnDisk, disk_anomalies);
  ASSERT_NE(recovered, nullptr);
  ASSERT_NE(on_disk, nullptr);
  EXPECT_TRUE(recovered->info().journal_replayed);
  EXPECT_FALSE(on_disk->info().journal_replayed);
  EXPECT_EQ(text_of(recovered_anomalies), "");

  EXPECT_EQ(difference(kernel.as_on_disk, sweep_listing(*on_disk)), "");
  EXPECT_EQ(difference(kernel.recovered, sweep_listing(*recovered)), "");
  EXPECT_EQ(difference(kernel.recovered, walk_listing(*recovered)), "");
}

INSTANTIATE_TEST_SUITE_P(
    Formats, Journal,
    testing::Values(Case{"ChecksumV3", "mkfs.ext4 -q", "rw"}, Case{"NoChecksums32Bit", "mkfs.ext4 -q -b 1024 -O ^metadata_csum,^64bit -N 4000", "rw"},
                    Case{"OldChecksum", "mkfs.ext4 -q -O ^metadata_csum", "rw,journal_checksum"}, Case{"Ext3", "mkfs.ext3 -q -b 4096", "rw"},
                    Case{"DataJournalled", "mkfs.ext4 -q -b 1024 -N 4000", "rw,data=journal"}, Case{"Wrapped", "mkfs.ext4 -q -J size=4", "rw"}),
    [](const auto& how) { return how.param.name; });

// A small journal used many times over, so that its log wraps and holds what is left of older rounds.
TEST(JournalWrap, ManyRoundsThroughASmallLog) {
  const ScratchFolder scratch;
  const auto image = scratch / "image", copy = scratch / "copy";
  make_image(image, 64, "mkfs.ext4 -q -b 1024 -J size=1 -N 8000");
  {
    const LoopMount mount(image, scratch / "mnt", "rw");
    ASSERT_TRUE(mount.mounted());
    run_ok(fmt::format(R"(python3 - <<'PY'
import os
root = "{}"
for round in range(40):
    os.mkdir(f"{{root}}/r{{round}}")
    for i in range(60):
        with open(f"{{root}}/r{{round}}/{{i}}", "w") as f: f.write("x" * i)
    if round > 3 and round % 3 == 0:
        for i in range(60): os.unlink(f"{{root}}/r{{round - 2}}/{{i}}")
        os.rmdir(f"{{root}}/r{{round - 2}}")
    f = os.open(f"{{root}}/r{{round}}/1", os.O_RDONLY); os.fsync(f); os.close(f)
PY
cp --sparse=always {} {})",
                       mount.path().string(), image.string(), copy.string()));
  }
  Anomalies anomalies;
  const auto ours = open_image(copy, fs::JournalView::kRecovered, anomalies);
  ASSERT_NE(ours, nullptr);
  EXPECT_TRUE(ours->info().journal_replayed);
  EXPECT_EQ(text_of(anomalies), "");
  const Listing listing = sweep_listing(*ours);
  const LoopMount mount(copy, scratch / "mnt2", "ro,noatime");
  EXPECT_EQ(difference(kernel_listing(mount.path()), listing), "");
}

// A file deleted while open: gone after recovery; still allocated in the view of the disk, as the bitmap and the orphan list say.
TEST(JournalOrphans, OpenFilesThatWereDeleted) {
  for (const char* mkfs : {"mkfs.ext4 -q", "mkfs.ext4 -q -O orphan_file"}) {
    const ScratchFolder scratch;
    const auto image = scratch / "image", copy = scratch / "copy";
    make_image(image, 64, mkfs);
    std::uint64_t inode = 0;
    {
      const LoopMount mount(image, scratch / "mnt", "rw");
      ASSERT_TRUE(mount.mounted());
      inode = std::stoull(run_ok(fmt::format(R"(python3 - <<'PY'
import os
os.chdir("{0}")
held = open("held", "w"); held.write("secret " * 1000); held.flush(); os.fsync(held.fileno())
print(os.stat("held").st_ino)
os.sync(); os.unlink("held"); os.sync()
os.system("sync -f .; fsfreeze -f . && cp --sparse=always {1} {2}; fsfreeze -u .")
PY)",
                                             mount.path().string(), image.string(), copy.string())));
    }
    Anomalies anomalies;
    const auto on_disk = open_image(copy, fs::JournalView::kAsOnDisk, anomalies);
    const auto recovered = open_image(copy, fs::JournalView::kRecovered, anomalies);
    ASSERT_NE(on_disk, nullptr);
    ASSERT_NE(recovered, nullptr);
    EXPECT_EQ(text_of(anomalies), "");
    const auto held = on_disk->stat(inode);
    ICECORE_ASSERT_OK(held);
    EXPECT_TRUE(held->allocated) << mkfs;
    EXPECT_EQ(held->links, 0U);
    const auto gone = recovered->stat(inode);
    ICECORE_ASSERT_OK(gone);
    EXPECT_FALSE(gone->allocated);
    EXPECT_FALSE(gone->deleted.has_value()) << "the chain to the next orphan is no deletion time";
    if (std::string(mkfs).find("orphan_file") == std::string::npos) continue;
    // An entry of the file that nobody uses: the checksum does not fit any more, what is in use is still read.
    run_ok(fmt::format(R"(python3 - <<'PY'
import struct, subprocess
with open("{0}", "r+b") as image:
    image.seek(1024 + 0x280)
    file, = struct.unpack("<I", image.read(4))
    image.seek(1024 + 0x18)
    size = 1024 << struct.unpack("<I", image.read(4))[0]
    block = int(subprocess.run(["debugfs", "-R", f"blocks <{{file}}>", "{0}"], capture_output=True, text=True).stdout.split()[0])
    image.seek((block + 1) * size - 100)
    image.write(b"\0\0\0\0")
    image.seek((block + 1) * size - 4)
    image.write(b"none")
PY)",
                       copy.string()));
    const auto damaged = open_image(copy, fs::JournalView::kAsOnDisk, anomalies);
    ASSERT_NE(damaged, nullptr);
    EXPECT_NE(text_of(anomalies).find("checksum of a block of the orphan file is wrong"), std::string::npos) << text_of(anomalies);
    EXPECT_TRUE(damaged->stat(inode).value().allocated);
  }
}

}  // namespace
}  // namespace icecore::test::ext4
