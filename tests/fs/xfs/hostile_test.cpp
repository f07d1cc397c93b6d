// Damaged and hostile disks: each fault is an anomaly with its place, the rest is read, and nothing hangs.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "fs/xfs/inode_tree.h"
#include "fs/xfs/reader.h"
#include "fs/xfs/tree.h"
#include "fs/xfs/xfs.h"
#include "fs/xfs/xfs_image.h"

namespace icecore::fs::xfs::test {
namespace {

/// A disk with some bytes changed, or cut off.
class Damaged final : public image::BlockSource {
 public:
  explicit Damaged(image::SourcePtr base) : base_(std::move(base)), size_(base_->size()) {}
  void put(std::uint64_t offset, const std::vector<unsigned>& bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) changes_[offset + i] = static_cast<std::byte>(bytes[i]);
  }
  void cut(std::uint64_t size) { size_ = size; }
  std::uint64_t size() const override { return size_; }
  std::string name() const override { return "damaged"; }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
    ICECORE_CHECK(image::check_range(offset, out.size(), size_, name()));
    ICECORE_CHECK(base_->read(offset, out));
    for (auto change = changes_.lower_bound(offset); change != changes_.end() && change->first < offset + out.size(); ++change)
      out[static_cast<std::size_t>(change->first - offset)] = change->second;
    return {};
  }

 private:
  image::SourcePtr base_;
  std::uint64_t size_;
  std::map<std::uint64_t, std::byte> changes_;
};

class XfsHostile : public testing::Test {
 protected:
  void SetUp() override {
    const Path image = scratch_ / "image";
    make_xfs(image, "");
    {
      const Mount mount(image, scratch_ / "mount", "noatime");
      ASSERT_TRUE(mount.ok()) << mount.message();
      run_ok("cd '" + mount.folder().string() +
             "' && mkdir d && for i in $(seq 100); do echo $i > d/file-with-a-name-$i; done && python3 -c '\nf = open(\"pieces\", \"wb\")\n"
             "for i in range(200): f.seek(i * 8192); f.write(b\"p\" * 4096)\n' && echo x > other");
      folder_ = kernel_status(mount.folder().string() + "/d")->inode;
      pieces_ = kernel_status(mount.folder().string() + "/pieces")->inode;
      other_ = kernel_status(mount.folder().string() + "/other")->inode;
    }
    disk_ = std::make_shared<Damaged>(open_image(image));
    const auto sector = Reader{disk_, {}}.bytes(0, 4096);
    ICECORE_ASSERT_OK(sector);
    auto super = parse_superblock(*sector, "image");
    ICECORE_ASSERT_OK(super);
    reader_ = {disk_, *super};
  }

  FilesystemPtr open() {
    auto filesystem = xfs::open(disk_, {}, anomalies_);
    EXPECT_TRUE(filesystem.has_value()) << to_string(filesystem.error());
    return filesystem ? *filesystem : nullptr;
  }

  std::size_t swept_names(const Filesystem& filesystem) {
    const auto table = filesystem.sweep({}, anomalies_, no_progress());
    EXPECT_TRUE(table.has_value());
    return table ? static_cast<std::size_t>(std::ranges::count(table->names, false, &Name::deleted)) : 0;
  }

  /// The kinds of the anomalies, each once.
  std::set<std::string> kinds() const {
    std::set<std::string> found;
    for (const Anomaly& anomaly : anomalies_.list()) {
      found.insert(anomaly.kind);
      EXPECT_TRUE(anomaly.error.where.has_value()) << to_string(anomaly.error);
    }
    return found;
  }

  std::uint64_t first_extent(std::uint64_t inode) { return open()->extents(inode)->front().source_offset; }

  const icecore::test::ScratchFolder scratch_;
  std::shared_ptr<Damaged> disk_;
  Reader reader_;
  Anomalies anomalies_;
  std::uint64_t folder_ = 0, pieces_ = 0, other_ = 0;
};

TEST_F(XfsHostile, ChangedInodeIsReadAndReported) {
  disk_->put(reader_.super.inode_offset(other_) + 8, {0, 0, 3, 233});  // the owner
  const auto filesystem = open();
  EXPECT_EQ(filesystem->stat(other_)->uid, 1001U);
  EXPECT_EQ(swept_names(*filesystem), 103U);
  EXPECT_EQ(kinds(), std::set<std::string>{"xfs.inode-checksum"});
}

