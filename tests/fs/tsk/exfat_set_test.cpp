// Deleted files of exFAT and its valid data length. What the driver (exfat-fuse) held before it deleted is the oracle, fsck.exfat of a patched
// volume.
#include "fs/tsk/exfat_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "fs/tsk/tsk_support.h"

namespace icecore::fs::tsk::test {
namespace {

using icecore::test::ScratchFolder;

constexpr std::uint64_t kCluster = 4096;

std::string numbers(unsigned last) { return run_ok(fmt::format("seq 1 {}", last)); }

class ExfatDeleted : public testing::Test {
 protected:
  // Python in the mounted volume, once for each script: between them the driver starts anew.
  void make(unsigned mebibytes, const std::vector<std::string>& scripts) {
    run_ok(fmt::format("truncate -s {0}M '{1}' && mkfs.exfat -c 4096 '{1}' && mkdir '{2}'", mebibytes, image().string(), mount().string()));
    for (const std::string& script : scripts) run_inside(script);
  }

  void run_inside(const std::string& script) {
    std::ofstream(scratch_ / "script.py") << "import os\ndef numbers(last): return ''.join(f'{i}\\n' for i in range(1, last + 1))\n"
                                             "def write(name, text):\n  with open(name, 'w') as file: file.write(text)\n"
                                          << script;
    run_ok(
        fmt::format("set -e; device=$(losetup -f --show '{0}'); trap 'losetup -d '$device EXIT\n"
                    "mount.exfat-fuse $device '{1}' > /dev/null 2>&1; cd '{1}'; python3 ../script.py; cd /; umount '{1}'",
                    image().string(), mount().string()));
  }

  DeletedFiles deleted() {
    const auto opened = fs::open(source_of(image()), {}, anomalies_);
    EXPECT_TRUE(opened) << to_string(opened.error());
    filesystem_ = *opened;
    const auto table = filesystem_->sweep({}, anomalies_, no_progress());
    EXPECT_TRUE(table) << to_string(table.error());
    auto found = filesystem_->deleted_files(*table, PathIndex(*table), anomalies_, no_progress());
    EXPECT_TRUE(found) << to_string(found.error());
    return *found;
  }

  DeletedFile deleted(std::string_view path) {
    const DeletedFiles all = deleted();
    const auto found = std::ranges::find(all.files, path, &DeletedFile::path);
    EXPECT_NE(found, all.files.end()) << path;
    return found == all.files.end() ? DeletedFile{} : *found;
  }

  FatGeometry geometry() const { return read_fat_geometry(*source_of(image()), true).value(); }

  // The valid data length of the set at `entry`, with the set's checksum made right by the specification's own code.
  void set_valid_length(std::uint64_t entry, std::uint64_t length) {
    run_ok(fmt::format(R"(python3 - '{}' {} {} <<'END'
import struct, sys
path, entry, length = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with open(path, "r+b") as file:
    file.seek(entry)
    entries = bytearray(file.read(32 * 19))
    entries = entries[:32 * (entries[1] + 1)]
    entries[40:48] = struct.pack("<Q", length)
    checksum = 0
    for index, byte in enumerate(entries):
        if index in (2, 3):
            continue
        if index % 32 == 0:
            byte |= 0x80
        checksum = ((0x8000 if checksum & 1 else 0) + (checksum >> 1) + byte) & 0xFFFF
    entries[2:4] = struct.pack("<H", checksum)
    file.seek(entry)
    file.write(entries)
END)",
                       image().string(), entry, length));
  }

  std::filesystem::path image() const { return scratch_ / "exfat"; }
  std::filesystem::path mount() const { return scratch_ / "mount"; }

