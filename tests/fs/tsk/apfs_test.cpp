// APFS written and listed by linux-apfs-rw in a guest (tests/data/tsk/make_apfs); empty containers by mkapfs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "fs/tsk/apfs_support.h"

namespace icecore::fs::tsk::test {
namespace {

using icecore::test::ScratchFolder;
using testing::Contains;
using testing::Not;

constexpr std::string_view kContainer = "2f8a1c5e-0b7d-4e6f-9a3c-112233445566";

std::uint64_t inode_of(const Filesystem& filesystem, std::string_view path) {
  std::uint64_t inode = filesystem.info().root_inode;
  for (const std::string_view part : split(path, '/')) {
    const auto next = filesystem.lookup(inode, part);
    if (!next) {
      ADD_FAILURE() << path << ": " << to_string(next.error());
      return 0;
    }
    inode = *next;
  }
  return inode;
}

std::string numbered(std::size_t size) {
  const std::string unit = fmt::format("{} bytes ", size);
  std::string text;
  while (text.size() < size) text += unit;
  text.resize(size);
  return text;
}

TEST(TskApfs, IsAsItsDriverHasIt) {
  const auto& image = unpacked();
  Anomalies anomalies;
  const auto opened = fs::open(source_of(image), {}, anomalies);
  ICECORE_ASSERT_OK(opened);
  const Filesystem& filesystem = **opened;
  EXPECT_EQ(filesystem.info().type, "apfs");
  EXPECT_EQ(filesystem.info().label, "Macintosh HD");
  EXPECT_EQ(filesystem.info().uuid, kContainer);
  EXPECT_EQ(filesystem.info().uuid, trim(run_ok(fmt::format("blkid -p -o value -s UUID '{}'", image.string()))));
  EXPECT_EQ(filesystem.info().size, std::uint64_t{512} << 20);

  const Tree expected = listed_tree(data_file("tsk/apfs.tree"));
  ASSERT_GT(expected.size(), 80U);
  expect_same_tree(expected, our_tree(filesystem));
  const auto table = filesystem.sweep({}, anomalies, no_progress());
  ICECORE_ASSERT_OK(table);
  std::set<std::string> paths;
  for (const auto& [path, node] : expected) paths.insert(path);
  EXPECT_EQ(swept(*table, false), paths);
  EXPECT_THAT(paths, Not(Contains("/plan.txt")));
  // APFS takes a deleted name out of its tree: neither fls nor we find one.
  const std::string volume = run_ok(fmt::format("pstat '{}' | sed -n 's/.*APSB Block Number: //p'", image.string()));
  EXPECT_EQ(run_ok(fmt::format("fls -rdp -P apfs -B {} '{}'", trim(volume), image.string())), "");
  EXPECT_THAT(swept(*table, true), testing::IsEmpty());
  for (const Anomaly& anomaly : anomalies.list()) ADD_FAILURE() << anomaly.kind << ": " << to_string(anomaly.error);
}

TEST(TskApfs, LinksAttributesOwnersAndPlacesAreThoseThatWereMade) {
  Anomalies anomalies;
  const auto opened = fs::open(source_of(unpacked()), {}, anomalies);
  ICECORE_ASSERT_OK(opened);
  const Filesystem& filesystem = **opened;
  EXPECT_EQ(filesystem.readlink(inode_of(filesystem, "link")).value_or("?"), "EFI/debian/GRUBX64.EFI");
  EXPECT_EQ(filesystem.readlink(inode_of(filesystem, "deep/dangling link")).value_or("?").size(), 9U + 40 * 5 + 6);
  const auto readme = filesystem.stat(inode_of(filesystem, "README.TXT"));
  ICECORE_ASSERT_OK(readme);
  EXPECT_EQ(readme->inode, inode_of(filesystem, "deep/1/a second name"));
  EXPECT_EQ(readme->links, 2U);
  const auto nothing = filesystem.stat(inode_of(filesystem, "nothing"));
  ICECORE_ASSERT_OK(nothing);
  EXPECT_EQ(nothing->mode, 0100640U);
  EXPECT_EQ(nothing->uid, 1000U);
  EXPECT_EQ(nothing->gid, 1001U);

  const auto attributes = filesystem.xattrs(readme->inode);
  ICECORE_ASSERT_OK(attributes);
  std::map<std::string, std::string> values;
  for (const ExtendedAttribute& attribute : *attributes) values[attribute.name] = attribute.value;
  std::string bytes;
  for (std::size_t i = 0; i < 256 * 32; ++i) bytes += static_cast<char>(i);
  EXPECT_EQ(values["comment"], "a short value");
  EXPECT_EQ(values["long"] == bytes, true) << values["long"].size();

  // Extents say where the bytes lie: read past libtsk, they are the content.
  const std::uint64_t large = inode_of(filesystem, "size 300001");
  const auto extents = filesystem.extents(large);
  ICECORE_ASSERT_OK(extents);
  std::string direct(300'001, '?');
  for (const Extent& extent : *extents)
    ICECORE_ASSERT_OK(
        filesystem.source().read(extent.source_offset, std::as_writable_bytes(std::span(direct).subspan(extent.file_offset, extent.length))));
  EXPECT_EQ(direct == numbered(300'001), true);
}

TEST(TskApfs, AnEmptyContainerIsEmpty) {
  const ScratchFolder scratch;
  const auto image = scratch / "empty";
  run_ok(fmt::format("truncate -s 512M '{0}' && mkapfs -s -L 'Ünïcödé' '{0}'", image.string()));
  Anomalies anomalies;
  const auto opened = fs::open(source_of(image), {}, anomalies);
  ICECORE_ASSERT_OK(opened);
  EXPECT_EQ((*opened)->info().label, "Ünïcödé");
  EXPECT_TRUE(our_tree(**opened).empty());
  const auto table = (*opened)->sweep({}, anomalies, no_progress());
  ICECORE_ASSERT_OK(table);
  EXPECT_TRUE(table->names.empty());
  EXPECT_TRUE(anomalies.list().empty());
}

}  // namespace
}  // namespace icecore::fs::tsk::test
