// APFS written and listed by linux-apfs-rw in a guest (tests/data/tsk/make_apfs); empty containers by mkapfs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <random>

#include "fs/tsk/tsk_support.h"

namespace icecore::fs::tsk::test {
namespace {

using icecore::test::ScratchFolder;
using testing::Contains;
using testing::Not;

constexpr std::string_view kContainer = "2f8a1c5e-0b7d-4e6f-9a3c-112233445566";

std::filesystem::path unpacked(const ScratchFolder& scratch) {
  const auto image = scratch / "apfs.img";
  run_ok(fmt::format("xz -dc '{}' > '{}'", data_file("tsk/apfs.img.xz").string(), image.string()));
  return image;
}

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
  const ScratchFolder scratch;
  const auto image = unpacked(scratch);
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
  const ScratchFolder scratch;
  Anomalies anomalies;
  const auto opened = fs::open(source_of(unpacked(scratch)), {}, anomalies);
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

TEST(TskApfs, ATruncatedContainerIsAnError) {
  const ScratchFolder scratch;
  const auto image = unpacked(scratch);
  for (const std::uint64_t size : {std::uint64_t{40} << 20, std::uint64_t{3} << 20, std::uint64_t{8192}, std::uint64_t{4097}}) {
    std::filesystem::resize_file(image, size);
    Anomalies anomalies;
    ICECORE_EXPECT_CODE(fs::open(source_of(image), {}, anomalies), Code::kCorrupt);
  }
}

// An object's checksum, as the Apple File System Reference has it.
void seal(std::span<std::byte> block) {
  std::uint64_t one = 0, two = 0;
  for (std::size_t at = 8; at < block.size(); at += 4) two += one += load_le<std::uint32_t>(block, at);
  const std::uint64_t low = 0xFFFFFFFF - (one + two) % 0xFFFFFFFF, high = 0xFFFFFFFF - (one + low) % 0xFFFFFFFF;
  store_le(block, 0, high << 32 | low);
}

// The whole image in memory, of which one block at a time is another.
class Patched final : public image::BlockSource {
 public:
  explicit Patched(image::SourcePtr whole) : whole_(std::move(whole)) {}
  std::uint64_t size() const override { return whole_->size(); }
  std::string name() const override { return whole_->name(); }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
    ICECORE_CHECK(whole_->read(offset, out));
    const std::uint64_t from = std::max(offset, at), to = std::min(offset + out.size(), at + block.size());
    if (from < to) std::ranges::copy(std::span(block).subspan(from - at, to - from), out.begin() + static_cast<std::ptrdiff_t>(from - offset));
    return {};
  }
  std::uint64_t at = 0;
  std::array<std::byte, 4096> block{};

 private:
  image::SourcePtr whole_;
};

std::optional<std::set<std::string>> names_in(const image::SourcePtr& source) {
  Anomalies anomalies;
  const auto opened = fs::open(source, {}, anomalies);
  if (!opened) return std::nullopt;
  const auto table = (*opened)->sweep({}, anomalies, no_progress());
  if (!table || !anomalies.list().empty()) return std::nullopt;
  return swept(*table, false);
}

// Each object of the container damaged in turn: with its checksum wrong it is refused or was not needed; with a checksum made for it, what comes is
// anything but a crash. libtsk alone crashes in both.
TEST(TskApfs, NoDamagedObjectIsBelieved) {
  const ScratchFolder scratch;
  const auto whole = source_of(unpacked(scratch));
  const auto expected = names_in(whole);
  ASSERT_TRUE(expected.has_value());
  const auto source = std::make_shared<Patched>(whole);
  std::mt19937 random(7);
  std::size_t objects = 0, refused = 0, refused_sealed = 0;
  for (std::uint64_t at = 0; at < whole->size(); at += 4096) {
    std::array<std::byte, 4096> block{};
    ICECORE_ASSERT_OK(whole->read(at, block));
    auto sealed = block;
    seal(sealed);
    if (is_all_zero(block) || block != sealed) continue;
    ++objects;
    source->at = at;
    for (int round = 0; round < 12; ++round) {
      source->block = block;
      // Headers and tables first, where offsets and lengths are.
      for (int i = 0; i < 4; ++i) source->block[36 + random() % (round % 2 == 0 ? 600U : 4060U)] = static_cast<std::byte>(random());
      if (round >= 2) {
        seal(source->block);
        refused_sealed += names_in(source) ? 0U : 1U;
        continue;
      }
      if (source->block == block) continue;
      const auto names = names_in(source);
      EXPECT_TRUE(!names || names == expected) << "block at " << at;
      refused += names ? 0U : 1U;
    }
  }
  EXPECT_GT(objects, 20U);
  EXPECT_GT(refused, 10U);
  EXPECT_GT(refused_sealed, 10U);
  RecordProperty("objects", static_cast<int>(objects));
}

}  // namespace
}  // namespace icecore::fs::tsk::test
