// FAT12, FAT16 and FAT32 filled by a guest's kernel; exFAT filled through FUSE. The kernel's view and fls are the oracles.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>

#include "fs/tsk/tsk_support.h"
#include "support/guest.h"

namespace icecore::fs::tsk::test {
namespace {

using icecore::test::ScratchFolder;

const Name* name_in(const FileTable& table, std::string_view text, bool deleted) {
  const auto found = std::ranges::find_if(table.names, [&](const Name& name) { return name.deleted == deleted && table.text_of(name) == text; });
  return found == table.names.end() ? nullptr : &*found;
}

void expect_deleted_content(const Filesystem& filesystem, const FileTable& table, std::string_view name, std::string_view content) {
  const Name* const found = name_in(table, name, true);
  ASSERT_NE(found, nullptr) << name;
  const FileInfo* const info = table.find(found->inode);
  ASSERT_NE(info, nullptr);
  EXPECT_FALSE(info->allocated);
  const auto text = read_file(filesystem, found->inode, 1 << 20);
  ICECORE_ASSERT_OK(text);
  EXPECT_EQ(*text, content);
}

void expect_agreement(const std::filesystem::path& image, const Tree& expected, const Compare& compare) {
  SCOPED_TRACE(image.filename().string());
  Anomalies anomalies;
  const auto filesystem = fs::open(source_of(image), {}, anomalies);
  ICECORE_ASSERT_OK(filesystem);
  ASSERT_GT(expected.size(), 70U);
  expect_same_tree(expected, our_tree(**filesystem), compare);
  const auto table = (*filesystem)->sweep({}, anomalies, no_progress());
  ICECORE_ASSERT_OK(table);
  std::set<std::string> paths;
  for (const auto& [path, node] : expected) paths.insert(path);
  EXPECT_EQ(swept(*table, false), paths);
  EXPECT_EQ(swept(*table, true), deleted_by_fls(image));
  EXPECT_THAT(swept(*table, true), testing::Contains("/a deleted file with a long name"));
  expect_deleted_content(**filesystem, *table, "a deleted file with a long name", run_ok("seq 1 9000"));
  // One cluster is known by the folder's entry; where the next ones were went with the chain, of which exFAT needs none for a file in one piece.
  const auto small = deleted_file(**filesystem, "/a long folder name with spaces/file number 33");
  ASSERT_TRUE(small);
  EXPECT_EQ(small->content, ContentState::kIntact);
  EXPECT_EQ(content_of(**filesystem, *small), "33\n");
  const auto large = deleted_file(**filesystem, "/a deleted file with a long name");
  ASSERT_TRUE(large);
  EXPECT_EQ(large->content, (*filesystem)->info().type == "exfat" ? ContentState::kIntact : ContentState::kUnknown);
  EXPECT_TRUE(content_of(**filesystem, *large) == run_ok("seq 1 9000"));
  for (const Anomaly& anomaly : anomalies.list()) ADD_FAILURE() << anomaly.kind << ": " << to_string(anomaly.error);
}

TEST(TskFat, IsAsTheKernelHasItAndDeletedNamesAsFls) {
  const ScratchFolder scratch;
  const auto fat12 = scratch / "fat12", fat16 = scratch / "fat16", fat32 = scratch / "fat32";
  run_ok(fmt::format("truncate -s 3M '{}' && mkfs.vfat -F 12 -n TWELVE -i 12345678 '{}'", fat12.string(), fat12.string()));
  run_ok(fmt::format("truncate -s 20M '{}' && mkfs.vfat -F 16 -n SIXTEEN -i 89abcdef '{}'", fat16.string(), fat16.string()));
  run_ok(fmt::format("truncate -s 40M '{}' && mkfs.vfat -F 32 -s 1 -n 'EFI SYSTEM' -i 0badcafe '{}'", fat32.string(), fat32.string()));
  icecore::test::run_in_guest(scratch.path(), {fat12, fat16, fat32},
                              fmt::format("populate='{}' list='{}' out='{}'\n", data_file("tsk/populate.py").string(),
                                          data_file("tsk/list.py").string(), scratch.path().string()) +
                                  "for m in nls_cp437 nls_utf8 nls_iso8859-1 nls_ascii fat vfat; do "
                                  "insmod $(find /usr/lib/uml/modules/$(uname -r) -name $m.ko) || true; done\n"
                                  "mkdir -p $out/mount\n"
                                  "n=0; for disk in $disk0 $disk1 $disk2; do\n"
                                  "  mount -t vfat -o utf8 $disk $out/mount\n"
                                  "  python3 $populate fill $out/mount; sync -f $out/mount; python3 $populate delete $out/mount; umount $out/mount\n"
                                  "  mount -t vfat -o ro,utf8 $disk $out/mount; python3 $list $out/mount > $out/tree$n; umount $out/mount\n"
                                  "  n=$((n+1)); done\n");
  expect_agreement(fat12, listed_tree(scratch / "tree0"), {});
  expect_agreement(fat16, listed_tree(scratch / "tree1"), {});
  expect_agreement(fat32, listed_tree(scratch / "tree2"), {});

  Anomalies anomalies;
  const auto filesystem = fs::open(source_of(fat32), {}, anomalies);
  ICECORE_ASSERT_OK(filesystem);
  EXPECT_EQ((*filesystem)->info().type, "vfat");
  EXPECT_EQ((*filesystem)->info().label, "EFI SYSTEM");
  EXPECT_EQ((*filesystem)->info().uuid, "0BAD-CAFE");
  const std::uint64_t root = (*filesystem)->info().root_inode;
  const auto efi = (*filesystem)->lookup(root, "efi");  // the firmware's spelling
  ICECORE_ASSERT_OK(efi);
  const auto pieces = (*filesystem)->lookup(root, "pieces.a");
  ICECORE_ASSERT_OK(pieces);
  // Extents say where the bytes lie: read past libtsk, they are the content.
  const auto extents = (*filesystem)->extents(*pieces);
  ICECORE_ASSERT_OK(extents);
  EXPECT_GT(extents->size(), 10U);
  std::string direct(40 * 4096, '?');
  for (const Extent& extent : *extents)
    ICECORE_ASSERT_OK(
        (*filesystem)->source().read(extent.source_offset, std::as_writable_bytes(std::span(direct).subspan(extent.file_offset, extent.length))));
  EXPECT_EQ(direct, std::string(40 * 4096, 'a'));
  // The place of the inode is the place of its directory entry.
  const auto info = (*filesystem)->stat(*pieces);
  ICECORE_ASSERT_OK(info);
  std::array<std::byte, 11> name{};
  ICECORE_ASSERT_OK((*filesystem)->source().read(info->inode_offset, name));
  EXPECT_EQ(as_text(name), "PIECES  A  ");
}

TEST(TskFat, TimesDoNotDependOnTheReadersTimeZone) {
  const ScratchFolder scratch;
  const auto image = scratch / "fat";
  run_ok(fmt::format("truncate -s 2M '{0}' && mkfs.vfat -F 12 '{0}'", image.string()));
  // One entry in the root folder, written by hand: 2026-11-24 10:20:30 modified, accessed 2026-11-23, created 10:20:29.57.
  std::fstream file(image, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(14);
  std::array<unsigned char, 10> bpb{};
  file.read(reinterpret_cast<char*>(bpb.data()), bpb.size());
  const unsigned reserved = bpb[0] + 256U * bpb[1], fats = bpb[2], fat_size = bpb[8] + 256U * bpb[9];
  const unsigned date = (46 << 9) | (11 << 5) | 24, before = date - 1, time = (10 << 11) | (20 << 5) | 15, earlier = (10 << 11) | (20 << 5) | 14;
  std::string entry = "HELLO   TXT";
  entry += std::string("\x20\x00\x9d", 3);  // archive; 157 hundredths after :28
  for (const unsigned field : {earlier, date, before, 0U, time, date, 0U}) entry += {static_cast<char>(field & 0xFF), static_cast<char>(field >> 8)};
  entry += std::string(4, '\0');
  file.seekp((reserved + fats * fat_size) * 512);
  file.write(entry.data(), 32);
  file.close();
  for (const char* zone : {"UTC", "America/New_York", "Asia/Kolkata"}) {
    ::setenv("TZ", zone, 1);
    ::tzset();
    Anomalies anomalies;
    const auto filesystem = fs::open(source_of(image), {}, anomalies);
    ICECORE_ASSERT_OK(filesystem);
    const auto inode = (*filesystem)->lookup((*filesystem)->info().root_inode, "HELLO.TXT");
    ICECORE_ASSERT_OK(inode);
    const auto info = (*filesystem)->stat(*inode);
    ICECORE_ASSERT_OK(info);
    EXPECT_EQ(to_iso8601(info->modified, 0), "2026-11-24T10:20:30Z") << zone;
    EXPECT_EQ(to_iso8601(info->accessed, 0), "2026-11-23T00:00:00Z") << zone;
    ASSERT_TRUE(info->born.has_value());
    EXPECT_EQ(to_iso8601(*info->born, 3), "2026-11-24T10:20:29.570Z") << zone;
  }
  ::setenv("TZ", "UTC", 1);
  ::tzset();
}

TEST(TskExfat, IsAsItsDriverHasItAndDeletedNamesAsFls) {
  const ScratchFolder scratch;
  const auto image = scratch / "exfat";
  run_ok(fmt::format("truncate -s 40M '{0}' && mkfs.exfat -L 'DATA disk' '{0}' && mkdir '{1}'", image.string(), (scratch / "mount").string()));
  run_ok(
      fmt::format("set -e; device=$(losetup -f --show '{0}'); trap 'losetup -d '$device EXIT\n"
                  "mount.exfat-fuse $device '{1}' > /dev/null 2>&1; python3 '{2}' fill '{1}'; python3 '{2}' delete '{1}'; umount '{1}'\n"
                  "mount.exfat-fuse -o ro $device '{1}' > /dev/null 2>&1; python3 '{3}' '{1}' > '{4}'; umount '{1}'",
                  image.string(), (scratch / "mount").string(), data_file("tsk/populate.py").string(), data_file("tsk/list.py").string(),
                  (scratch / "tree").string()));
  expect_agreement(image, listed_tree(scratch / "tree"), {.changed = false});
  Anomalies anomalies;
  const auto filesystem = fs::open(source_of(image), {}, anomalies);
  ICECORE_ASSERT_OK(filesystem);
  EXPECT_EQ((*filesystem)->info().type, "exfat");
  EXPECT_EQ((*filesystem)->info().label, "DATA disk");
  EXPECT_EQ((*filesystem)->info().uuid, trim(run_ok(fmt::format("blkid -p -o value -s UUID '{}'", image.string()))));
}

}  // namespace
}  // namespace icecore::fs::tsk::test
