// Version 4: no checksums, no birth times, no LSNs in blocks. All that the version 5 tests ask, with a guest's kernel as the oracle.
#include <gtest/gtest.h>

#include <fstream>

#include "core/hash.h"
#include "fs/xfs/agreement.h"
#include "fs/xfs/xfs_db.h"
#include "support/guest.h"

namespace icecore::fs::xfs::test {
namespace {

using icecore::test::run_in_guest;

// What tree.py printed.
Tree printed_tree(const Path& file) {
  Tree tree;
  std::ifstream in(file);
  const auto text = [](const std::string& hex) {
    const auto bytes = from_hex(hex);
    EXPECT_TRUE(bytes.has_value());
    return bytes ? std::string(as_text(*bytes)) : std::string();
  };
  for (std::string line; std::getline(in, line);) {
    const auto fields = split(line, '\t');
    if (fields.size() != 3) {
      ADD_FAILURE() << line;
      continue;
    }
    tree[text(std::string(fields[0]))] = {std::string(fields[1]), text(std::string(fields[2]))};
  }
  return tree;
}

TEST(XfsVersion4, FormsAndRecoveryAreAsTheKernelHasThem) {
  const icecore::test::ScratchFolder scratch;
  const Path plain = scratch / "plain", small = scratch / "small", least = scratch / "least", crashed = scratch / "crashed",
             recovered = scratch / "recovered";
  make_xfs(plain, "-m crc=0");
  make_xfs(small, "-m crc=0 -b size=1024 -n ftype=1 -i size=256");
  make_xfs(least, "-m crc=0 -b size=512 -i size=256");
  make_xfs(crashed, "--unsupported -m crc=0 -l size=5m");
  const auto script = [](const std::string& name) { return icecore::test::data_file("xfs/" + name).string(); };
  const std::string definitions = fmt::format(
      "populate='{}' churn='{}' tree='{}' out='{}'\nmkdir -p $out/mount\n"
      "dump() {{ mount -t xfs -o ro,norecovery $1 $out/mount; python3 $tree $out/mount > $out/$2; umount $out/mount; }}\n",
      script("populate.py"), icecore::test::data_file("churn.py").string(), script("tree.py"), scratch.path().string());
  run_in_guest(
      scratch.path(), {plain, small, crashed, least},
      definitions +
          "for disk in $disk0 $disk1 $disk3; do mount -t xfs -o noatime $disk $out/mount; python3 $populate $out/mount 3 60; umount $out/mount; "
          "done\n"
          "dump $disk0 plain.tree\ndump $disk1 small.tree\ndump $disk3 least.tree\n"
          "for seed in 1 2; do mount -t xfs -o noatime $disk2 $out/mount; CRASH=1 python3 $churn $out/mount $seed 1500; umount $out/mount; done\n"
          "dump $disk2 crashed.tree\n");
  copy_image(crashed, recovered);
  run_in_guest(scratch.path(), {recovered},
               definitions + "mount -t xfs -o noatime $disk0 $out/mount; umount $out/mount\ndump $disk0 recovered.tree\n");

  const Tree expected = printed_tree(scratch / "plain.tree");
  ASSERT_GT(expected.size(), 2000U);
  EXPECT_EQ(forms_on_disk(plain, expected, kPathsOfForms), kAllForms);
  expect_tree(expected, plain, "plain");
  expect_tree(printed_tree(scratch / "small.tree"), small, "small blocks and inodes, with types in directories");
  expect_tree(printed_tree(scratch / "least.tree"), least, "the smallest blocks");
  expect_tree(printed_tree(scratch / "recovered.tree"), crashed, "after a crash");
  EXPECT_NE(printed_tree(scratch / "recovered.tree"), printed_tree(scratch / "crashed.tree"));
}

}  // namespace
}  // namespace icecore::fs::xfs::test
