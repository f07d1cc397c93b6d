// Every form that XFS has on the disk, held against the kernel's mount of the same image: names, four times to the nanosecond, owners, modes, sizes,
// contents, links, attributes.
#include "fs/xfs/xfs.h"

#include <gtest/gtest.h>

#include "fs/xfs/tree.h"
#include "fs/xfs/xfs_image.h"

namespace icecore::fs::xfs::test {
namespace {

struct Variant {
  std::string name;
  std::string options;
  bool far_times = true;
};

class XfsForms : public testing::TestWithParam<Variant> {};

TEST_P(XfsForms, AreReadAsTheKernelReadsThem) {
  const icecore::test::ScratchFolder scratch;
  const auto image = scratch / "image";
  make_xfs(image, GetParam().options);
  {
    const Mount writable(image, scratch / "mount", "noatime");
    ASSERT_TRUE(writable.ok()) << writable.message();
    populate(writable.folder(), 7, 100, GetParam().far_times);
  }
  Tree expected;
  {
    const Mount oracle(image, scratch / "mount", "ro,norecovery");
    ASSERT_TRUE(oracle.ok()) << oracle.message();
    expected = kernel_tree(oracle.folder());
  }
  ASSERT_GT(expected.size(), 3000U);

  Anomalies anomalies;
  const auto filesystem = xfs::open(open_image(image), {}, anomalies);
  ICECORE_ASSERT_OK(filesystem);
  expect_same_tree(expected, our_tree(**filesystem), "one by one");
  const auto table = (*filesystem)->sweep({}, anomalies, no_progress());
  ICECORE_ASSERT_OK(table);
  expect_same_tree(without_contents(expected), swept_tree(*table), "sweep");
  EXPECT_FALSE((*filesystem)->info().journal_replayed);
  for (const Anomaly& anomaly : anomalies.list()) ADD_FAILURE() << anomaly.kind << ": " << to_string(anomaly.error);
}

INSTANTIATE_TEST_SUITE_P(Mkfs, XfsForms,
                         testing::Values(Variant{"defaults", ""},

                                         Variant{"reverse_map_no_bigtime", "-m rmapbt=1,reflink=1,bigtime=0", false},
                                         Variant{"no_reflink_no_finobt", "-m reflink=0,finobt=0,inobtcount=0 -i sparse=0"},
                                         Variant{"nrext64", "-i nrext64=1,size=1024 -n size=8192"},
                                         Variant{"small_blocks", "-b size=1024 -n size=4096"},
                                         Variant{"big_inodes_64k_directories", "-i size=2048 -n size=65536 -s size=4096"}),
                         [](const auto& variant) { return variant.param.name; });

}  // namespace
}  // namespace icecore::fs::xfs::test