  ScratchFolder scratch_;
  Anomalies anomalies_;
  FilesystemPtr filesystem_;
};

TEST_F(ExfatDeleted, WhatLayInOnePieceIsWholeAndWhatHadAChainIsNot) {
  make(40, {"write('one', numbers(40000)); write('two', numbers(9))\n"
            "with open('pieces', 'wb') as a, open('between', 'wb') as b:\n"
            "  for _ in range(10):\n"
            "    for file, byte in ((a, b'a'), (b, b'b')):\n"
            "      file.write(byte * 4096); file.flush(); os.fsync(file.fileno())\n"
            "write('nothing', '')",
            "for name in ('one', 'two', 'pieces', 'nothing'): os.unlink(name)"});
  const DeletedFile one = deleted("/one"), two = deleted("/two"), pieces = deleted("/pieces"), nothing = deleted("/nothing");
  EXPECT_GT(one.info.size, 50 * kCluster);
  EXPECT_EQ(one.content, ContentState::kIntact);
  EXPECT_EQ(one.sureness, Sureness::kSure);  // by the checksum of its entries
  EXPECT_TRUE(content_of(*filesystem_, one) == numbers(40000));
  EXPECT_EQ(two.content, ContentState::kIntact);
  EXPECT_EQ(content_of(*filesystem_, two), numbers(9));
  EXPECT_EQ(pieces.info.size, 10 * kCluster);
  EXPECT_EQ(pieces.content, ContentState::kUnknown);
  EXPECT_FALSE(pieces.extents.empty()) << "what --partly writes";
  EXPECT_EQ(nothing.content, ContentState::kNone);
  EXPECT_EQ(anomalies_.count(), 0U);
}

// libtsk takes the next free clusters for it, others' among them.
TEST_F(ExfatDeleted, ClustersThatOthersHaveByNowAreLeftOutAndNotSkipped) {
  make(8, {"os.mkdir('d'); write('d/victim', numbers(20000)); write('d/behind', numbers(9))", "os.unlink('d/victim')", "write('new', 'x' * 12288)"});
  const DeletedFile victim = deleted("/d/victim");
  EXPECT_EQ(victim.content, ContentState::kPartlyOverwritten);
  std::string expected = numbers(20000);
  std::fill_n(expected.begin(), 12288, '\0');
  EXPECT_TRUE(content_of(*filesystem_, victim) == expected) << content_of(*filesystem_, victim).find_first_not_of('\0');

  run_inside("try: write('filler', 'f' * (8 << 20))\nexcept OSError: pass");
  EXPECT_EQ(deleted("/d/victim").content, ContentState::kOverwritten);
}

// Of folders that grew while their files did, the pieces lie apart; one that had its names first is in one piece. Either way a set may go on in the
// next cluster. (The last file stays: the driver takes clusters without names from the end of a folder.)
TEST_F(ExfatDeleted, SetsOverTheBorderOfTwoClustersAreKnownByTheirChecksum) {
  make(40, {"os.mkdir('apart'); os.mkdir('together')\n"
            "for i in range(300): write(f'together/{i:03}', '')\n"
            "for i in range(300): write(f'apart/{i:03}', numbers(1000 + i))\n"
            "for i in range(300): write(f'together/{i:03}', numbers(1000 + i))",
            "for folder in ('apart', 'together'):\n"
            "  for i in range(300):\n"
            "    if i % 50 and i < 299: os.unlink(f'{folder}/{i:03}')"});
  const DeletedFiles all = deleted();
  const FatGeometry fat = geometry();
  ASSERT_EQ(fat.cluster_size, kCluster);
  std::size_t whole = 0, unknown = 0, over_border = 0;
  for (const DeletedFile& file : all.files) {
    SCOPED_TRACE(std::string(file.path()));
    const std::uint64_t place = (file.info.inode_offset - fat.data_offset) % kCluster;
    const bool last = place == kCluster - 32, together = file.path().starts_with("/together/");
    over_border += place + 3 * 32 > kCluster ? 1 : 0;
    if (file.content == ContentState::kIntact) {
      ++whole;
      const auto number = static_cast<unsigned>(std::stoul(std::string(file.path().substr(file.path().rfind('/') + 1))));
      EXPECT_TRUE(content_of(*filesystem_, file) == numbers(1000 + number));
    } else {
      ++unknown;
      EXPECT_EQ(file.content, ContentState::kUnknown);
      EXPECT_TRUE(last && !together) << "at " << place;
    }
  }
  EXPECT_EQ(whole + unknown, 2 * 293U);
  EXPECT_GE(over_border, 10U);
  EXPECT_LE(unknown, 3U);
}

// Bytes that change while they are read.
class Borrowed final : public image::BlockSource {
 public:
  explicit Borrowed(const Bytes& bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  std::string name() const override { return "borrowed"; }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
    ICECORE_CHECK(image::check_range(offset, out.size(), size(), name()));
    std::ranges::copy(ByteView(bytes_).subspan(offset, out.size()), out.begin());
    return {};
  }

