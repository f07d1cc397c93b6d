// Every checksum that we hold: one byte of its block changed that nothing else depends on (the LSN), xfs_db or the kernel as the witness that the
// block is bad now, and our reader says so: an anomaly where the sweep sees it, a refusal where a file's content, link or attributes depend on it.
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "fs/xfs/xfs.h"
#include "fs/xfs/xfs_db.h"

namespace icecore::fs::xfs::test {
namespace {

class XfsChecksums : public testing::Test {
 protected:
  void SetUp() override {
    make_xfs(image_, "");
    const Mount mount(image_, scratch_ / "mount", "noatime");
    ASSERT_TRUE(mount.ok()) << mount.message();
    populate(mount.folder(), 7, 100, false);
    for (const std::string name : {"block", "pieces", "fragmented", "link-long", "attributes/leaf", "attributes/tree", "attributes/remote"})
      inodes_[name] = kernel_status(mount.folder().string() + "/" + name)->inode;
  }

  std::string go_to(const std::string& name) { return fmt::format("inode {}", inodes_.at(name)); }

  /// Turns the bits of one byte; once more puts them back.
  void flip(std::uint64_t offset) {
    run_ok(fmt::format("/usr/bin/python3 -c '\nf = open(\"{}\", \"r+b\"); f.seek({}); b = f.read(1)[0]; f.seek({}); f.write(bytes([b ^ 255]))'",
                       image_.string(), offset, offset));
  }

  /// The kinds of anomalies of all that looks at the whole disk.
  std::set<std::string> kinds() {
    Anomalies anomalies;
    const auto filesystem = xfs::open(open_image(image_), {}, anomalies);
    EXPECT_TRUE(filesystem.has_value());
    if (!filesystem) return {};
    const auto table = (*filesystem)->sweep({}, anomalies, no_progress());
    EXPECT_TRUE(table.has_value() && (*filesystem)->deleted_files(*table, PathIndex(*table), anomalies, no_progress()).has_value());
    std::set<std::string> found;
    for (const Anomaly& anomaly : anomalies.list()) found.insert(anomaly.kind);
    return found;
  }

  const icecore::test::ScratchFolder scratch_;
  const Path image_ = scratch_ / "image";
  std::map<std::string, std::uint64_t> inodes_;
};

TEST_F(XfsChecksums, OfWhatASweepReadsAreAnomalies) {
  struct Place {
    std::vector<std::string> way;
    std::uint64_t lsn;
    std::string kind;
  };
  const std::vector<Place> places{
      {{"sb 0"}, 240, "xfs.superblock-checksum"},
      {{"agi 0"}, 320, "xfs.group-checksum"},
      {{"agi 0", "addr root"}, 24, "xfs.inode-tree-checksum"},
      {{"agf 0"}, 208, "xfs.group-checksum"},
      {{"agf 0", "addr bnoroot"}, 24, "xfs.free-space-checksum"},
      {{go_to("block"), "dblock 0"}, 16, "xfs.directory-checksum"},
      {{go_to("pieces"), "addr u3.bmbt.ptrs[1]"}, 32, "xfs.extent-tree-checksum"},
  };
  EXPECT_EQ(kinds(), std::set<std::string>{});
  for (const Place& place : places) {
    const std::uint64_t offset = xfs_db_offset(image_, place.way) + place.lsn;
    flip(offset);
    auto check = place.way;
    check.emplace_back("crc -v");
    const std::string said = xfs_db(image_, check);
    EXPECT_TRUE(said.find("(bad)") != std::string::npos || said.find("Metadata CRC error detected") != std::string::npos)
        << place.way.back() << ": " << said;
    EXPECT_EQ(kinds(), std::set<std::string>{place.kind}) << place.way.back();
    flip(offset);
  }
  EXPECT_EQ(kinds(), std::set<std::string>{});
}

TEST_F(XfsChecksums, OfContentLinksAndAttributesAreRefusedAsTheKernelDoes) {
  using Ask = std::function<Result<std::string>(const Filesystem&, std::uint64_t)>;
  const Ask content = [](const Filesystem& filesystem, std::uint64_t inode) { return read_file(filesystem, inode, 64 << 20); };
  const Ask link = [](const Filesystem& filesystem, std::uint64_t inode) { return filesystem.readlink(inode); };
  const Ask attributes = [](const Filesystem& filesystem, std::uint64_t inode) { return filesystem.xattrs(inode).map(attributes_text); };
  struct Place {
    std::string name;
    std::string way;
    std::uint64_t lsn;
    Ask ask;
  };
  const std::vector<Place> places{
      {"fragmented", "addr u3.bmbt.ptrs[1]", 32, content}, {"link-long", "dblock 0", 48, link},
      {"attributes/leaf", "ablock 0", 24, attributes},     {"attributes/tree", "ablock 0", 24, attributes},
      {"attributes/tree", "ablock 1", 24, attributes},     {"attributes/remote", "ablock 1", 48, attributes},
      {"attributes/remote", "ablock 3", 48, attributes},
  };
  for (const Place& place : places) {
    const std::uint64_t offset = xfs_db_offset(image_, {go_to(place.name), place.way}) + place.lsn;
    for (const bool damaged : {false, true}) {
      if (damaged) flip(offset);
      const Mount mount(image_, scratch_ / "mount", "ro,norecovery");
      ASSERT_TRUE(mount.ok()) << mount.message();
      const std::string path = mount.folder().string() + "/" + place.name;
      // For kernel_content, a link that cannot be read is empty, and names that cannot be listed are none.
      const auto kernel = kernel_content(path, kernel_status(path).value());
      const bool refused = !kernel || kernel->ends_with(" -> ") || ::llistxattr(path.c_str(), nullptr, 0) < 0;
      EXPECT_EQ(refused, damaged) << place.name << " " << place.way;
      Anomalies anomalies;
      const auto filesystem = xfs::open(open_image(image_), {}, anomalies);
      ICECORE_ASSERT_OK(filesystem);
      const auto ours = place.ask(**filesystem, inodes_.at(place.name));
      ASSERT_EQ(ours.has_value(), !damaged) << place.name << " " << place.way;
      if (damaged) {
        EXPECT_NE(ours.error().message.find("checksum"), std::string::npos) << to_string(ours.error());
      }
    }
    flip(offset);
  }
}

}  // namespace
}  // namespace icecore::fs::xfs::test
