#include "machine/machine.h"

#include <gmock/gmock.h>

#include "support/fake_filesystem.h"
#include "support/support.h"

namespace icecore::machine {
namespace {

using test::FakeFilesystem;
using ::testing::ElementsAre;

struct World {
  std::shared_ptr<FakeFilesystem> root = std::make_shared<FakeFilesystem>(1 << 20);
  std::shared_ptr<FakeFilesystem> data = std::make_shared<FakeFilesystem>(0);
  Anomalies anomalies;

  World() {
    root->identity("6a1cec0e-2014-4000-8000-00000000c0de", "");
    data->identity("6a1cec0e-2014-4000-8000-0000000da7a0", "shop-data");
    root->folder("/etc");
    root->folder("/usr/bin");
    root->folder("/var");
    root->link("/bin", "usr/bin");
    root->file("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n");
    root->file("/usr/lib/os-release", "ID=debian\n");
    root->link("/etc/os-release", "../usr/lib/os-release");
    root->folder("/srv");
    root->file("/usr/bin/ss", "#!/bin/sh\n", {1700000000, 5});
    data->file("/www/index.php", "<?php");
  }
  void fstab(const std::string& line) { root->file("/etc/fstab", "UUID=6a1cec0e-2014-4000-8000-00000000c0de / ext4 rw 0 1\n" + line + "\n"); }
  MachinePtr assemble() {
    auto machine = Machine::assemble({{"snap-2", "vol-2", "/dev/sdf", std::nullopt, "", "", data}, {"snap-1", "vol-1", "/dev/xvda", 1, "", "", root}},
                                     anomalies);
    EXPECT_TRUE(machine) << to_string(machine.error());
    return *machine;
  }
};

TEST(Machine, MountsTheDataVolumeWhereFstabSays) {
  // The ways in which AWS, Xen and Nitro name the same second disk.
  for (const std::string spec : {"LABEL=shop-data", "LABEL=\"shop-data\"", "UUID=6A1CEC0E-2014-4000-8000-0000000DA7A0", "/dev/sdf", "/dev/xvdf",
                                 "/dev/disk/by-label/shop-data", "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol2"}) {
    World world;
    world.fstab(spec + " /srv xfs defaults,nofail 0 2");
    const auto machine = world.assemble();
    ASSERT_EQ(machine->mounts().size(), 2U) << spec;
    EXPECT_EQ(machine->mounts()[0].path, "/");
    EXPECT_EQ(machine->mounts()[1].path, "/srv") << spec;
    const auto file = machine->resolve("/srv/www/index.php");
    ICECORE_ASSERT_OK(file);
    EXPECT_EQ(machine->provenance(*file).volume, "vol-2");
    EXPECT_EQ(machine->provenance(*file).path, "/srv/www/index.php");
    EXPECT_TRUE(machine->missing_mounts().empty());
  }
}

TEST(Machine, WhatFstabDoesNotNameIsUnderVolumes) {
  World world;
  world.fstab("LABEL=elsewhere /srv xfs defaults 0 2");
  const auto machine = world.assemble();
  ICECORE_ASSERT_OK(machine->resolve("/volumes/vol-2/filesystem/www/index.php"));
  EXPECT_THAT(machine->missing_mounts(), ElementsAre("LABEL=elsewhere on /srv"));
  const auto top = machine->list(*machine->resolve("/"));
  ICECORE_ASSERT_OK(top);
  EXPECT_EQ(top->back().name, "volumes");  // bin etc srv usr var volumes
}

// md keeps the name that an array was given as it is, whatever that is.
TEST(Machine, AVolumesNameLeadsNowhereElse) {
  for (const std::string name : {"/dev/md/..", "/dev/md/.", "/dev/md/"}) {
    World world;
    auto machine = Machine::assemble({{"snap-2", "vol-2", "", std::nullopt, "", "", world.data, {name}}}, world.anomalies);
    ICECORE_ASSERT_OK(machine);
    ASSERT_EQ((*machine)->mounts().size(), 1U);
    EXPECT_EQ((*machine)->mounts()[0].path, "/volumes/disk-1/filesystem") << name;
  }
}

TEST(Machine, DataVolumesAloneHaveNoRoot) {
  Anomalies anomalies;
  auto data = std::make_shared<FakeFilesystem>();
  data->file("/a/b", "x");
  const auto machine = Machine::assemble({{"/cases/disk.raw", "", "", 2, "", "", data}}, anomalies);
  ICECORE_ASSERT_OK(machine);
  EXPECT_FALSE((*machine)->has_root());
  ICECORE_ASSERT_OK((*machine)->resolve("/volumes/disk.raw/partition-2/a/b"));
  EXPECT_EQ((*machine)->list(*(*machine)->resolve("/volumes"))->front().name, "disk.raw");
  std::vector<std::string> seen;
  ICECORE_ASSERT_OK((*machine)->walk("/", [&](const FileRef& file) {
    seen.push_back(file.path);
    return Walk::kEnter;
  }));
  EXPECT_THAT(seen, ElementsAre("/volumes", "/volumes/disk.raw", "/volumes/disk.raw/partition-2", "/volumes/disk.raw/partition-2/a",
                                "/volumes/disk.raw/partition-2/a/b"));
  ICECORE_EXPECT_CODE(Machine::assemble({}, anomalies), Code::kInvalidArgument);
}

TEST(Machine, ACopyOfAnotherRootIsNotTheRoot) {
  World world;
  world.fstab("LABEL=shop-data /srv xfs defaults 0 2");
  for (const std::string folder : {"/etc", "/usr", "/bin", "/sbin", "/lib", "/var"}) world.data->folder(folder);
  for (const std::string file : {"/etc/os-release", "/usr/lib/os-release", "/etc/passwd"}) world.data->file(file, "");
  world.data->file("/etc/fstab", "UUID=0000 / ext4 rw 0 1\n");
  EXPECT_EQ(world.assemble()->provenance(*world.assemble()->resolve("/etc/passwd")).volume, "vol-1");
}

TEST(Machine, LinksStayInside) {
  World world;
  world.fstab("LABEL=shop-data /srv xfs defaults 0 2");
  world.data->link("/up", "../../../../etc/passwd");
  world.data->link("/absolute", "/etc/os-release");
  world.root->link("/loop", "/loop");
  world.root->link("/a", "b/");
  world.root->link("/b", "a/");
  world.root->link("/null", "/dev/null");
  const auto machine = world.assemble();
  EXPECT_EQ(machine->resolve("/srv/up")->path, "/etc/passwd");
  EXPECT_EQ(machine->resolve("/srv/absolute")->path, "/usr/lib/os-release");
  EXPECT_EQ(machine->resolve("/srv/www/../../bin/./ss")->path, "/usr/bin/ss");
  EXPECT_EQ(machine->resolve("/../..")->path, "/");
  EXPECT_EQ(machine->resolve("/bin/ss", Links::kKeep)->path, "/usr/bin/ss");
  EXPECT_EQ(machine->resolve("/bin", Links::kKeep)->info.type, fs::FileType::kSymlink);
  EXPECT_EQ(machine->resolve("/bin/", Links::kKeep)->info.type, fs::FileType::kDirectory);
  ICECORE_EXPECT_CODE(machine->resolve("/loop"), Code::kInvalidArgument);
  ICECORE_EXPECT_CODE(machine->resolve("/a"), Code::kInvalidArgument);
  ICECORE_EXPECT_CODE(machine->resolve("/null"), Code::kNotFound);
  ICECORE_EXPECT_CODE(machine->resolve("/etc/passwd/x"), Code::kInvalidArgument);
}

TEST(Machine, FindsByPatternHiddenNamesToo) {
  World world;
  world.fstab("LABEL=shop-data /srv xfs defaults 0 2");
  world.root->file("/home/admin/.bash_history", "ls\n");
  world.root->link("/home/.ghost/.bash_history", "/dev/null");
  world.root->file("/home/admin/.profile", "");
  const auto machine = world.assemble();
  const auto paths = [&](std::string_view pattern, Links links) {
    std::vector<std::string> found;
    const auto files = machine->glob(pattern, links);
    for (const FileRef& file : *files) found.push_back(file.path);
    return found;
  };
  EXPECT_THAT(paths("/home/*/.bash_history", Links::kKeep), ElementsAre("/home/.ghost/.bash_history", "/home/admin/.bash_history"));
  EXPECT_THAT(paths("/home/*/.bash_history", Links::kFollow), ElementsAre("/home/admin/.bash_history"));
  EXPECT_THAT(paths("/bin/s?", Links::kFollow), ElementsAre("/usr/bin/ss"));
  EXPECT_THAT(paths("/srv/*/[a-i]*.php", Links::kFollow), ElementsAre("/srv/www/index.php"));
  EXPECT_EQ(world.anomalies.count(), 0U);
}

TEST(Machine, DamageIsReportedOnceAndTheRestIsRead) {
  World world;
  world.fstab("");
  const auto bad = world.root->file("/etc/cron.d/bad", "x");
  world.root->file("/etc/cron.d/good", "y");
  world.root->damage(bad);
  const auto machine = world.assemble();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(machine->content("/etc/cron.d/bad")->has_value(), false);
    EXPECT_EQ(machine->content("/etc/cron.d/good")->value(), "y");
  }
  ASSERT_EQ(world.anomalies.count(), 1U);
  EXPECT_EQ(world.anomalies.list()[0].error.where->path, "/etc/cron.d/bad");
}

TEST(Machine, WhatIsNotDamageEndsTheRun) {
  for (const Code code : {Code::kIntegrity, Code::kNetwork, Code::kInterrupted}) {
    World world;
    world.fstab("");
    world.root->damage(world.root->file("/etc/cron.d/x", "x"), code);
    const auto machine = world.assemble();
    ICECORE_EXPECT_CODE(machine->content("/etc/cron.d/x"), code);
    EXPECT_EQ(world.anomalies.count(), 0U);
  }
}

TEST(Machine, AFolderInItselfDoesNotHangTheWalk) {
  World world;
  world.fstab("");
  const auto folder = world.root->folder("/tmp/a");
  world.root->name(folder, "again", folder);
  world.root->name(folder, "..", 2);
  world.root->name(folder, "x/y", 2);
  const auto machine = world.assemble();
  std::size_t count = 0;
  ICECORE_ASSERT_OK(machine->walk("/tmp", [&](const FileRef&) { return ++count, Walk::kEnter; }));
  EXPECT_EQ(count, 2U);  // a, a/again
  EXPECT_EQ(world.anomalies.count(), 2U);
}

TEST(Machine, SaysWhereContentLiesInTheImage) {
  World world;
  world.fstab("");
  world.root->file("/var/log/big", std::string(10'000, 'x'), {1'764'000'000, 123'456'789});
  const auto machine = world.assemble();
  const auto file = machine->resolve("/var/log/big");
  ICECORE_ASSERT_OK(file);
  const auto all = machine->content_extents(*file);
  ICECORE_ASSERT_OK(all);
  ASSERT_EQ(all->size(), 1U);
  EXPECT_EQ(all->front().length, 10'000U);  // not the rest of its last block
  EXPECT_EQ(machine->content_extents(*file, 5000, 10)->front(), (ImageRange{all->front().offset + 5000, 10}));
  const Provenance where = machine->provenance(*file);
  EXPECT_EQ(where.image_offset, all->front().offset);
  EXPECT_GE(all->front().offset, 1U << 20);
  EXPECT_EQ(where.snapshot, "snap-1");
  EXPECT_EQ(where.partition, 1U);
  EXPECT_EQ(where.inode, file->info.inode);
  EXPECT_EQ(where.time, (Timestamp{1'764'000'000, 123'456'789}));
  ICECORE_ASSERT_OK(machine->prefetch({&*file, 1}));
  EXPECT_FALSE(world.root->fake_source().prefetched.empty());
}

}  // namespace
}  // namespace icecore::machine
