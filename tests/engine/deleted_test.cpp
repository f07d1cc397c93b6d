// Where a deleted file lay, on a volume that spans disks.
#include "engine/deleted.h"

#include <gtest/gtest.h>

#include "support/fake_machine.h"

namespace icecore::engine {
namespace {

TEST(DeletedProvenance, NamesTheDiskOnWhichItsContentLay) {
  const auto filesystem = std::make_shared<test::FakeFilesystem>(7 << 20);
  machine::Partition partition{"snap-first", "vol-first", "/dev/sdf", std::nullopt, "", "", filesystem, {"/dev/mapper/vg-lv"}};
  partition.disks = {{nullptr, "snap-first", "vol-first"}, {&filesystem->source(), "snap-second", "vol-second"}};
  Anomalies anomalies;
  const auto machine = machine::Machine::assemble({partition}, anomalies);
  ICECORE_ASSERT_OK(machine);
  fs::DeletedFile file;
  file.info.inode = 30;
  file.extents = {{{0, 8192, 4096, false}, true}};
  const Provenance where = provenance_of(**machine, 0, file);
  EXPECT_EQ(where.snapshot, "snap-second");
  EXPECT_EQ(where.volume, "vol-second");
  EXPECT_EQ(where.image_offset, (7 << 20) + 8192U);
}

}  // namespace
}  // namespace icecore::engine
