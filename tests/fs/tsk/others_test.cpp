// NTFS filled through ntfs-3g; ISO 9660 by genisoimage; HFS+ by xorriso. Mounts and fls are the oracles.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fs/tsk/tsk_support.h"
#include "support/guest.h"

namespace icecore::fs::tsk::test {
namespace {

using icecore::test::ScratchFolder;
using testing::Contains;

TEST(TskNtfs, IsAsItsDriverHasItWithStreamsAndDeletedRecords) {
  const ScratchFolder scratch;
  const auto image = scratch / "ntfs", mount = scratch / "mount";
  run_ok(fmt::format("truncate -s 60M '{0}' && mkntfs -q -F -f -L Windows '{0}' && mkdir '{1}'", image.string(), mount.string()));
  run_ok(fmt::format(
      "set -e; mounted() {{ ntfs-3g -o streams_interface=windows,$1 '{0}' '{1}' > /dev/null 2>&1 < /dev/null; }}\n"
      "mounted compression; trap \"umount '{1}'\" EXIT; python3 '{2}' fill '{1}'; cd '{1}'\n"
      "printf 'hidden payload' > 'README.TXT:evil.exe'; seq 1 30000 > 'README.TXT:large'; ln README.TXT 'a second name'\n"
      "mkdir packed; setfattr -h -v 0x00000800 -n system.ntfs_attrib_be packed; seq 1 50000 > packed/numbers\n"
      "cd /; python3 '{2}' delete '{1}'; umount '{1}'; mounted ro; python3 '{3}' '{1}' > '{4}'",
      image.string(), mount.string(), data_file("tsk/populate.py").string(), data_file("tsk/list.py").string(), (scratch / "tree").string()));
  Tree expected = listed_tree(scratch / "tree");
  ASSERT_GT(expected.size(), 70U);

  Anomalies anomalies;
  const auto opened = fs::open(source_of(image), {}, anomalies);
  ICECORE_ASSERT_OK(opened);
  const Filesystem& filesystem = **opened;
  EXPECT_EQ(filesystem.info().type, "ntfs");
  EXPECT_EQ(filesystem.info().label, "Windows");
  EXPECT_EQ(filesystem.info().uuid, trim(run_ok(fmt::format("blkid -p -o value -s UUID '{}'", image.string()))));
  Tree ours = our_tree(filesystem);
  EXPECT_EQ(ours["/README.TXT:evil.exe"].sha256, to_hex(sha256(as_bytes("hidden payload"))));
  EXPECT_EQ(ours["/a second name:large"].sha256, to_hex(sha256(as_bytes(run_ok("seq 1 30000")))));
  EXPECT_TRUE(ours.contains("/$MFT"));
  // What the driver does not list: system files, streams.
  std::erase_if(ours, [](const auto& item) { return item.first.starts_with("/$") || item.first.find(':') != std::string::npos; });
  expect_same_tree(expected, ours);

  const auto table = filesystem.sweep({}, anomalies, no_progress());
  ICECORE_ASSERT_OK(table);
  const auto live = swept(*table, false), deleted = swept(*table, true);
  for (const auto& [path, node] : expected) EXPECT_THAT(live, Contains(path));
  EXPECT_THAT(live, Contains("/README.TXT:evil.exe"));
  for (const std::string& path : deleted_by_fls(image)) EXPECT_THAT(deleted, Contains(path));
  EXPECT_THAT(deleted, Contains("/plan.txt"));
  const auto plan = std::ranges::find_if(table->names, [&](const Name& name) { return table->text_of(name) == "plan.txt"; });
  const auto text = read_file(filesystem, plan->inode, 1000);
  ICECORE_ASSERT_OK(text);
  EXPECT_EQ(*text, "the secret plan\n");
  const FileInfo* const record = table->find(plan->inode);
  ASSERT_NE(record, nullptr);
  std::array<std::byte, 4> magic{};
  ICECORE_ASSERT_OK(filesystem.source().read(record->inode_offset, magic));
  EXPECT_EQ(as_text(magic), "FILE");
  // Content inside the free record, and in runs that it still has.
  for (const auto& [path, content] :
       {std::pair("/plan.txt", std::string("the secret plan\n")), std::pair("/a deleted file with a long name", run_ok("seq 1 9000"))}) {
    const auto gone = deleted_file(filesystem, path);
    ASSERT_TRUE(gone) << path;
    EXPECT_EQ(gone->content, ContentState::kIntact) << path;
    EXPECT_EQ(content_of(filesystem, *gone), content) << path;
  }
  for (const Anomaly& anomaly : anomalies.list()) ADD_FAILURE() << anomaly.kind << ": " << to_string(anomaly.error);
}

TEST(TskNtfs, DeletedContentThatOthersHaveByNowIsNotTakenForIntact) {
  const ScratchFolder scratch;
  const auto image = scratch / "ntfs", mount = scratch / "mount";
  run_ok(fmt::format("truncate -s 24M '{0}' && mkntfs -q -F -f '{0}' && mkdir '{1}'", image.string(), mount.string()));
  // The new file gets the first free record, the early file's; the old one's stays, with its runs.
  run_ok(
      fmt::format("set -e; ntfs-3g '{0}' '{1}' > /dev/null 2>&1 < /dev/null; trap \"umount '{1}'\" EXIT; cd '{1}'\n"
                  "echo early > early; seq 1 200000 > old; cd /; umount '{1}'; ntfs-3g '{0}' '{1}' > /dev/null 2>&1 < /dev/null; cd '{1}'\n"
                  "rm early old; yes filler | dd of=filler bs=64k iflag=fullblock 2> /dev/null || true; cd /",
                  image.string(), mount.string()));
  Anomalies anomalies;
  const auto opened = fs::open(source_of(image), {}, anomalies);
  ICECORE_ASSERT_OK(opened);
  const auto old = deleted_file(**opened, "/old");
  ASSERT_TRUE(old);
  EXPECT_EQ(old->content, ContentState::kOverwritten);
  EXPECT_EQ(content_of(**opened, *old).find("filler"), std::string::npos) << "another's content";
}

// ISO 9660 and HFS+ are written whole, from a folder.
void make_folder(const std::filesystem::path& folder) {
  run_ok(fmt::format(
      "mkdir -p '{0}' && python3 '{1}' fill '{0}' && ln -s EFI/debian '{0}/link' && find '{0}' -exec touch -h -d '2024-05-06 07:08:09' {{}} + && "
      "touch -d '2013-02-03 04:05:06' '{0}/README.TXT'",
      folder.string(), data_file("tsk/populate.py").string()));
}

TEST(TskIso, IsAsTheKernelHasItWithRockRidgesTimes) {
  const ScratchFolder scratch;
  const auto image = scratch / "iso";
  make_folder(scratch / "tree");
  run_ok(fmt::format("TZ=Asia/Kolkata genisoimage -quiet -D -R -input-charset utf-8 -V 'Cloud Init' -o '{}' '{}' 2>&1", image.string(),
                     (scratch / "tree").string()));
  icecore::test::run_in_guest(
      scratch.path(), {image},
      fmt::format("list='{}' out='{}'\n", data_file("tsk/list.py").string(), scratch.path().string()) +
          "for m in zlib_inflate cdrom isofs; do insmod $(find /usr/lib/uml/modules/$(uname -r) -name $m.ko) || true; done\nmkdir -p $out/mount\n"
          "mount -t iso9660 -o ro $disk0 $out/mount; python3 $list $out/mount > $out/listed; umount $out/mount\n");
  Anomalies anomalies;
  const auto filesystem = fs::open(source_of(image), {}, anomalies);
  ICECORE_ASSERT_OK(filesystem);
  EXPECT_EQ((*filesystem)->info().type, "iso9660");
  EXPECT_EQ((*filesystem)->info().label, "Cloud Init");
  EXPECT_EQ((*filesystem)->info().uuid, trim(run_ok(fmt::format("blkid -p -o value -s UUID '{}'", image.string()))));
  const Tree expected = listed_tree(scratch / "listed");
  ASSERT_GT(expected.size(), 70U);
  Tree ours = our_tree(**filesystem);
  // The kernel takes a folder's access time from its own ".", where genisoimage writes another than in the parent's record, which we take.
  for (auto& [path, node] : ours)
    if (node.kind == "d") node.accessed = expected.at(path).accessed;
  expect_same_tree(expected, ours);
  const auto table = (*filesystem)->sweep({}, anomalies, no_progress());
  ICECORE_ASSERT_OK(table);
  EXPECT_EQ(swept(*table, false).size(), expected.size());
  const auto link = (*filesystem)->lookup((*filesystem)->info().root_inode, "link");
  ICECORE_ASSERT_OK(link);
  EXPECT_EQ((*filesystem)->readlink(*link).value_or("?"), "EFI/debian");
}

// The HFS+ part of a hybrid, by its partition map: start and size in blocks of 512 (or 2048) bytes.
void make_hfs(const ScratchFolder& scratch) {
  const auto hybrid = scratch / "hybrid", image = scratch / "hfs";
  make_folder(scratch / "tree");
  run_ok(fmt::format("xorriso -as mkisofs -quiet -hfsplus -o '{}' '{}' 2>&1", hybrid.string(), (scratch / "tree").string()));
  run_ok(fmt::format(R"(python3 - '{}' '{}' <<'END'
import sys, struct
data = open(sys.argv[1], "rb").read()
for block in (512, 1024, 2048):
    for i in range(1, 8):
        entry = data[i * block:i * block + 512]
        if entry[:2] == b"PM" and entry[48:80].rstrip(b"\0") == b"Apple_HFS":
            start, size = struct.unpack(">II", entry[8:16])
            if data[start * block + 1024:start * block + 1026] in (b"H+", b"HX"):
                open(sys.argv[2], "wb").write(data[start * block:(start + size) * block])
                sys.exit(0)
sys.exit("no HFS+ in it")
END)",
                     hybrid.string(), image.string()));
}

TEST(TskHfsPlus, NamesContentsAndTimesAreThoseOfTheFolderItWasMadeOf) {
  const ScratchFolder scratch;
  const auto image = scratch / "hfs";
  make_hfs(scratch);
  Anomalies anomalies;
  const auto filesystem = fs::open(source_of(image), {}, anomalies);
  ICECORE_ASSERT_OK(filesystem);
  EXPECT_EQ((*filesystem)->info().type, "hfsplus");
  run_ok(fmt::format("python3 '{}' '{}' > '{}'", data_file("tsk/list.py").string(), (scratch / "tree").string(), (scratch / "listed").string()));
  const Tree expected = listed_tree(scratch / "listed");
  Tree ours = our_tree(**filesystem);
  std::erase_if(ours, [](const auto& item) { return item.first.starts_with("/$") || item.first.starts_with("/^"); });
  ASSERT_GT(expected.size(), 70U);
  for (const auto& [path, node] : expected) {
    if (path.find("\xc3") != std::string::npos) continue;  // HFS+ stores names decomposed
    ASSERT_TRUE(ours.contains(path)) << path;
    EXPECT_EQ(ours[path].kind, node.kind) << path;
    EXPECT_EQ(ours[path].size, node.size) << path;
    EXPECT_EQ(ours[path].sha256, node.sha256) << path;
    EXPECT_EQ(ours[path].modified, node.modified) << path;
  }
  const auto link = (*filesystem)->lookup((*filesystem)->info().root_inode, "link");
  ICECORE_ASSERT_OK(link);
  EXPECT_EQ((*filesystem)->readlink(*link).value_or("?"), "EFI/debian");
}

// Of this machine's kernels only the guest's has HFS+; it makes names as they are stored into those that people type.
TEST(TskHfsPlus, IsAsTheKernelHasIt) {
  const ScratchFolder scratch;
  const auto image = scratch / "hfs";
  make_hfs(scratch);
  icecore::test::run_in_guest(
      scratch.path(), {image},
      fmt::format("list='{}' out='{}'\n", data_file("tsk/list.py").string(), scratch.path().string()) +
          "for m in nls_utf8 nls_iso8859-1 cdrom hfsplus; do insmod $(find /usr/lib/uml/modules/$(uname -r) -name $m.ko) || true; done\n"
          "mkdir -p $out/mount\n"
          "mount -t hfsplus -o ro $disk0 $out/mount; python3 $list $out/mount > $out/listed; umount $out/mount\n");
  const Tree expected = listed_tree(scratch / "listed");
  ASSERT_GT(expected.size(), 70U);
  Anomalies anomalies;
  const auto filesystem = fs::open(source_of(image), {}, anomalies);
  ICECORE_ASSERT_OK(filesystem);
  Tree ours = our_tree(**filesystem);
  std::erase_if(ours, [](const auto& item) { return item.first.starts_with("/$") || item.first.starts_with("/^"); });
  for (const auto& [path, node] : expected) {
    SCOPED_TRACE(path);
    if (path.find("\xc3") != std::string::npos) continue;
    ASSERT_TRUE(ours.contains(path));
    EXPECT_EQ(ours[path].kind, node.kind);
    EXPECT_EQ(ours[path].sha256, node.sha256);
    EXPECT_EQ(ours[path].modified, node.modified);
    EXPECT_EQ(ours[path].accessed, node.accessed);
    EXPECT_EQ(ours[path].changed, node.changed);
  }
  // A catalogue takes a deleted name out of its tree: neither fls nor we find one in a volume that was written whole.
  const auto table = (*filesystem)->sweep({}, anomalies, no_progress());
  ICECORE_ASSERT_OK(table);
  EXPECT_EQ(swept(*table, true), deleted_by_fls(image));
}

TEST(Tsk, DamagedVolumesAreErrorsWithTheirPlace) {
  const ScratchFolder scratch;
  const auto image = scratch / "fat";
  run_ok(fmt::format("truncate -s 40M '{0}' && mkfs.vfat -F 32 -s 1 '{0}' && truncate -s 2000 '{0}'", image.string()));
  Anomalies anomalies;
  const auto opened = fs::open(source_of(image), {}, anomalies);
  ICECORE_EXPECT_CODE(opened, Code::kCorrupt);
  EXPECT_NE(to_string(opened.error()).find(image.string()), std::string::npos);
}

// A source that fails on its own account is never mistaken for damage.
class Failing final : public image::BlockSource {
 public:
  explicit Failing(image::SourcePtr whole) : whole_(std::move(whole)) {}
  std::uint64_t size() const override { return whole_->size(); }
  std::string name() const override { return whole_->name(); }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
    if (broken_) return fail(Code::kIntegrity, "the block's hash is wrong");
    return whole_->read(offset, out);
  }
  mutable bool broken_ = false;

 private:
  image::SourcePtr whole_;
};

TEST(Tsk, AnErrorOfTheSourceKeepsItsCode) {
  const ScratchFolder scratch;
  const auto image = scratch / "ntfs";
  run_ok(fmt::format("truncate -s 30M '{0}' && mkntfs -q -F -f '{0}'", image.string()));
  const auto source = std::make_shared<Failing>(source_of(image));
  Anomalies anomalies;
  const auto filesystem = fs::open(source, {}, anomalies);
  ICECORE_ASSERT_OK(filesystem);
  source->broken_ = true;
  ICECORE_EXPECT_CODE((*filesystem)->sweep({}, anomalies, no_progress()), Code::kIntegrity);
}

}  // namespace
}  // namespace icecore::fs::tsk::test
