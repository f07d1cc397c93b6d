// Damaged and hostile disks: each fault is an anomaly with its place, the rest is read, and nothing hangs.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "fs/xfs/extent_map.h"
#include "fs/xfs/free_space.h"
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
             "for i in range(200): f.seek(i * 8192); f.write(b\"p\" * 4096)\n' && echo x > other && echo y > named && "
             "for i in $(seq 20); do setfattr -n user.n$i -v $(printf %0100d 0) named; done && echo z > valued && "
             "for i in 1 2; do setfattr -n user.big$i -v $(printf %06000d 0) valued; done");
      named_ = kernel_status(mount.folder().string() + "/named")->inode;
      valued_ = kernel_status(mount.folder().string() + "/valued")->inode;
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

  /// The only block of an inode's attributes, changed by `change` and with its checksum made right again.
  template <class Change>
  void change_leaf(std::uint64_t inode, Change change) {
    const auto record = reader_.bytes(reader_.super.inode_offset(inode), reader_.super.inode_size);
    ICECORE_ASSERT_OK(record);
    const auto parsed = parse_inode(reader_.super, inode, *record, "image");
    ICECORE_ASSERT_OK(parsed);
    const auto mappings = read_mappings(reader_, parsed->attributes, false, reader_.at(0, inode));
    ICECORE_ASSERT_OK(mappings);
    auto block = reader_.blocks(mappings->front().fs_block);
    ICECORE_ASSERT_OK(block);
    ASSERT_EQ(load_be<std::uint16_t>(*block, da::kMagic), da::kAttrLeafCrcMagic);
    change(std::span(*block));
    store_le(std::span(*block), da::kCrc, block_crc(*block, da::kCrc));
    std::vector<unsigned> bytes;
    for (const std::byte byte : *block) bytes.push_back(std::to_integer<unsigned>(byte));
    disk_->put(reader_.super.block_offset(mappings->front().fs_block), bytes);
  }

  std::uint64_t first_extent(std::uint64_t inode) { return open()->extents(inode)->front().source_offset; }

  const icecore::test::ScratchFolder scratch_;
  std::shared_ptr<Damaged> disk_;
  Reader reader_;
  Anomalies anomalies_;
  std::uint64_t folder_ = 0, pieces_ = 0, other_ = 0, named_ = 0, valued_ = 0;
};

TEST_F(XfsHostile, ChangedInodeIsReadAndReported) {
  disk_->put(reader_.super.inode_offset(other_) + 8, {0, 0, 3, 233});  // the owner
  const auto filesystem = open();
  EXPECT_EQ(filesystem->stat(other_)->uid, 1001U);
  EXPECT_EQ(swept_names(*filesystem), 105U);
  EXPECT_EQ(kinds(), std::set<std::string>{"xfs.inode-checksum"});
}

TEST_F(XfsHostile, DirectoryBlockOfAnotherIsNotTaken) {
  const std::uint64_t block = first_extent(folder_);
  disk_->put(block + 47, {1});  // the owner that the block names
  const auto filesystem = open();
  ICECORE_EXPECT_CODE(filesystem->list(folder_), Code::kCorrupt);
  EXPECT_EQ(swept_names(*filesystem), 5U);
  EXPECT_EQ(kinds(), (std::set<std::string>{"xfs.directory", "xfs.directory-checksum"}));
}

TEST_F(XfsHostile, DirectoryEntryOfImpossibleLengthEndsItsBlockOnly) {
  const std::uint64_t block = first_extent(folder_);
  disk_->put(block + 64 + 16 + 16 + 8, {255});  // the third entry's name, after "." and ".."
  EXPECT_LT(swept_names(*open()), 105U);
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

// A few bytes that many entries claim would be a value for each of them.
TEST_F(XfsHostile, AttributesThatOverlapAreRefused) {
  ASSERT_EQ(open()->xattrs(named_)->size(), 20U);
  change_leaf(named_, [](std::span<std::byte> block) {
    const auto first = load_be<std::uint16_t>(block, da::kAttrCrcEntries + 4);
    std::ranges::copy(block.subspan(first, 16), block.begin() + 1000);
    store_be(block, 1000, std::uint16_t{3000});  // the value's length
    for (std::size_t i = 0; i < 20; ++i) store_be(block, da::kAttrCrcEntries + i * da::kAttrEntry + 4, std::uint16_t{1000});
  });
  const auto attributes = open()->xattrs(named_);
  ICECORE_EXPECT_CODE(attributes, Code::kCorrupt);
  EXPECT_NE(attributes.error().message.find("overlap"), std::string::npos) << attributes.error().message;
}

TEST_F(XfsHostile, ValuesThatShareBlocksAreRefused) {
  ASSERT_EQ(open()->xattrs(valued_)->size(), 2U);
  change_leaf(valued_, [](std::span<std::byte> block) {
    const auto entry = [&](std::size_t i) { return load_be<std::uint16_t>(block, da::kAttrCrcEntries + i * da::kAttrEntry + 4); };
    ASSERT_NE(load_be<std::uint32_t>(block, entry(0)), load_be<std::uint32_t>(block, entry(1)));
    store_be(block, entry(1), load_be<std::uint32_t>(block, entry(0)));
  });
  const auto attributes = open()->xattrs(valued_);
  ICECORE_EXPECT_CODE(attributes, Code::kCorrupt);
  EXPECT_NE(attributes.error().message.find("twice"), std::string::npos) << attributes.error().message;
}

// The first group's free space, claimed to reach into the second.
TEST_F(XfsHostile, FreeSpaceThatLeavesItsGroupIsNone) {
  const auto header = reader_.bytes(reader_.super.sector_size, 512);
  ICECORE_ASSERT_OK(header);
  const std::uint64_t root = reader_.super.block_offset(load_be<std::uint32_t>(*header, agf::kBnoRoot));
  disk_->put(root + btree::kShortCrcHeader + 4, {0, 0xff, 0xff, 0xff});
  const auto space = read_free_space(reader_, anomalies_);
  ICECORE_ASSERT_OK(space);
  EXPECT_EQ(kinds(), (std::set<std::string>{"xfs.free-space", "xfs.free-space-checksum"}));
  for (std::uint32_t ag = 1; ag < reader_.super.ag_count; ++ag) EXPECT_FALSE(space->holds(reader_.super.block_of(ag, 0), 1));
}

TEST_F(XfsHostile, InodeTreeThatPointsAtItselfEnds) {
  // Level 2 of 2 at the same block: the walk comes to the root again.
  const std::uint64_t header = 2 * std::uint64_t{reader_.super.sector_size};
  disk_->put(header + 24, {0, 0, 0, 2});
  EXPECT_LT(swept_names(*open()), 105U);
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
       std::map<std::uint64_t, unsigned>{{4, 0xff}, {84, 0xff}, {88, 0xff}, {8, 0xff}, {102, 0x7f}, {104, 0xff}, {124, 64}, {124, 30}, {192, 9}}) {
    const auto damaged = std::make_shared<Damaged>(disk_);
    damaged->put(offset, {byte});
    ICECORE_EXPECT_CODE(xfs::open(damaged, {}, anomalies_), Code::kCorrupt);
  }
  ICECORE_EXPECT_CODE(xfs::open(std::make_shared<Damaged>(std::make_shared<ImageFile>("/dev/null")), {}, anomalies_), Code::kNotFound);
}

}  // namespace
}  // namespace icecore::fs::xfs::test
