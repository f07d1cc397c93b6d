// A disk on which thousands of deleted files claim the same fragmented stretch: each is cheap to write and dear to judge.
#include <gmock/gmock.h>

#include "fs/xfs/tree.h"
#include "fs/xfs/xfs.h"
#include "fs/xfs/xfs_image.h"

namespace icecore::fs::xfs::test {
namespace {

// Real files of a block each, every second one removed. Then each removed one's inode is made to map all of their stretch.
TEST(XfsDeletedBounds, OverlappingExtentsOfDeletedFilesEndTheJudging) {
  const icecore::test::ScratchFolder scratch;
  const Path image = scratch / "image";
  make_xfs(image, "");
  {
    const Mount mount(image, scratch / "mount", "noatime");
    ASSERT_TRUE(mount.ok()) << mount.message();
    run_ok(fmt::format(R"(python3 - '{}' <<'END'
import os, sys
os.mkdir(sys.argv[1] + "/d"); os.chdir(sys.argv[1] + "/d")
for i in range(16000):
    with open(str(i), "w") as file: file.write("x")
os.system("sync -f . && xfs_freeze -f .. && xfs_freeze -u ..")  # the inodes too reach their place, and keep there what they mapped
for i in range(0, 16000, 2): os.unlink(str(i))
END)",
                       mount.folder().string()));
  }
  run_ok(fmt::format("xfs_repair -L '{}' 2>&1", image.string()));  // an empty log: it would tell of better mappings than the inodes
  const std::string patched = run_ok(fmt::format(R"(python3 - '{}' <<'END'
import struct, sys
table = []
for byte in range(256):
    for _ in range(8): byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    table.append(byte)
def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data: crc = crc >> 8 ^ table[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF
def start_of(record):
    high, low = struct.unpack_from(">QQ", record, 176)
    return (high & 0x1FF) << 43 | low >> 21, low & 0x1FFFFF
free, starts = [], []
with open(sys.argv[1], "r+b") as disk:
    at = 0
    while chunk := disk.read(1 << 20):
        for i in range(0, len(chunk), 512):
            if chunk[i : i + 2] != b"IN": continue
            record, mode = chunk[i : i + 512], struct.unpack_from(">H", chunk, i + 2)[0]
            start, count = start_of(record)
            if count == 1 and mode & 0o170000 in (0, 0o100000): starts.append(start)
            if mode == 0 and count == 1: free.append((at + i, record))
        at += len(chunk)
    starts.sort()
    first, last = starts[0], starts[-1]
    assert last - first < 20000, (first, last)
    for offset, record in free:
        record = bytearray(record)
        struct.pack_into(">QQ", record, 176, first >> 43, (first & (1 << 43) - 1) << 21 | last - first + 1)
        struct.pack_into("<I", record, 100, 0)
        struct.pack_into("<I", record, 100, crc32c(record))
        disk.seek(offset); disk.write(record)
print(len(free))
END)",
                                                 image.string()));
  ASSERT_GT(std::stoul(patched), 7500U);
  Anomalies anomalies;
  const auto filesystem = xfs::open(open_image(image), {}, anomalies);
  ICECORE_ASSERT_OK(filesystem);
  const auto table = (*filesystem)->sweep({true}, anomalies, no_progress());
  ICECORE_ASSERT_OK(table);
  EXPECT_EQ(anomalies.count(), 0U);
  const auto deleted = (*filesystem)->deleted_files(*table, PathIndex(*table), anomalies, no_progress());
  ICECORE_ASSERT_OK(deleted);
  EXPECT_GT(deleted->files.size(), 7500U);
  ASSERT_EQ(anomalies.count(), 1U);
  EXPECT_EQ(anomalies.list().front().kind, "xfs.deleted");
}

}  // namespace
}  // namespace icecore::fs::xfs::test
