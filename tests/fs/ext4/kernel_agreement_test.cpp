// Our reading of ext2/3/4 against the kernel's mount of the same image: names, four times to the nanosecond, modes, owners, sizes, device numbers,
// contents and extended attributes, for every layout that mke2fs makes.
#include <fmt/format.h>

#include "fs/ext4/ext4_support.h"

namespace icecore::test::ext4 {
namespace {

struct Layout {
  std::string name, mkfs, features;
};

class KernelAgreement : public testing::TestWithParam<Layout> {};

TEST_P(KernelAgreement, EveryFileReadsAsTheKernelReadsIt) {
  const ScratchFolder scratch;
  const auto image = scratch / "image";
  make_image(image, 96, GetParam().mkfs);
  {
    const LoopMount mount(image, scratch / "mnt", "rw");
    ASSERT_TRUE(mount.mounted());
    populate(mount.path(), GetParam().features);
  }
  Listing kernel;
  {
    const LoopMount mount(image, scratch / "mnt", "ro,noatime");
    kernel = kernel_listing(mount.path());
  }
  ASSERT_GT(kernel.size(), 1100U);
  Anomalies anomalies;
  const auto filesystem = open_image(image, fs::JournalView::kRecovered, anomalies);
  ASSERT_NE(filesystem, nullptr);
  EXPECT_EQ(difference(kernel, sweep_listing(*filesystem)), "");
  EXPECT_EQ(difference(kernel, walk_listing(*filesystem)), "");
  EXPECT_EQ(text_of(anomalies), "");
  EXPECT_FALSE(filesystem->info().journal_replayed);
}

INSTANTIATE_TEST_SUITE_P(Layouts, KernelAgreement,
                         testing::Values(Layout{"AsToday", "mkfs.ext4 -q", ""}, Layout{"Block1k", "mkfs.ext4 -q -b 1024 -N 20000", ""},
                                         Layout{"Ext2", "mkfs.ext2 -q -b 1024 -I 128 -N 20000", "small_inode"},
                                         Layout{"Ext2Block4k", "mkfs.ext2 -q -b 4096", ""}, Layout{"Ext3", "mkfs.ext3 -q -b 2048", ""},
                                         Layout{"NoChecksums", "mkfs.ext4 -q -O ^metadata_csum,^64bit,uninit_bg", ""},
                                         Layout{"InodeOf128", "mkfs.ext4 -q -I 128", "small_inode"},
                                         Layout{"InodeOf1024", "mkfs.ext4 -q -I 1024", ""}, Layout{"InlineData", "mkfs.ext4 -q -O inline_data", ""},
                                         Layout{"InlineDataBigInodes", "mkfs.ext4 -q -O inline_data -I 512 -b 1024 -N 20000", ""},
                                         Layout{"Bigalloc", "mkfs.ext4 -q -O bigalloc -C 16384", ""},
                                         Layout{"MetaBg", "mkfs.ext4 -q -b 1024 -O meta_bg,^resize_inode -N 20000", ""},
                                         Layout{"NoFlexSparse2", "mkfs.ext4 -q -b 1024 -O ^flex_bg,sparse_super2,^resize_inode -N 20000", ""},
                                         Layout{"AttributeInodes", "mkfs.ext4 -q -O ea_inode,large_dir", "ea_inode"},
                                         Layout{"OrphanFileNoJournal", "mkfs.ext4 -q -O ^has_journal", ""}),
                         [](const auto& layout) { return layout.param.name; });

// Features that the build machine's kernel may lack (quota, unicode): the image is made with them by mke2fs from a folder; the kernel mounts a copy
// whose feature bits alone were cleared, so that all other bytes are the same.
TEST(KernelAgreementOnACopy, QuotaProjectCasefoldOrphanFile) {
  const ScratchFolder scratch;
  const auto source = scratch / "source";
  std::filesystem::create_directories(source);
  run_ok(fmt::format(
      "cd {} && mkdir -p deep/er && for i in $(seq 300); do echo $i > deep/$i; done; cp -a /usr/share/common-licenses deep/er/; ln -s x link",
      source.string()));
  const auto image = scratch / "image", copy = scratch / "copy";
  make_image(
      image, 64,
      fmt::format("mkfs.ext4 -q -O casefold,quota,project,orphan_file,stable_inodes -E quotatype=usrquota:grpquota:prjquota -d {}", source.string()));
  run_ok(
      fmt::format("cp --sparse=always {0} {1} && debugfs -w -R 'feature -casefold -quota -project' {1} 2>/dev/null", image.string(), copy.string()));
  Anomalies anomalies;
  const auto filesystem = open_image(image, fs::JournalView::kRecovered, anomalies);
  ASSERT_NE(filesystem, nullptr);
  const LoopMount mount(copy, scratch / "mnt", "ro,noatime");
  ASSERT_TRUE(mount.mounted());
  const Listing kernel = kernel_listing(mount.path());
  ASSERT_GT(kernel.size(), 300U);
  EXPECT_EQ(difference(kernel, sweep_listing(*filesystem)), "");
  EXPECT_EQ(difference(kernel, walk_listing(*filesystem)), "");
  EXPECT_EQ(text_of(anomalies), "");
}

}  // namespace
}  // namespace icecore::test::ext4