 private:
  const Bytes& bytes_;
};

TEST_F(ExfatDeleted, NoChangeOfTheEntriesIsBelievedAcrossABorder) {
  make(8, {"os.mkdir('d')\nfor i in range(100): write(f'd/{i:02}', '')\nfor i in range(100): write(f'd/{i:02}', numbers(5000))",
           "for i in range(99): os.unlink(f'd/{i:02}')"});
  const DeletedFiles all = deleted();
  const FatGeometry fat = geometry();
  const auto over = std::ranges::find_if(all.files, [&](const DeletedFile& file) {
    return file.info.type == FileType::kRegular && (file.info.inode_offset - fat.data_offset) % kCluster == kCluster - 32;
  });
  ASSERT_NE(over, all.files.end());
  const std::uint64_t entry = over->info.inode_offset;
  Bytes whole(8 << 20);
  ICECORE_ASSERT_OK(source_of(image())->read(0, whole));
  EXPECT_EQ(over->content, ContentState::kIntact);
  const Borrowed source(whole);
  for (std::uint64_t bit = 0; bit < 3 * 32 * 8; ++bit) {
    const auto mask = std::byte(1U << (bit % 8));
    whole[entry + bit / 8] ^= mask;
    const auto set = read_exfat_set(source, fat, over->info.inode);
    whole[entry + bit / 8] ^= mask;
    ICECORE_ASSERT_OK(set);
    EXPECT_EQ(*set, std::nullopt) << "bit " << bit;
  }
  // And in whatever the entries claim, no extent leaves the heap.
  for (const std::uint32_t first : {0U, 1U, 2U, static_cast<std::uint32_t>(fat.clusters + 1), static_cast<std::uint32_t>(fat.clusters + 2), ~0U})
    for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, kCluster, kCluster + 1, fat.clusters * kCluster, ~std::uint64_t{0}})
      for (const Extent& extent : extents_in_one_piece(fat, {true, first, size, size / 2, true})) {
        EXPECT_GE(extent.source_offset, fat.data_offset);
        EXPECT_LE(extent.source_offset + extent.length, fat.data_offset + fat.clusters * kCluster) << first << ", " << size;
      }
  for (const std::uint64_t inode :
       {std::uint64_t{0}, std::uint64_t{2}, fat.clusters * kCluster / 32 + 2, fat.clusters * kCluster / 32 + 3, ~std::uint64_t{0}})
    EXPECT_EQ(read_exfat_set(*source_of(image()), fat, inode).value_or(ExfatSet{}), std::nullopt) << inode;
}

// The driver here writes no valid data length of its own, Windows does: what lies behind it is of older files.
TEST_F(ExfatDeleted, WhatWasNeverWrittenReadsAsZeros) {
  make(8, {"write('stays', 's' * 20000); write('goes', 'g' * 20000)", "os.unlink('goes')"});
  const DeletedFiles all = deleted();
  const std::uint64_t root = filesystem_->info().root_inode;
  const auto stays = filesystem_->lookup(root, "stays");
  ICECORE_ASSERT_OK(stays);
  set_valid_length(filesystem_->stat(*stays)->inode_offset, 9000);
  set_valid_length(all.files.front().info.inode_offset, 9000);
  EXPECT_EQ(run(fmt::format("fsck.exfat -n '{}'", image().string())).exit_code, 0);

  const DeletedFile goes = deleted("/goes");
  EXPECT_EQ(goes.content, ContentState::kIntact);
  EXPECT_EQ(content_of(*filesystem_, goes), std::string(9000, 'g') + std::string(11000, '\0'));
  const auto text = read_file(*filesystem_, *stays, 1 << 20);
  ICECORE_ASSERT_OK(text);
  EXPECT_EQ(*text, std::string(9000, 's') + std::string(11000, '\0'));
  std::string middle(100, '?');
  for (const std::uint64_t at : {8950U, 9000U, 12345U}) {
    ICECORE_ASSERT_OK(filesystem_->read(*stays, at, std::as_writable_bytes(std::span(middle))));
    EXPECT_EQ(middle, text->substr(at, 100)) << at;
  }
  const auto extents = filesystem_->extents(*stays);
  ICECORE_ASSERT_OK(extents);
  ASSERT_EQ(extents->size(), 2U);
  EXPECT_EQ((*extents)[0].length, 9000U);
  EXPECT_TRUE((*extents)[1].unwritten);
}

}  // namespace
}  // namespace icecore::fs::tsk::test
