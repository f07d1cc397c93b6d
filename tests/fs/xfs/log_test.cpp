// Disks of machines that were running: our replay in memory held against the kernel's recovery of a copy, and the view without it against a mount
// with norecovery.
#include <gtest/gtest.h>

#include "fs/xfs/tree.h"
#include "fs/xfs/xfs.h"
#include "fs/xfs/xfs_image.h"

namespace icecore::fs::xfs::test {
namespace {

using icecore::test::ScratchFolder;

Tree mounted_tree(const Path& image, const Path& folder, const std::string& options) {
  const Mount mount(image, folder, options);
  EXPECT_TRUE(mount.ok()) << mount.message();
  return mount.ok() ? kernel_tree(mount.folder()) : Tree{};
}

void expect_no_anomalies(const Anomalies& anomalies) {
  for (const Anomaly& anomaly : anomalies.list()) ADD_FAILURE() << anomaly.kind << ": " << to_string(anomaly.error);
}

struct Views {
  Tree recovered, as_on_disk;
};

/// Both of our views of `image` against the kernel's.
Views compare_views(const Path& image, const ScratchFolder& scratch) {
  const Path copy = scratch / "recovered";
  copy_image(image, copy);
  // The first mount recovers; the tree is read from a second one, since recovery itself changes no file.
  mounted_tree(copy, scratch / "mount", "noatime");
  const Tree kernel_recovered = mounted_tree(copy, scratch / "mount", "ro,norecovery");
  Tree kernel_as_is = mounted_tree(image, scratch / "mount", "ro,norecovery");

  Views views;
  Anomalies anomalies;
  const auto recovered = xfs::open(open_image(image), {JournalView::kRecovered}, anomalies);
  EXPECT_TRUE(recovered.has_value()) << to_string(recovered.error());
  if (!recovered) return views;
  views.recovered = our_tree(**recovered);
  expect_same_tree(kernel_recovered, views.recovered, "recovered, one by one");
  const auto table = (*recovered)->sweep({}, anomalies, no_progress());
  EXPECT_TRUE(table.has_value());
  if (table) expect_same_tree(without_contents(kernel_recovered), swept_tree(*table), "recovered, sweep");
  expect_no_anomalies(anomalies);

  Anomalies of_disk;
  const auto as_is = xfs::open(open_image(image), {JournalView::kAsOnDisk}, of_disk);
  EXPECT_TRUE(as_is.has_value());
  if (!as_is) return views;
  views.as_on_disk = our_tree(**as_is);
  Tree ours_as_is = views.as_on_disk;
  drop_refused(kernel_as_is, ours_as_is);
  expect_same_tree(kernel_as_is, ours_as_is, "as on disk");
  EXPECT_EQ((*recovered)->info().journal_replayed, views.recovered != views.as_on_disk);
  return views;
}

// shared/machines.md: tools that skip the log saw 300 of 650 files.
TEST(XfsLog, OneFsyncShowsWhatTheMachineDidLast) {
  const ScratchFolder scratch;
  const Path disk = scratch / "disk", image = scratch / "image";
  make_xfs(disk, "");
  {
    const Mount mount(disk, scratch / "live", "noatime");
    ASSERT_TRUE(mount.ok()) << mount.message();
    const std::string in = "cd '" + mount.folder().string() + "' && ";
    run_ok(in + "mkdir d && for i in $(seq 300); do echo $i > d/$i; done && sync -f . && xfs_freeze -f . && xfs_freeze -u .");
    run_ok(in +
           "for i in $(seq 400); do echo new > d/new$i; done; for i in $(seq 50); do rm d/$i; done; "
           "for i in $(seq 51 70); do mv d/$i d/moved$i; done; for i in $(seq 71 90); do echo more >> d/$i; done; sync d/new400");
    copy_image(disk, image);
  }
  const Views views = compare_views(image, scratch);
  const auto files = [](const Tree& tree) { return std::ranges::count_if(tree, [](const auto& item) { return item.first.starts_with("/d/"); }); };
  EXPECT_EQ(files(views.as_on_disk), 300);
  EXPECT_EQ(files(views.recovered), 650);
}

struct Crash {
  std::string name;
  std::string options;
  unsigned seed = 0, acts = 0, rounds = 1;
};

class XfsCrash : public testing::TestWithParam<Crash> {};

TEST_P(XfsCrash, IsRecoveredAsTheKernelDoes) {
  const ScratchFolder scratch;
  const Path image = scratch / "image";
  make_xfs(image, GetParam().options);
  const std::string churn = icecore::test::data_file("xfs/churn.py").string();
  for (unsigned round = 0; round < GetParam().rounds; ++round) {
    const Mount mount(image, scratch / "live", "noatime");
    ASSERT_TRUE(mount.ok()) << mount.message();
    run_ok(fmt::format("CRASH=1 python3 '{}' '{}' {} {}", churn, mount.folder().string(), GetParam().seed + round, GetParam().acts));
  }
  const Views views = compare_views(image, scratch);
  EXPECT_NE(views.recovered, views.as_on_disk);
}

INSTANTIATE_TEST_SUITE_P(Mkfs, XfsCrash,
                         testing::Values(Crash{"defaults", "", 1, 1500, 2}, Crash{"short", "", 10, 40, 1},
                                         Crash{"reverse_map_nrext64", "-m rmapbt=1 -i nrext64=1", 20, 800, 1},
                                         Crash{"small_blocks_small_log", "--unsupported -b size=1024 -n size=4096 -l size=4m", 30, 2500, 3},
                                         Crash{"stripe_unit_no_bigtime", "-m bigtime=0,reflink=0 -l su=256k -s size=4096", 40, 800, 1}),
                         [](const auto& variant) { return variant.param.name; });

}  // namespace
}  // namespace icecore::fs::xfs::test
