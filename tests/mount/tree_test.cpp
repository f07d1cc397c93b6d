// Names, links and identities of a mount, without a kernel.
#include "mount/tree.h"

#include "support/fake_machine.h"

namespace icecore::mount {
namespace {

struct TreeTest : testing::Test {
  test::FakeMachine fake;
  std::unique_ptr<Tree> tree;

  void start() {
    fake.start();
    Layout layout{fake.machine, {{"vol-1", {}, {{"partition-1", 0}}}}};
    auto made = Tree::make(std::move(layout));
    ICECORE_ASSERT_OK(made);
    tree = std::move(*made);
  }
  NodeId at(std::string_view path) {
    NodeId node = kMountFolder;
    std::size_t from = 0;
    while (from < path.size()) {
      const std::size_t to = std::min(path.find('/', from), path.size());
      const auto entry = tree->lookup(node, path.substr(from, to - from));
      if (!entry) {
        ADD_FAILURE() << path << ": " << to_string(entry.error());
        return 0;
      }
      node = entry->id;
      from = to + 1;
    }
    return node;
  }
  std::string target(std::string_view path) { return tree->readlink(at(path)).value_or("(error)"); }
};

TEST_F(TreeTest, LinksNeverClimbOutOfTheirTree) {
  fake.root->folder("/a/b");
  fake.root->folder("/deep/er/still");
  fake.root->link("/a/absolute", "/etc/passwd");
  fake.root->link("/a/b/absolute", "/../../etc/./passwd");
  fake.root->link("/a/b/fits", "../../etc/passwd");
  fake.root->link("/a/b/climbs", "../../../../../../etc/passwd");
  fake.root->link("/top", "../../etc");
  fake.root->link("/self", "/");
  fake.root->link("/jump", "/deep/er");
  fake.root->link("/a/round", "../jump/still/../../../../../etc/passwd");
  fake.root->link("/a/missing", "nothing/../../../../etc/passwd");
  fake.root->link("/a/loop", "loop/../../../etc");
  start();
  EXPECT_EQ(target("root/a/absolute"), "../etc/passwd");
  EXPECT_EQ(target("root/a/b/absolute"), "../../etc/passwd");
  EXPECT_EQ(target("root/a/b/fits"), "../../etc/passwd");
  EXPECT_EQ(target("root/a/b/climbs"), "../../etc/passwd");
  EXPECT_EQ(target("root/top"), "etc");
  EXPECT_EQ(target("root/self"), ".");
  EXPECT_EQ(target("root/a/round"), "../etc/passwd");
  EXPECT_EQ(target("root/a/missing"), "nothing/etc/passwd");
  ICECORE_EXPECT_CODE(tree->readlink(at("root/a/loop")), Code::kCorrupt);
  EXPECT_EQ(target("volumes/vol-1/partition-1/a/absolute"), "../etc/passwd");
}

TEST_F(TreeTest, AHardLinkedSymlinkLeadsFromWhereItWasMet) {
  fake.root->folder("/a/b/c");
  const auto inode = fake.root->link("/a/b/c/link", "../../../etc");
  fake.root->name(2, "link", inode);
  start();
  const NodeId deep = at("root/a/b/c/link"), shallow = at("root/link");
  EXPECT_NE(deep, shallow);
  EXPECT_EQ(tree->readlink(deep).value(), "../../../etc");
  EXPECT_EQ(tree->readlink(shallow).value(), "etc");
}

TEST_F(TreeTest, AFolderInTwoPlacesIsDamage) {
  const auto folder = fake.root->folder("/a/b");
  const auto other = fake.root->folder("/c");
  fake.root->name(other, "again", folder);
  fake.root->name(folder, "loop", 2);  // the root inside itself
  start();
  const NodeId first = at("root/a/b");
  ICECORE_EXPECT_CODE(tree->lookup(at("root/c"), "again"), Code::kCorrupt);
  ICECORE_EXPECT_CODE(tree->lookup(first, "loop"), Code::kCorrupt);
}

TEST_F(TreeTest, SpecialFilesAreEmptyAndSayWhatTheyWere) {
  fake.root->file("/usr/bin/su", "x", {}, 0104755);
  start();
  const NodeId su = at("root/usr/bin/su");
  EXPECT_EQ(tree->attributes(su)->st_mode, mode_t{0100755});
  const auto attributes = tree->xattrs(su);
  ICECORE_ASSERT_OK(attributes);
  ASSERT_EQ(attributes->size(), 1u);
  EXPECT_EQ(attributes->front().name, "user.icecore.mode");
  EXPECT_EQ(attributes->front().value, "104755");

  fs::FileInfo disk;
  disk.type = fs::FileType::kBlockDevice;
  disk.mode = 0060660;
  disk.device = 8 << 20 | 1;
  disk.size = 77;
  EXPECT_EQ(attributes_of(disk).st_mode, mode_t{0100660});
  EXPECT_EQ(attributes_of(disk).st_size, 0);
  const auto own = own_attributes(disk);
  ASSERT_EQ(own.size(), 2u);
  EXPECT_EQ(own[0].value, "block device");
  EXPECT_EQ(own[1].value, "8:1");
  EXPECT_EQ(shown_name("security.capability"), "user.icecore.xattr.security.capability");
  EXPECT_EQ(shown_name("user.comment"), "user.comment");
  EXPECT_EQ(shown_name("user.icecore.type"), "user.icecore.xattr.user.icecore.type");
}

TEST_F(TreeTest, NamesThatCannotBeAreLeftOutAndForgettingEmptiesTheTable) {
  const auto folder = fake.root->folder("/a");
  const auto file = fake.root->file("/etc/passwd", "root");
  for (const char* name : {"..", ".", "", "x/y"}) fake.root->name(folder, name, file);
  fake.root->name(folder, "good", file);
  fake.root->link("/a/link", "good");
  start();
  const auto root = tree->lookup(kMountFolder, "root");
  const auto a = tree->lookup(root->id, "a");
  const auto listing = tree->list(a->id);
  ICECORE_ASSERT_OK(listing);
  std::vector<std::string> names;
  for (const ListedName& item : (*listing)->names) names.push_back(item.name);
  EXPECT_EQ(names, (std::vector<std::string>{"good", "link"}));
  const auto link = tree->lookup(a->id, "link");
  ASSERT_TRUE(tree->lookup(a->id, "good"));
  EXPECT_EQ(tree->remembered(), 2u);
  tree->forget(link->id, 1);
  tree->forget(a->id, 1);
  EXPECT_EQ(tree->remembered(), 0u);
}

TEST_F(TreeTest, InodeNumbersAreTheDisksOwnAndDifferBetweenVolumes) {
  const auto inode = fake.root->file("/etc/passwd", "root");
  auto data = std::make_shared<test::FakeFilesystem>();
  data->file("/page", "x");
  fake.root->file("/etc/fstab", "LABEL=data /srv/data ext4 defaults 0 0\n");
  data->identity("", "data");
  auto assembled = machine::Machine::assemble(
      {{"snap-2", "vol-2", "/dev/xvdf", {}, "", "", data}, {"snap-1", "vol-1", "/dev/xvda", 1, "", "", fake.root}}, fake.anomalies);
  ICECORE_ASSERT_OK(assembled);
  auto made = Tree::make({*assembled, {{"vol-2", {}, {{"filesystem", 0}}}, {"vol-1", {}, {{"partition-1", 1}}}}});
  ICECORE_ASSERT_OK(made);
  tree = std::move(*made);
  EXPECT_EQ(tree->attributes(at("root/etc/passwd"))->st_ino, inode);
  const auto page = tree->attributes(at("root/srv/data/page"));  // a mount point that the root filesystem does not hold
  const auto same = tree->attributes(at("volumes/vol-2/filesystem/page"));
  EXPECT_EQ(page->st_ino, same->st_ino);
  EXPECT_EQ(page->st_ino >> kInodeBits, 1u);
  EXPECT_EQ(page->st_size, 1);
}

}  // namespace
}  // namespace icecore::mount
