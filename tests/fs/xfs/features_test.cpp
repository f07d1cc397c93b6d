// Features that mkfs.xfs alone does not bring about: chunks of inodes with holes (the space must be in pieces), parent pointers (mkfs.xfs of Debian
// 12 does not know them; the kernel writes them once the superblock asks for them).
#include <gtest/gtest.h>

#include "fs/xfs/agreement.h"
#include "fs/xfs/reader.h"
#include "fs/xfs/xfs_db.h"

namespace icecore::fs::xfs::test {
namespace {

// All space is taken, also what the kernel keeps for itself, then given back in pieces that hold half a chunk, wherever they begin, and never a whole
// one.
TEST(XfsFeatures, ChunksOfInodesWithHolesAreRead) {
  const icecore::test::ScratchFolder scratch;
  const Path image = scratch / "image";
  make_xfs(image, "-m reflink=0,finobt=0,inobtcount=0 -i sparse=1");
  {
    const Mount mount(image, scratch / "mount", "noatime");
    ASSERT_TRUE(mount.ok()) << mount.message();
    run_ok(fmt::format(
        "cd '{}' && mkdir d && xfs_io -x -c 'resblks 0' . && xfs_io -f -c \"falloc 0 $(($(stat -f -c %a .) - 100))b\" all && "
        "{{ dd if=/dev/zero of=rest bs=64k 2>&1 || true; }} && for i in $(seq 600); do echo fpunch $((i * 128))k 28k; done | xfs_io all && "
        "sync -f . && for i in $(seq 2500); do mknod d/node-$i p; done",
        mount.folder().string()));
  }
  std::size_t with_holes = 0;
  for (int group = 0; group < 4; ++group) {
    std::istringstream records(xfs_db(image, {fmt::format("agi {}", group), "addr root", "p recs"}));
    for (std::string line; std::getline(records, line);) {
      unsigned index = 0, start = 0, holes = 0;
      with_holes += std::sscanf(line.c_str(), "%u:[%u,%x", &index, &start, &holes) == 3 && holes != 0 ? 1U : 0U;
    }
  }
  ASSERT_GT(with_holes, 10U);
  const Tree expected = mounted_tree(image, scratch / "mount", "ro,norecovery");
  ASSERT_GT(expected.size(), 2500U);
  expect_tree(expected, image, "image");
}

// From the third group of a terabyte on, inode numbers have more than 32 bits, and short directories keep all of theirs in 64.
TEST(XfsFeatures, InodeNumbersBeyond32BitsAreRead) {
  const icecore::test::ScratchFolder scratch;
  const Path image = scratch / "image";
  make_xfs(image, "-l size=64m", 4 << 20);
  {
    const Mount mount(image, scratch / "mount", "noatime");
    ASSERT_TRUE(mount.ok()) << mount.message();
    run_ok(fmt::format(
        "cd '{}' && for i in $(seq 12); do mkdir d$i; echo $i > d$i/file; ln -s file d$i/link; mkdir -p d$i/short; ln d$i/file d$i/short/again; "
        "done; mkdir long; for i in $(seq 200); do ln d$((i % 12 + 1))/file long/name-of-it-$i; done",
        mount.folder().string()));
  }
  const Tree expected = mounted_tree(image, scratch / "mount", "ro,norecovery");
  const auto beyond = std::ranges::count_if(expected, [](const auto& item) { return std::stoull(item.second.status.substr(4)) >> 32 != 0; });
  ASSERT_GT(beyond, 20);
  expect_tree(expected, image, "image");
}

/// Sets incompatible features in the superblock of a filesystem that mkfs.xfs has just made.
void set_features(const Path& image, std::uint32_t features) {
  Bytes sector = *Reader{open_image(image), {}}.bytes(0, 512);
  store_be(std::span(sector), sb::kIncompatible, load_be<std::uint32_t>(sector, sb::kIncompatible) | features);
  store_le(std::span(sector), sb::kCrc, block_crc(sector, sb::kCrc));
  const Path file = image.string() + ".sector";
  ICECORE_ASSERT_OK(write_file_atomically(file, as_text(sector)));
  run_ok(fmt::format("dd if='{}' of='{}' conv=notrunc status=none", file.string(), image.string()));
}

// XFS_IOC_GETPARENTS (xfs_fs.h, Linux 6.10): the witness that the kernel has written one. The name after the first record's head.
std::string parent_pointer(const std::string& path) {
  return run_ok(fmt::format(R"(/usr/bin/python3 - '{}' <<'END'
import ctypes, fcntl, os, struct, sys
out = ctypes.create_string_buffer(4096)
call = bytearray(struct.pack("=16xHHIQQ", 0, 0, len(out), 0, ctypes.addressof(out)))
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0xC028583E, call)
print(ctypes.string_at(ctypes.addressof(out) + 32).decode(), end="")
END)",
                            path));
}

TEST(XfsFeatures, ParentPointersAreNoAttributes) {
  const icecore::test::ScratchFolder scratch;
  const Path image = scratch / "image";
  make_xfs(image, "-s size=512");
  set_features(image, sb::kIncompatibleParent | sb::kIncompatibleExchangeRange);
  {
    const Mount mount(image, scratch / "mount", "noatime");
    if (!mount.ok()) GTEST_SKIP() << "this kernel does not know parent pointers: " << mount.message();
    populate(mount.folder(), 7, 60, true);
    // Many names: the pointers of one file fill a leaf, and then a tree.
    run_ok(fmt::format("cd '{}' && echo x > linked && for i in $(seq 300); do ln linked short/another-name-of-it-$i; done", mount.folder().string()));
    EXPECT_EQ(parent_pointer(mount.folder().string() + "/fragmented"), "fragmented");
  }
  const Tree expected = mounted_tree(image, scratch / "mount", "ro,norecovery");
  ASSERT_GT(expected.size(), 2000U);
  expect_tree(expected, image, "image");
}

// The kernel logs them as attribute intents.
TEST(XfsFeatures, ParentPointersInTheLogAreRecovered) {
  const icecore::test::ScratchFolder scratch;
  const Path image = scratch / "image", recovered = scratch / "recovered";
  make_xfs(image, "-s size=512");
  set_features(image, sb::kIncompatibleParent);
  {
    const Mount mount(image, scratch / "mount", "noatime");
    if (!mount.ok()) GTEST_SKIP() << "this kernel does not know parent pointers: " << mount.message();
    run_ok(fmt::format("CRASH=1 python3 '{}' '{}' 5 800", icecore::test::data_file("churn.py").string(), mount.folder().string()));
  }
  copy_image(image, recovered);
  {
    const Mount mount(recovered, scratch / "mount", "noatime");
    ASSERT_TRUE(mount.ok()) << mount.message();
  }
  const Tree expected = mounted_tree(recovered, scratch / "mount", "ro,norecovery");
  EXPECT_NE(expected, mounted_tree(image, scratch / "mount", "ro,norecovery"));
  expect_tree(expected, image, "image");
}

}  // namespace
}  // namespace icecore::fs::xfs::test
