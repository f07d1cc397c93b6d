// Every form that XFS has on the disk, held against the kernel's mount of the same image: names, four times to the nanosecond, owners, modes, sizes,
// contents, links, attributes.
#include "fs/xfs/xfs.h"

#include <gtest/gtest.h>

#include "fs/xfs/agreement.h"
#include "fs/xfs/xfs_db.h"
#include "fs/xfs/xfs_image.h"

namespace icecore::fs::xfs::test {
namespace {

struct Variant {
  std::string name;
  std::string options;
  bool far_times = true;
  unsigned block = 4096;
  bool all_forms = true;  ///< of directories, forks, links and attributes: larger blocks and inodes hold more, so need fewer of them
};

class XfsForms : public testing::TestWithParam<Variant> {};

TEST_P(XfsForms, AreReadAsTheKernelReadsThem) {
  const icecore::test::ScratchFolder scratch;
  const auto image = scratch / "image";
  const bool large_blocks = GetParam().block > 4096;
  make_xfs(image, fmt::format("-b size={} {}", GetParam().block, GetParam().options), large_blocks ? 1200 : 320);
  {
    const Mount writable(image, scratch / "mount", "noatime");
    if (large_blocks && !writable.ok()) GTEST_SKIP() << "this kernel has no blocks larger than its pages: " << writable.message();
    ASSERT_TRUE(writable.ok()) << writable.message();
    populate(writable.folder(), 7, large_blocks ? 60 : 100, GetParam().far_times);
  }
  const Tree expected = mounted_tree(image, scratch / "mount", "ro,norecovery");
  ASSERT_GT(expected.size(), 2000U);
  if (GetParam().all_forms) {
    EXPECT_EQ(forms_on_disk(image, expected, kPathsOfForms), kAllForms);
  }

  const FilesystemPtr filesystem = expect_tree(expected, image, GetParam().name);
  ASSERT_NE(filesystem, nullptr);
  EXPECT_FALSE(filesystem->info().journal_replayed);
}

INSTANTIATE_TEST_SUITE_P(Mkfs, XfsForms,
                         testing::Values(Variant{"defaults", ""},

                                         Variant{"reverse_map_no_bigtime", "-m rmapbt=1,reflink=1,bigtime=0", false},
                                         Variant{"no_reflink_no_finobt", "-m reflink=0,finobt=0,inobtcount=0 -i sparse=0"},
                                         Variant{"nrext64", "-i nrext64=1,size=1024 -n size=8192", true, 4096, false},
                                         Variant{"blocks_of_1k", "-n size=4096", true, 1024}, Variant{"blocks_of_2k", "-m rmapbt=1", true, 2048},
                                         Variant{"blocks_of_8k", "-i size=2048", true, 8192, false}, Variant{"blocks_of_16k", "", true, 16384, false},
                                         Variant{"blocks_of_32k", "-i nrext64=1", true, 32768, false},
                                         Variant{"blocks_of_64k", "-m bigtime=0", false, 65536, false},
                                         Variant{"big_inodes_64k_directories", "-i size=2048 -n size=65536 -s size=4096", true, 4096, false}),
                         [](const auto& variant) { return variant.param.name; });

}  // namespace
}  // namespace icecore::fs::xfs::test
