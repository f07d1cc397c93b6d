// A disk on which thousands of deleted files claim the same fragmented stretch: each is cheap to write and dear to judge.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "fs/ext4/ext4_support.h"

namespace icecore::test::ext4 {
namespace {

// Every second block of four groups is in use, and 4000 free inodes map all of them with one extent. The first file gets a piece a block; the others
// have no piece that is free, but the same 16384 blocks in use are looked at for each.
TEST(DeletedBounds, OverlappingExtentsOfDeletedFilesEndTheJudging) {
  const ScratchFolder scratch;
  const auto image = scratch / "image";
  make_image(image, 96, "mkfs.ext4 -q -b 1024 -N 8192 -O ^metadata_csum,^uninit_bg,^has_journal,^64bit,^flex_bg -E lazy_itable_init=0");
  run_ok(fmt::format(R"(python3 - '{}' <<'END'
import struct, sys
with open(sys.argv[1], "r+b") as disk:
    disk.seek(1024); sb = disk.read(1024)
    per_group, = struct.unpack_from("<I", sb, 40); inode_size, = struct.unpack_from("<H", sb, 88)
    assert struct.unpack_from("<I", sb, 32)[0] == 8192
    groups = []
    disk.seek(2048); table = disk.read(12 * 32)
    groups = [struct.unpack_from("<III", table, 32 * i) for i in range(12)]
    for group in range(4, 8):
        disk.seek(groups[group][0] * 1024); disk.write(b"\x55" * 1024)
    record = bytearray(inode_size)
    struct.pack_into("<HHIIIII", record, 0, 0o100644, 0, 32768 * 1024, 1700000000, 1700000000, 1700000000, 1700000000)
    struct.pack_into("<I", record, 32, 0x80000)
    struct.pack_into("<HHHHI", record, 40, 0xF30A, 1, 4, 0, 0)
    struct.pack_into("<IHHI", record, 52, 0, 32768, 0, 1 + 4 * 8192)
    left = 4000
    for group in range(8):
        for i in range(16, per_group):
            if left == 0: break
            disk.seek(groups[group][2] * 1024 + i * inode_size); disk.write(record); left -= 1
    assert left == 0
END)",
                     image.string()));
  Anomalies anomalies;
  const auto filesystem = open_image(image, fs::JournalView::kRecovered, anomalies);
  ASSERT_NE(filesystem, nullptr);
  const auto table = filesystem->sweep({true}, anomalies, no_progress());
  ICECORE_ASSERT_OK(table);
  const auto deleted = filesystem->deleted_files(*table, fs::PathIndex(*table), anomalies, no_progress());
  ICECORE_ASSERT_OK(deleted);
  EXPECT_GE(deleted->files.size(), 4000U);
  EXPECT_THAT(text_of(anomalies), testing::HasSubstr("ext4.deleted"));
}

}  // namespace
}  // namespace icecore::test::ext4
