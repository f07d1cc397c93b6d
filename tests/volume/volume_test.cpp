// Partition tables made by sgdisk and sfdisk, whole, damaged and truncated.
#include "volume/volume.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <fstream>

#include "core/file.h"
#include "image/file_source.h"
#include "image/memory_source.h"
#include "support/support.h"
#include "volume/signature.h"

namespace icecore::test::volume {
namespace {

using icecore::volume::Scheme;
using icecore::volume::VolumeTable;

class VolumeTest : public testing::Test {
 protected:
  std::string image() const { return (scratch_ / "disk").string(); }

  void make_disk(unsigned mebibytes) { run_ok(fmt::format("rm -f {0} && truncate -s {1}M {0}", image(), mebibytes)); }

  // Each call reads anew, with its own anomalies.
  Result<VolumeTable> read() {
    anomalies_ = std::make_unique<Anomalies>();
    auto source = image::FileSource::open(image());
    if (!source) return Failure(source.error());
    return icecore::volume::read_volumes(*source, *anomalies_);
  }

  void overwrite(std::uint64_t offset, const std::string& bytes) {
    std::fstream file(image(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }

  std::vector<std::string> kinds() const {
    std::vector<std::string> result;
    for (const auto& anomaly : anomalies_->list()) result.push_back(anomaly.kind);
    return result;
  }

  // "number offset size type uuid name" a line, as sfdisk sees the same disk.
  std::string sfdisk_view(unsigned sector) {
    return run_ok(fmt::format(R"(sfdisk --json {0} | python3 -c '
import json, sys
t = json.load(sys.stdin)["partitiontable"]
for p in t["partitions"]:
    if p["type"] in ("f", "5"): continue
    kind = p["type"] if len(p["type"]) > 2 else "0x%02x" % int(p["type"], 16)
    print(p["node"].removeprefix("{0}"), p["start"] * {1}, p["size"] * {1}, kind, p.get("uuid", "").lower(), p.get("name", ""), sep="|")
')",
                              image(), sector));
  }

  static std::string our_view(const VolumeTable& table) {
    std::string text;
    for (const auto& v : table.volumes)
      text += fmt::format("{}|{}|{}|{}|{}|{}\n", v.number.value_or(0), v.offset, v.size, v.type, table.scheme == Scheme::kGpt ? v.uuid : "", v.name);
    return text;
  }

  void make_gpt() {
    make_disk(64);
    run_ok(fmt::format("sgdisk -n 15:2048:+4M -t 15:EF00 -c 15:'EFI boot' -n 1:16384:+20M -t 1:8304 -c 1:'röot ☃' -n 3:0:+8M -t 3:8E00 {} >/dev/null",
                       image()));
  }

  ScratchFolder scratch_;
  std::unique_ptr<Anomalies> anomalies_ = std::make_unique<Anomalies>();
};

TEST_F(VolumeTest, GptAsSfdiskShowsIt) {
  make_gpt();
  const auto table = read();
  ICECORE_ASSERT_OK(table);
  EXPECT_EQ(table->scheme, Scheme::kGpt);
  EXPECT_EQ(our_view(*table), sfdisk_view(512));
  ASSERT_EQ(table->volumes.size(), 3U);
  EXPECT_EQ(table->volumes[0].type_name, "Linux root (x86-64)");
  EXPECT_EQ(table->volumes[2].type_name, "EFI System");
  EXPECT_EQ("id " + table->disk_id + "\n", run_ok(fmt::format("sfdisk -d {} | sed -n 's/label-id: /id /p' | tr A-F a-f", image())));
  EXPECT_THAT(kinds(), testing::IsEmpty());
}

TEST_F(VolumeTest, EachVolumeReadsItsOwnBytes) {
  make_gpt();
  overwrite(16384 * 512, "first bytes of partition 1");
  const auto table = read();
  ICECORE_ASSERT_OK(table);
  std::array<std::byte, 5> bytes{};
  ICECORE_ASSERT_OK(table->volumes[0].source->read(0, bytes));
  EXPECT_EQ(as_text(bytes), "first");
  EXPECT_EQ(table->volumes[0].source->image_offset(7), 16384U * 512 + 7);
  ICECORE_EXPECT_CODE(table->volumes[0].source->read(table->volumes[0].size - 2, bytes), Code::kCorrupt);
}

TEST_F(VolumeTest, DamagedPrimaryGptIsReplacedByItsBackup) {
  for (const std::uint64_t at : {512U + 60U, 1024U + 40U, 512U}) {  // header, entry array, signature
    make_gpt();
    const std::string whole = our_view(*read());
    overwrite(at, "damage");
    const auto table = read();
    ICECORE_ASSERT_OK(table);
    EXPECT_EQ(our_view(*table), whole);
    EXPECT_EQ(kinds(), std::vector<std::string>{"volume.gpt-primary"});
  }
}

TEST_F(VolumeTest, DamagedBackupGptIsAnAnomaly) {
  make_gpt();
  const std::string whole = our_view(*read());
  overwrite((64U << 20) - 512 + 20, "damage");
  const auto table = read();
  ICECORE_ASSERT_OK(table);
  EXPECT_EQ(our_view(*table), whole);
  EXPECT_EQ(kinds(), std::vector<std::string>{"volume.gpt-backup"});
}

TEST_F(VolumeTest, BothCopiesDamagedIsAnError) {
  make_gpt();
  overwrite(512 + 60, "damage");
  overwrite((64U << 20) - 512 + 60, "damage");
  ICECORE_EXPECT_CODE(read(), Code::kCorrupt);
}

TEST_F(VolumeTest, TruncatedDiskGivesWhatIsThere) {
  make_gpt();
  run_ok(fmt::format("truncate -s 20M {}", image()));
  const auto table = read();
  ICECORE_ASSERT_OK(table);
  ASSERT_EQ(table->volumes.size(), 2U);  // 1 is cut, 3 is gone, 15 is whole
  EXPECT_EQ(table->volumes[0].size, (20U << 20) - 16384 * 512);
  EXPECT_EQ(kinds(), (std::vector<std::string>{"volume.gpt-backup", "volume.partition-range", "volume.partition-range"}));
}

TEST_F(VolumeTest, GptOf4096ByteSectors) {
  make_disk(64);
  const std::string loop = run_ok(fmt::format("losetup -f --show -b 4096 {}", image()));
  const std::string device = loop.substr(0, loop.find('\n'));
  run_ok(fmt::format("sgdisk -n 1:512:+20M -t 1:8300 -c 1:big {} >/dev/null; losetup -d {}", device, device));
  const auto table = read();
  ICECORE_ASSERT_OK(table);
  EXPECT_EQ(table->sector_size, 4096U);
  ASSERT_EQ(table->volumes.size(), 1U);
  EXPECT_EQ(table->volumes[0].offset, 512U * 4096);
  EXPECT_EQ(table->volumes[0].size, 20U << 20);
  EXPECT_EQ(table->volumes[0].name, "big");
  EXPECT_THAT(kinds(), testing::IsEmpty());
}

TEST_F(VolumeTest, MbrWithLogicalPartitionsAsSfdiskShowsIt) {
  make_disk(64);
  run_ok(
      fmt::format("printf 'label: dos\nlabel-id: "
                  "0x1234abcd\nsize=8M,type=83,bootable\nsize=4M,type=82\nsize=40M,type=f\n,size=6M,type=83\nsize=7M,type=8e\nsize=5M,type=83\n' "
                  "| sed 's/^,//' | sfdisk -q {}",
                  image()));
  const auto table = read();
  ICECORE_ASSERT_OK(table);
  EXPECT_EQ(table->scheme, Scheme::kMbr);
  EXPECT_EQ(our_view(*table), sfdisk_view(512));
  EXPECT_EQ(table->disk_id, "1234abcd");
  ASSERT_EQ(table->volumes.size(), 5U);
  EXPECT_EQ(table->volumes[0].uuid, "1234abcd-01");
  EXPECT_EQ(table->volumes[3].type_name, "Linux LVM");
  EXPECT_THAT(kinds(), testing::IsEmpty());
}

TEST_F(VolumeTest, LoopingLogicalPartitionsEnd) {
  make_disk(64);
  const std::string script =
      "label: dos\\nsize=1M,type=83\\nsize=1M,type=83\\nsize=1M,type=83\\nsize=40M,type=f\\nsize=6M,type=83\\nsize=7M,type=83\\n";
  run_ok(fmt::format("printf '{}' | sfdisk -q {}", script, image()));
  const auto good = read();
  ICECORE_ASSERT_OK(good);
  ASSERT_EQ(good->volumes.size(), 5U);
  // The first record's link, made to point at itself: relative start 0.
  const std::uint64_t first = good->volumes[3].offset - 2048 * 512;
  overwrite(first + 446 + 16 + 8, std::string(4, '\0'));
  const auto table = read();
  ICECORE_ASSERT_OK(table);
  EXPECT_EQ(table->volumes.size(), 4U);
  EXPECT_EQ(kinds(), std::vector<std::string>{"volume.ebr"});
}

TEST_F(VolumeTest, FilesystemOnTheWholeDisk) {
  for (const char* mkfs : {"mkfs.ext4 -q -F", "mkfs.xfs -q -f", "mkfs.vfat"}) {
    make_disk(320);
    if (run(fmt::format("which {}", std::string(mkfs).substr(0, std::string(mkfs).find(' ')))).exit_code != 0 && std::string(mkfs) == "mkfs.vfat")
      continue;
    run_ok(fmt::format("{} {} >/dev/null", mkfs, image()));
    const auto table = read();
    ICECORE_ASSERT_OK(table);
    EXPECT_EQ(table->scheme, Scheme::kWholeDisk) << mkfs;
    ASSERT_EQ(table->volumes.size(), 1U);
    EXPECT_EQ(table->volumes[0].size, 320U << 20);
    EXPECT_FALSE(table->volumes[0].number.has_value());
  }
}

TEST_F(VolumeTest, PartitionTableWinsOverAnOldFilesystem) {
  make_disk(64);
  run_ok(fmt::format("mkfs.ext4 -q {0}; printf 'label: dos\nsize=8M,type=83\n' | sfdisk -q --wipe never {0}", image()));
  const auto table = read();
  ICECORE_ASSERT_OK(table);
  EXPECT_EQ(table->scheme, Scheme::kMbr);
}

TEST_F(VolumeTest, NoDiskAtAllIsSaidPlainly) {
  make_disk(1);
  ICECORE_EXPECT_CODE(read(), Code::kNotFound);
  const auto tiny = std::make_shared<image::MemorySource>(Bytes(100), "tiny");
  ICECORE_EXPECT_CODE(icecore::volume::read_volumes(tiny, *anomalies_), Code::kCorrupt);
  const auto empty = std::make_shared<image::MemorySource>(Bytes(), "empty");
  const auto result = icecore::volume::read_volumes(empty, *anomalies_);
  ICECORE_EXPECT_CODE(result, Code::kCorrupt);
  EXPECT_NE(result.error().message.find("empty"), std::string::npos);
}

TEST_F(VolumeTest, SwapIsRecognised) {
  make_disk(8);
  run_ok(fmt::format("mkswap -q {}", image()));
  const auto source = image::FileSource::open(image());
  ICECORE_ASSERT_OK(source);
  const auto found = icecore::volume::recognise(**source);
  ICECORE_ASSERT_OK(found);
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ((*found)->type, "swap");
  EXPECT_EQ((*found)->kind, icecore::volume::ContentKind::kSwap);
}

// No tool for these is on the build machine, and device-mapper and md do not work there: the magic bytes alone, where each format's
// documentation says they are (LUKS1/2 specification, lvm2 lib/label/label.h, linux/raid/md_p.h).
TEST_F(VolumeTest, ContainersAreRecognisedByTheirMagic) {
  struct Case {
    std::uint64_t offset;
    std::string bytes, type;
  };
  const std::uint64_t size = 1U << 20;
  for (const Case& c :
       {Case{0, std::string("LUKS\xba\xbe\0\2", 8), "luks"}, Case{512, std::string("LABELONE\1\0\0\0\0\0\0\0\0\0\0\0\x20\0\0\0LVM2 001", 32), "lvm2"},
        Case{4096, std::string("\xfc\x4e\x2b\xa9\1\0\0\0", 8), "md"}, Case{size - 65536, std::string("\xfc\x4e\x2b\xa9\0\0\0\0", 8), "md"}}) {
    Bytes bytes(size);
    std::ranges::copy(as_bytes(c.bytes), bytes.begin() + static_cast<std::ptrdiff_t>(c.offset));
    const auto found = icecore::volume::recognise(image::MemorySource(std::move(bytes), "memory"));
    ICECORE_ASSERT_OK(found);
    ASSERT_TRUE(found->has_value()) << c.type;
    EXPECT_EQ((*found)->type, c.type);
  }
}

}  // namespace
}  // namespace icecore::test::volume