TEST_F(XfsHostile, DirectoryBlockOfAnotherIsNotTaken) {
  const std::uint64_t block = first_extent(folder_);
  disk_->put(block + 47, {1});  // the owner that the block names
  const auto filesystem = open();
  ICECORE_EXPECT_CODE(filesystem->list(folder_), Code::kCorrupt);
  EXPECT_EQ(swept_names(*filesystem), 3U);
  EXPECT_EQ(kinds(), (std::set<std::string>{"xfs.directory", "xfs.directory-checksum"}));
}

TEST_F(XfsHostile, DirectoryEntryOfImpossibleLengthEndsItsBlockOnly) {
  const std::uint64_t block = first_extent(folder_);
  disk_->put(block + 64 + 16 + 16 + 8, {255});  // the third entry's name, after "." and ".."
  EXPECT_LT(swept_names(*open()), 103U);
  EXPECT_TRUE(kinds().contains("xfs.directory-checksum"));
}

TEST_F(XfsHostile, ExtentTreeThatReachesABlockTwiceIsRefused) {
  // The root in the inode has one child; a second record with the same child makes a cross-link.
  const auto record = reader_.bytes(reader_.super.inode_offset(pieces_), reader_.super.inode_size);
  ICECORE_ASSERT_OK(record);
  const std::size_t fork = 176;
  ASSERT_EQ(load_be<std::uint8_t>(*record, 5), 3) << "the file's extents are no tree";
  const std::size_t fork_offset = load_be<std::uint8_t>(*record, 82) * 8U;
  const std::size_t capacity = ((fork_offset != 0 ? fork_offset : 512 - fork) - 4) / 16;
  const std::size_t pointer = fork + 4 + capacity * 8;
  std::vector<unsigned> child;
  for (std::size_t i = 0; i < 8; ++i) child.push_back(load_be<std::uint8_t>(*record, pointer + i));
  const std::uint64_t inode = reader_.super.inode_offset(pieces_);
  disk_->put(inode + fork + 2, {0, 2});
  disk_->put(inode + pointer + 8, child);
  std::array<std::byte, 16> out;
  const auto read = open()->read(pieces_, 0, out);
  ICECORE_EXPECT_CODE(read, Code::kCorrupt);
  EXPECT_NE(read.error().message.find("twice"), std::string::npos);
}

TEST_F(XfsHostile, InodeTreeThatPointsAtItselfEnds) {
  // Level 2 of 2 at the same block: the walk comes to the root again.
  const std::uint64_t header = 2 * std::uint64_t{reader_.super.sector_size};
  disk_->put(header + 24, {0, 0, 0, 2});
  EXPECT_LT(swept_names(*open()), 103U);
  EXPECT_EQ(kinds(), (std::set<std::string>{"xfs.group-checksum", "xfs.inode-tree"}));
}

TEST_F(XfsHostile, CutImageGivesWhatIsThere) {
  disk_->cut(disk_->size() / 2);
  const auto filesystem = open();
  ASSERT_NE(filesystem, nullptr);
  EXPECT_TRUE(filesystem->stat(filesystem->info().root_inode).has_value());
  (void)swept_names(*filesystem);
  EXPECT_TRUE(kinds().contains("xfs.truncated"));
}

TEST_F(XfsHostile, NeedsRepairAndUnknownFeaturesAreSaid) {
  disk_->put(216 + 3, {0x1b | 0x10});
  EXPECT_NE(open(), nullptr);
  EXPECT_TRUE(kinds().contains("xfs.needs-repair"));
  disk_->put(216, {0x80});
  ICECORE_EXPECT_CODE(xfs::open(disk_, {}, anomalies_), Code::kUnsupported);
}

TEST_F(XfsHostile, SuperblocksOfImpossibleShapeAreRefused) {
  for (const auto& [offset, byte] :
       std::map<std::uint64_t, unsigned>{{4, 0xff}, {84, 0xff}, {88, 0xff}, {8, 0xff}, {102, 0x7f}, {104, 0xff}, {124, 64}, {192, 9}}) {
    const auto damaged = std::make_shared<Damaged>(disk_);
    damaged->put(offset, {byte});
    ICECORE_EXPECT_CODE(xfs::open(damaged, {}, anomalies_), Code::kCorrupt);
  }
  ICECORE_EXPECT_CODE(xfs::open(std::make_shared<Damaged>(std::make_shared<ImageFile>("/dev/null")), {}, anomalies_), Code::kNotFound);
}

}  // namespace
}  // namespace icecore::fs::xfs::test
