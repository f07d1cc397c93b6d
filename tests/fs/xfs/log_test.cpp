// Disks of machines that were running: our replay in memory held against the kernel's recovery of a copy, and the view without it against a mount
// with norecovery.
#include <gtest/gtest.h>

#include "fs/xfs/agreement.h"
#include "fs/xfs/log_find.h"
#include "fs/xfs/log_intents.h"
#include "fs/xfs/xfs.h"
#include "fs/xfs/xfs_image.h"

namespace icecore::fs::xfs::test {
namespace {

using icecore::test::ScratchFolder;

void expect_no_anomalies(const Anomalies& anomalies) {
  for (const Anomaly& anomaly : anomalies.list()) ADD_FAILURE() << anomaly.kind << ": " << to_string(anomaly.error);
}

struct Views {
  Tree recovered, as_on_disk;
};

/// Both of our views of `image` against the kernel's. `torn`: the log's last record is, and only that is an anomaly.
Views compare_views(const Path& image, const ScratchFolder& scratch, bool torn = false) {
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
  if (table) expect_no_nameless(*table, "recovered");
  if (torn) {
    EXPECT_EQ(anomalies.count(), 1U);
    for (const Anomaly& anomaly : anomalies.list()) EXPECT_EQ(anomaly.kind, "xfs.log-torn") << to_string(anomaly.error);
  } else {
    expect_no_anomalies(anomalies);
  }

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
  const auto files = [](const Tree& tree) { return std::ranges::count_if(tree, [](const auto& item) { return item.first.starts_with("/d/"); }); };
  ASSERT_TRUE(icecore::test::until_undisturbed([&] {
    make_xfs(disk, "");
    {
      const Mount mount(disk, scratch / "live", "noatime");
      EXPECT_TRUE(mount.ok()) << mount.message();
      const std::string in = "cd '" + mount.folder().string() + "' && ";
      run_ok(in + "mkdir d && for i in $(seq 300); do echo $i > d/$i; done && sync -f . && xfs_freeze -f . && xfs_freeze -u .");
      run_ok(in +
             "for i in $(seq 400); do echo new > d/new$i; done; for i in $(seq 50); do rm d/$i; done; "
             "for i in $(seq 51 70); do mv d/$i d/moved$i; done; for i in $(seq 71 90); do echo more >> d/$i; done; sync d/new400");
      copy_image(disk, image);
    }
    copy_image(image, scratch / "probe");
    mounted_tree(scratch / "probe", scratch / "mount", "noatime");
    return files(mounted_tree(scratch / "probe", scratch / "mount", "ro,norecovery")) == 650 &&
           files(mounted_tree(image, scratch / "mount", "ro,norecovery")) == 300;
  })) << "the image should have two views";
  const Views views = compare_views(image, scratch);
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
  const std::string churn = icecore::test::data_file("churn.py").string();
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

// Two fsyncs, the second's record half written: the kernel recovers to the first, and so do we.
TEST(XfsLog, TornLastRecordIsLeftOut) {
  const ScratchFolder scratch;
  const Path image = scratch / "image";
  make_xfs(image, "");
  {
    const Mount mount(image, scratch / "live", "noatime");
    ASSERT_TRUE(mount.ok()) << mount.message();
    run_ok("cd '" + mount.folder().string() +
           "' && echo 1 > one && sync -f . && for i in 2 3 4; do echo $i > file$i; xfs_io -c fsync file$i; done && xfs_io -x -c shutdown .");
  }
  {
    const image::SourcePtr source = open_image(image);
    const auto sector = Reader{source, {}}.bytes(0, 4096);
    ICECORE_ASSERT_OK(sector);
    const auto super = parse_superblock(*sector, "image");
    ICECORE_ASSERT_OK(super);
    const auto device = LogDevice::open(Reader{source, *super});
    ICECORE_ASSERT_OK(device);
    const auto bounds = find_log_bounds(*device);
    ICECORE_ASSERT_OK(bounds);
    ASSERT_FALSE(bounds->clean);
    // The byte is not the first word of its block, so the cycle numbers stay as they are.
    run_ok(fmt::format("printf '\\xff\\xfe\\xfd' | dd of='{}' bs=1 seek={} conv=notrunc status=none", image.string(),
                       device->offset(bounds->head - 1) + 100));
  }
  const Views views = compare_views(image, scratch, true);
  EXPECT_TRUE(views.recovered.contains("/file3"));
  EXPECT_FALSE(views.recovered.contains("/file4"));
}

// xfs_bmap_finish_one: what an unfinished block mapping update leaves to be done.
TEST(XfsLog, PendingMappingsAreAppliedInOrder) {
  const std::vector<Mapping> mappings{{0, 100, 10, false}, {20, 200, 5, true}};
  const std::vector<PendingMap> pending{
      {7, {3, 103, 2, false}, false, true}, {8, {0, 0, 9, false}, false, true}, {7, {3, 900, 2, false}, false, false}};
  const auto after = apply_pending(mappings, 7, false, pending);
  ASSERT_EQ(after.size(), 4U);
  const std::vector<std::uint64_t> blocks{after[0].fs_block, after[1].fs_block, after[2].fs_block, after[3].fs_block};
  EXPECT_EQ(blocks, (std::vector<std::uint64_t>{100, 900, 105, 200}));
  EXPECT_EQ(after[2].file_block, 5U);
  EXPECT_EQ(after[2].count, 5U);
  EXPECT_TRUE(after[3].unwritten);
}

}  // namespace
}  // namespace icecore::fs::xfs::test
