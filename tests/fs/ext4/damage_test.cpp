// Damaged, cut and odd images: an anomaly with its place, and everything else is still read.
#include <fmt/format.h>
#include <algorithm>
#include <fstream>
#include <sstream>

#include "fs/ext4/ext4_support.h"
#include "image/file_source.h"

namespace icecore::test::ext4 {
namespace {

class Damage : public testing::Test {
 protected:
  void SetUp() override {
    make_image(image_, 64, "mkfs.ext4 -q -b 1024 -N 4000");
    const LoopMount mount(image_, scratch_ / "mnt", "rw");
    ASSERT_TRUE(mount.mounted());
    run_ok(fmt::format(R"(cd '{}' && mkdir d other && for i in $(seq 400); do echo $i > d/name-number-$i; done; echo x > other/y
setfattr -n user.big -v $(head -c 600 /dev/zero | tr '\0' b) other/y
python3 -c '
with open("pieces", "wb") as f:
    for i in range(400): f.seek(i * 2048); f.write(b"piece %d" % i)')",
                       mount.path().string()));
  }

  void flip(std::uint64_t offset) {
    std::fstream file(image_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(offset));
    const char byte = static_cast<char>(file.get() ^ 0x55);
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(byte);
  }

  fs::FilesystemPtr open() { return open_image(image_, fs::JournalView::kRecovered, anomalies_); }

  std::uint64_t inode_of(const fs::Filesystem& filesystem, std::initializer_list<std::string> path) {
    std::uint64_t inode = filesystem.info().root_inode;
    for (const std::string& name : path) inode = filesystem.lookup(inode, name).value();
    return inode;
  }

  fs::FileTable sweep(const fs::Filesystem& filesystem) {
    auto table = filesystem.sweep({}, anomalies_, no_progress());
    EXPECT_TRUE(table.has_value()) << to_string(table.error());
    return table.value_or(fs::FileTable{});
  }

  std::size_t live_names(const fs::FileTable& table) {
    return static_cast<std::size_t>(std::ranges::count_if(table.names, [](const fs::Name& name) { return !name.deleted; }));
  }

  std::size_t anomalies_of(const std::string& kind) {
    const auto list = anomalies_.list();
    return static_cast<std::size_t>(std::ranges::count(list, kind, &Anomaly::kind));
  }

