#include "machine/fstab.h"

#include <gmock/gmock.h>

#include "machine/pattern.h"
#include "support/fake_filesystem.h"
#include "support/support.h"

namespace icecore::machine {
namespace {

TEST(Fstab, ReadsLinesAsMountDoes) {
  const auto entries = parse_fstab("# comment\n\nUUID=1  /  ext4 defaults 0 1\n/dev/sdb1\t/mnt/two\\040words xfs ro\n  LABEL=x /srv\nlonely\n");
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].line, 3U);
  EXPECT_EQ(entries[1].path, "/mnt/two words");
  EXPECT_EQ(entries[1].options, "ro");
  EXPECT_EQ(entries[2].type, "auto");
}

TEST(Fstab, DeviceNamesOfXenAndNitroMeanTheSameDisk) {
  const auto any = std::make_shared<test::FakeFilesystem>();
  const std::vector<Partition> partitions = {{"snap-1", "vol-1", "/dev/sda1", 1, "aaaa", "root", any},
                                             {"snap-1", "vol-1", "/dev/sda1", 15, "bbbb", "efi", any},
                                             {"snap-2", "vol-2", "/dev/sdf", std::nullopt, "", "", any}};
  EXPECT_EQ(match_spec("/dev/sda1", partitions), 0U);
  EXPECT_EQ(match_spec("/dev/xvda15", partitions), 1U);
  EXPECT_EQ(match_spec("/dev/nvme0n1p1", partitions), 0U);
  EXPECT_EQ(match_spec("/dev/nvme1n1", partitions), 2U);
  EXPECT_EQ(match_spec("/dev/xvdf", partitions), 2U);
  EXPECT_EQ(match_spec("PARTUUID=BBBB", partitions), 1U);
  EXPECT_EQ(match_spec("PARTLABEL=root", partitions), 0U);
  EXPECT_EQ(match_spec("/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol1-part15", partitions), 1U);
  for (const std::string spec : {"/dev/xvdg", "/dev/nvme7n1", "/dev/sda2", "UUID=", "LABEL=", "/dev/", "/dev/nvmen1p", "tmpfs", ""})
    EXPECT_EQ(match_spec(spec, partitions), std::nullopt) << spec;
}

TEST(Fstab, LogicalVolumesArraysAndEncryptedVolumesAreFoundByAnyOfTheirNames) {
  const auto any = std::make_shared<test::FakeFilesystem>();
  std::vector<Partition> partitions = {{"snap-1", "vol-1", "/dev/sda", 1, "", "", any},
                                       {"snap-1", "vol-1", "", std::nullopt, "", "", any, {"/dev/mapper/vg-lv", "/dev/vg/lv"}},
                                       {"snap-2", "vol-2", "", std::nullopt, "", "", any, {"/dev/md0", "/dev/md/0"}},
                                       {"snap-2", "vol-2", "", std::nullopt, "", "", any, {"/dev/mapper/luks-12ab-34"}}};
  EXPECT_EQ(match_spec("/dev/vg/lv", partitions), 1U);
  EXPECT_EQ(match_spec("/dev/mapper/vg-lv", partitions), 1U);
  EXPECT_EQ(match_spec("/dev/md0", partitions), 2U);
  EXPECT_EQ(match_spec("/dev/nvme1n1", partitions), std::nullopt);  // a disk that only holds parts of others
  const std::string crypttab = "# name device key\nother UUID=99 none\ndata\tUUID=12AB-34  none luks\n";
  EXPECT_EQ(match_spec(crypttab_device(crypttab, "/dev/mapper/data"), partitions), 3U);
  EXPECT_EQ(crypttab_device(crypttab, "/dev/mapper/nothing"), "");
  EXPECT_EQ(crypttab_device(crypttab, "/dev/data"), "");
}

// bash's own matching of the same pattern is the oracle.
TEST(Pattern, AgreesWithTheShell) {
  for (const std::string pattern : {"*", "a*b", "?", "[a-c]x", "[!a]x", "*.log*", "a\\*", "[x", "", "**a**", "[]]", "[a-]"}) {
    for (const std::string name : {"", "a", "ab", "axxb", "bx", "dx", "auth.log.1", "a*", "[x", "aaa", "]", "-"}) {
      const bool shell = test::run("bash -c 'case \"$1\" in $0) exit 0;; esac; exit 1' '" + pattern + "' '" + name + "'").exit_code == 0;
      EXPECT_EQ(matches_pattern(pattern, name), shell) << pattern << " " << name;
    }
  }
}

}  // namespace
}  // namespace icecore::machine
