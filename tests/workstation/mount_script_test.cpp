#include "workstation/mount_script.h"

#include "core/file.h"
#include "support/support.h"

namespace icecore::workstation {
namespace {

AttachedCopy copy_of(const std::string& snapshot, const std::string& volume, View view) {
  AttachedCopy copy;
  copy.copy.snapshot.snapshot = snapshot;
  copy.copy.snapshot.volume = volume;
  copy.copy.view = view;
  copy.volume = "vol-0123456789abcdef0";
  copy.device = "/dev/sdf";
  copy.size_gib = 4;
  return copy;
}

TEST(MountScript, NamesEachDiskBySerialPlaceSizeFolderAndView) {
  const std::string script = mount_script({copy_of("snap-1", "vol-0a", View::kRecovered), copy_of("snap-1", "vol-0a", View::kAsIs)});
  EXPECT_NE(script.find("volume 'vol-0123456789abcdef0' 'vol0123456789abcdef0' 'f' 4 'vol-0a' 'recovered'\n"), std::string::npos);
  EXPECT_NE(script.find("4 'vol-0a.as-is' 'as-is'\n"), std::string::npos);
}

TEST(MountScript, ACopiedSnapshotIsNamedByItselfSinceAllCopiesShareOneVolumeId) {
  EXPECT_EQ(copy_of("snap-0c", "vol-ffffffff", View::kWritable).copy.folder(), "snap-0c.writable");
  EXPECT_EQ(copy_of("snap-0c", "", View::kRecovered).copy.folder(), "snap-0c");
}

TEST(MountScript, HostileNamesStayWords) {
  AttachedCopy copy = copy_of("snap-1", "vol-0a'; reboot #", View::kRecovered);
  copy.device = "/dev/sdf$(reboot)";
  const std::string script = mount_script({copy});
  EXPECT_EQ(script.find("'; reboot"), std::string::npos);
  EXPECT_EQ(script.find("$(reboot)"), std::string::npos);
}

// dash is the strictest shell that a workstation may have as /bin/sh.
TEST(MountScript, IsPosixShell) {
  const test::ScratchFolder folder;
  const auto copy = copy_of("snap-1", "vol-0a", View::kRecovered);
  for (const std::string& script : {mount_script({copy}), unmount_script({copy}, true)}) {
    const auto file = folder / "script.sh";
    ASSERT_TRUE(write_file_atomically(file, script));
    test::run_ok("dash -n " + file.string());
    test::run_ok("bash --posix -n " + file.string());
    test::run_ok("shellcheck -s sh -S warning " + file.string());
  }
}

TEST(MountScript, ReportsAreReadAndNoiseIsLeft) {
  const auto report = parse_report("noise\nicecore\tvol-1\t1\text4\trecovered\t/forensics/vol-1/1\t/dev/nvme1n1p1 ro\nicecore\ttoo\tfew\n");
  ASSERT_EQ(report.size(), 1U);
  EXPECT_EQ(report[0].state, "recovered");
  EXPECT_EQ(report[0].path, "/forensics/vol-1/1");
  EXPECT_FALSE(report[0].is_trouble());
}

TEST(FreeDevices, TheTwoSpellingsAreOnePlace) {
  aws::Instance instance;
  instance.root_device_name = "/dev/sda1";
  for (const char* name : {"/dev/xvda", "/dev/xvdf", "/dev/sdg", "sdh"}) instance.block_devices.emplace_back().device_name = name;
  const auto names = free_devices(instance);
  ASSERT_GE(names.size(), 30U) << "more places than a Nitro instance takes volumes";
  EXPECT_EQ(names.front(), "/dev/sdi");
}

}  // namespace
}  // namespace icecore::workstation