  const ScratchFolder scratch_;
  const std::filesystem::path image_ = scratch_ / "image";
  Anomalies anomalies_;
  static constexpr std::size_t kNames = 405;  // 400 + lost+found, d, other, y, pieces
};

TEST_F(Damage, CountsAgreeWithFsck) {
  const auto filesystem = open();
  ASSERT_NE(filesystem, nullptr);
  const auto table = sweep(*filesystem);
  EXPECT_EQ(live_names(table), kNames);
  // fsck counts the ten reserved inodes too; the root is one of them.
  const std::string fsck = run_ok(fmt::format("e2fsck -fn {} 2>/dev/null", image_.string()));
  EXPECT_NE(fsck.find(fmt::format(" {}/3968 files", table.files.size() + 9)), std::string::npos) << fsck << table.files.size();
  EXPECT_EQ(text_of(anomalies_), "");
}

TEST_F(Damage, InodeChecksum) {
  const auto before = open();
  const std::uint64_t inode = inode_of(*before, {"d", "name-number-7"});
  const auto info = before->stat(inode);
  ICECORE_ASSERT_OK(info);
  flip(info->inode_offset + 4);
  const auto table = sweep(*open());
  EXPECT_EQ(live_names(table), kNames);
  ASSERT_EQ(anomalies_of("ext4.inode-checksum"), 1U);
  EXPECT_EQ(anomalies_.list()[0].error.where->inode, inode);
  EXPECT_EQ(anomalies_.list()[0].error.where->offset, info->inode_offset);
}

TEST_F(Damage, DirectoryBlock) {
  const auto before = open();
  const auto extents = before->extents(inode_of(*before, {"d"}));
  ICECORE_ASSERT_OK(extents);
  const fs::Extent last = extents->back();
  flip(last.source_offset + last.length - 1024 + 4);  // a record's length in the last block
  const auto table = sweep(*open());
  EXPECT_EQ(anomalies_of("ext4.directory-checksum"), 1U);
  EXPECT_EQ(anomalies_of("ext4.directory"), 1U);
  EXPECT_LT(live_names(table), kNames);
  EXPECT_GT(live_names(table), kNames - 40) << "only one block is lost";
  EXPECT_EQ(table.files.size(), kNames + 1) << "and no inode";
}

TEST_F(Damage, ExtentBlockStopsOneFileOnly) {
  const auto before = open();
  const std::uint64_t inode = inode_of(*before, {"pieces"});
  const std::string root =
      run_ok(fmt::format("debugfs -R 'dump_extents <{}>' {} 2>/dev/null | awk '$1 ~ /^0\\// {{print $8; exit}}'", inode, image_.string()));
  flip(std::stoull(root) * 1024 + 20);
  const auto filesystem = open();
  std::byte buffer[10];
  ICECORE_EXPECT_CODE(filesystem->read(inode, 0, buffer), Code::kCorrupt);
  ICECORE_EXPECT_CODE(filesystem->extents(inode), Code::kCorrupt);
  const auto other = fs::read_file(*filesystem, inode_of(*filesystem, {"other", "y"}), 100);
  ICECORE_ASSERT_OK(other);
  EXPECT_EQ(*other, "x\n");
}

TEST_F(Damage, AttributeBlock) {
  const auto before = open();
  const std::uint64_t inode = inode_of(*before, {"other", "y"});
  const std::string block = run_ok(fmt::format("debugfs -R 'stat <{}>' {} 2>/dev/null | sed -n 's/^File ACL: //p'", inode, image_.string()));
  flip(std::stoull(block) * 1024 + 1000);
  ICECORE_EXPECT_CODE(open()->xattrs(inode), Code::kCorrupt);
}

TEST_F(Damage, SuperblockIsReplacedByItsBackup) {
  const auto whole = walk_listing(*open());
  for (const std::uint64_t at : {1024U + 56U, 1024U + 1000U, 1024U + 24U}) {  // magic, anything under the checksum, block size
    flip(at);
    Anomalies anomalies;
    const auto filesystem = open_image(image_, fs::JournalView::kRecovered, anomalies);
    ASSERT_NE(filesystem, nullptr);
    EXPECT_EQ(difference(whole, walk_listing(*filesystem)), "");
    ASSERT_EQ(anomalies.count(), 1U) << text_of(anomalies);
    EXPECT_EQ(anomalies.list()[0].kind, "ext4.superblock");
    flip(at);
  }
}

TEST_F(Damage, GroupDescriptor) {
  flip(2 * 1024 + 64 * 3 + 0x1C);  // group 3's count of unused inodes
  const auto table = sweep(*open());
  EXPECT_EQ(anomalies_of("ext4.group-checksum"), 1U);
  EXPECT_EQ(live_names(table), kNames);
}

// What a damaged bitmap calls free is given to nobody: the file that is gone keeps its name, and its content is not called whole.
TEST_F(Damage, BlockBitmap) {
  {
    const LoopMount mount(image_, scratch_ / "mnt", "rw");
    ASSERT_TRUE(mount.mounted());
    run_ok(fmt::format("cd '{}' && sync -f . && rm other/y && sync -f .", mount.path().string()));
  }
  const auto content_of_y = [&] {
    const auto filesystem = open();
    const auto table = sweep(*filesystem);
    const auto deleted = filesystem->deleted_files(table, fs::PathIndex(table), anomalies_, no_progress());
    EXPECT_TRUE(deleted.has_value());
    const auto found = std::ranges::find(deleted->files, "/other/y", &fs::DeletedFile::path);
    return found == deleted->files.end() ? "not found" : std::string(fs::state_name(found->content));
  };
  EXPECT_EQ(content_of_y(), "intact");
  EXPECT_EQ(text_of(anomalies_), "");
  const std::string bitmaps = run_ok(fmt::format("dumpe2fs {} 2>/dev/null | sed -n 's/.*Block bitmap at \\([0-9]*\\).*/\\1/p'", image_.string()));
  std::istringstream blocks(bitmaps);
  for (std::uint64_t block = 0; blocks >> block;) flip(block * 1024 + 1000);
  EXPECT_EQ(content_of_y(), "overwritten");
  EXPECT_GE(anomalies_of("ext4.block-bitmap"), 1U);
}

TEST_F(Damage, ImageCutShort) {
  run_ok(fmt::format("truncate -s 20M {}", image_.string()));
  const auto filesystem = open();
  ASSERT_NE(filesystem, nullptr);
  EXPECT_EQ(anomalies_of("filesystem.truncated"), 1U);
  const auto table = sweep(*filesystem);
  EXPECT_GT(table.files.size(), 1U);
}

TEST_F(Damage, VolumeLargerThanItsFilesystem) {
  run_ok(fmt::format("truncate -s 100M {}", image_.string()));
  const auto table = sweep(*open());
  EXPECT_EQ(live_names(table), kNames);
  EXPECT_EQ(anomalies_of("filesystem.tail"), 1U);
}

TEST_F(Damage, NamesWhatItCannotRead) {
  run_ok(fmt::format("mkswap -q -f {} 2>/dev/null || mkswap -f {} >/dev/null 2>&1", image_.string(), image_.string()));
  run_ok(
      fmt::format("dd if=/dev/zero of={} bs=1024 count=3 conv=notrunc status=none; mkswap -f {} >/dev/null 2>&1", image_.string(), image_.string()));
  const auto source = image::FileSource::open(image_);
  ICECORE_ASSERT_OK(source);
  const auto opened = fs::open(*source, {}, anomalies_);
  ICECORE_EXPECT_CODE(opened, Code::kUnsupported);
  EXPECT_NE(opened.error().message.find("swap"), std::string::npos);
}

// A commit block whose checksum fails: the kernel refuses to mount; we say so and show what came before it.
TEST(JournalDamage, BrokenCommitIsAnAnomaly) {
  const ScratchFolder scratch;
  const auto image = scratch / "image", copy = scratch / "copy";
  make_image(image, 64, "mkfs.ext4 -q -b 1024 -N 4000");
  {
    const LoopMount mount(image, scratch / "mnt", "rw");
    ASSERT_TRUE(mount.mounted());
    run_ok(fmt::format(
        "cd {} && python3 -c 'import os\nf = open(\"late\", \"w\"); f.write(\"x\"); f.flush(); os.fsync(f.fileno())' && cp --sparse=always {} {}",
        mount.path().string(), image.string(), copy.string()));
  }
  // The last commit block of the log, found by debugfs, one byte changed.
  const std::string commit = run_ok(fmt::format(
      "debugfs -R 'logdump -a' {} 2>/dev/null | sed -n 's/.*(commit block) at block //p; s/.*, type 2 (commit block) at block //p' | tail -1",
      copy.string()));
  const std::string block = run_ok(fmt::format("debugfs -R 'bmap <8> {}' {} 2>/dev/null", std::stoul(commit), copy.string()));
  {
    std::fstream file(copy, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(std::stoull(block) * 1024 + 200));
    file.put('!');
  }
  Anomalies anomalies;
  const auto filesystem = open_image(copy, fs::JournalView::kRecovered, anomalies);
  ASSERT_NE(filesystem, nullptr);
  ASSERT_EQ(anomalies.count(), 1U) << text_of(anomalies);
  EXPECT_EQ(anomalies.list()[0].kind, "ext4.journal");
  EXPECT_FALSE(filesystem->lookup(2, "late").has_value());
}

}  // namespace
}  // namespace icecore::test::ext4
