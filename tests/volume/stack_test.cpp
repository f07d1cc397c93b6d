// Volume groups and arrays made, filled and read by a real kernel's device-mapper and md; cryptsetup's and QEMU's LUKS.
#include "volume/stack.h"

#include <gmock/gmock.h>

#include <fstream>

#include "core/file.h"
#include "core/hash.h"
#include "core/text.h"
#include "image/file_source.h"
#include "image/memory_source.h"
#include "image/recording_source.h"
#include "support/guest.h"
#include "volume/lvm.h"
#include "volume/lvm_text.h"
#include "volume/md_superblock.h"

namespace icecore::test::volume {
namespace {

using icecore::volume::LuksKey;
using icecore::volume::Piece;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct Unstacked {
  std::vector<Piece> pieces;
  std::vector<Anomaly> anomalies;

  const Piece* named(const std::string& name) const {
    const auto found = std::ranges::find_if(pieces, [&](const Piece& piece) { return std::ranges::find(piece.names, name) != piece.names.end(); });
    return found == pieces.end() ? nullptr : &*found;
  }
  std::vector<std::string> kinds() const {
    std::vector<std::string> kinds;
    for (const Anomaly& anomaly : anomalies) kinds.push_back(anomaly.kind);
    return kinds;
  }
};

Unstacked unstack(const std::vector<std::filesystem::path>& images, const std::vector<LuksKey>& keys = {}) {
  std::vector<image::SourcePtr> sources;
  for (const auto& path : images) sources.push_back(image::FileSource::open(path).value());
  Anomalies anomalies;
  auto pieces = icecore::volume::unstack(sources, {keys}, anomalies);
  EXPECT_TRUE(pieces.has_value()) << (pieces ? "" : to_string(pieces.error()));
  return {pieces.value_or(std::vector<Piece>()), anomalies.list()};
}

std::string sha256_of(const image::BlockSource& source) {
  Sha256 hash;
  Bytes buffer(1'000'003);  // no multiple of any chunk
  for (std::uint64_t at = 0; at < source.size();) {
    const auto piece = std::span(buffer).first(static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), source.size() - at)));
    if (const auto done = source.read(at, piece); !done) return to_string(done.error());
    hash.update(piece);
    at += piece.size();
  }
  return to_hex(hash.finish());
}

std::string line_of(const std::filesystem::path& file) { return std::string(trim(read_text_file(file).value_or("?"))); }

void expect_sum(const Unstacked& found, const std::string& device, std::string_view line) {
  const auto fields = split_fields(line);
  ASSERT_EQ(fields.size(), 3U) << line;
  const Piece* const piece = found.named(device);
  ASSERT_NE(piece, nullptr) << device;
  EXPECT_EQ(std::to_string(piece->source->size()), fields[1]) << device;
  EXPECT_EQ(sha256_of(*piece->source), fields[2]) << device;
}

class LvmTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch_ = new ScratchFolder;
    for (const char* disk : {"a", "b"}) run_ok(fmt::format("truncate -s 40M '{}'", (*scratch_ / disk).string()));
    run_in_guest(
        scratch_->path(), {*scratch_ / "a", *scratch_ / "b"},
        fmt::format("bash '{}' '{}' '{}'", data_file("volume/lvm.sh").string(), scratch_->path().string(), data_file("volume/fill.py").string()));
  }
  static void TearDownTestSuite() {
    delete scratch_;
    scratch_ = nullptr;
  }
  static std::filesystem::path disk(const std::string& name) { return *scratch_ / name; }
  // A copy with some bytes changed.
  static std::filesystem::path damaged(const std::string& name, std::uint64_t offset, const std::string& bytes) {
    const auto copy = *scratch_ / (name + "-damaged");
    std::filesystem::copy_file(disk(name), copy, std::filesystem::copy_options::overwrite_existing);
    std::fstream file(copy, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return copy;
  }
  static ScratchFolder* scratch_;
};
ScratchFolder* LvmTest::scratch_ = nullptr;

TEST_F(LvmTest, EveryVolumeReadsAsDeviceMapperReadsIt) {
  const Unstacked found = unstack({disk("b"), disk("a")});  // their order does not matter
  EXPECT_THAT(found.kinds(), IsEmpty());
  const std::string sums = read_text_file(disk("lvm.sums")).value_or("");
  ASSERT_THAT(split_lines(sums), SizeIs(5));
  for (const std::string_view line : split_lines(sums)) expect_sum(found, "/dev/mapper/" + std::string(split_fields(line)[0]), line);
  const Piece* const empty = found.named("/dev/vg-one/thin-empty");
  ASSERT_NE(empty, nullptr);
  EXPECT_EQ(empty->source->size(), std::uint64_t{1} << 30);
  Bytes zeros(4096, std::byte{1});
  ICECORE_ASSERT_OK(empty->source->read(123 << 20, zeros));
  EXPECT_EQ(zeros, Bytes(4096));
  EXPECT_THAT(found.pieces, SizeIs(6));  // no pool, no parts of others
  // A straight volume on one disk says where its bytes lie; LVM's own list of segments is the oracle.
  const Piece* const linear = found.named("/dev/vg-one/linear");
  ASSERT_NE(linear, nullptr);
  EXPECT_THAT(linear->partitions, ElementsAre(0, 1));  // too large for one
  Bytes here(512), there(512);
  ICECORE_ASSERT_OK(linear->source->read(0, here));
  bool met = false;
  for (const char* name : {"a", "b"}) {
    ICECORE_ASSERT_OK(image::FileSource::open(disk(name)).value()->read(linear->source->image_offset(0), there));
    met = met || here == there;
  }
  EXPECT_TRUE(met);
}

TEST_F(LvmTest, AMissingDiskIsNamedAndWhatDoesNotNeedItIsRead) {
  const Unstacked found = unstack({disk("a")});
  ASSERT_THAT(found.kinds(), Contains("lvm.missing"));
  const auto missing = std::ranges::find(found.anomalies, "lvm.missing", &Anomaly::kind);
  EXPECT_THAT(missing->error.message, HasSubstr(line_of(disk("pvb.uuid"))));
  const std::string sums = read_text_file(disk("lvm.sums")).value_or("");
  for (const std::string_view line : split_lines(sums))
    if (line.find("mirrored") != std::string_view::npos) expect_sum(found, "/dev/vg-one/mirrored", line);
  const Piece* const striped = found.named("/dev/vg-one/striped");
  ASSERT_NE(striped, nullptr);
  Bytes buffer(64 << 10);
  const auto read = striped->source->read(0, buffer);
  ICECORE_EXPECT_CODE(read, Code::kCorrupt);
  EXPECT_THAT(read.error().message, HasSubstr(line_of(disk("pvb.uuid"))));
}

TEST_F(LvmTest, DamagedMetadataOfOneDiskIsReadFromTheOther) {
  const Unstacked found = unstack({damaged("a", 4096, "no LVM any more"), disk("b")});
  EXPECT_THAT(found.kinds(), Contains("lvm.metadata"));
  const std::string sums = read_text_file(disk("lvm.sums")).value_or("");
  for (const std::string_view line : split_lines(sums)) expect_sum(found, "/dev/mapper/" + std::string(split_fields(line)[0]), line);
}

TEST_F(LvmTest, ALabelWithAWrongChecksumIsAnAnomalyWithItsPlace) {
  const Unstacked found = unstack({damaged("a", 512 + 40, "X"), disk("b")});
  EXPECT_THAT(found.kinds(), Contains("volume.part"));
  EXPECT_THAT(found.kinds(), Contains("lvm.missing"));
}

// As installers make it, and mixed: one physical volume is encrypted, by QEMU, and the other is not.
TEST_F(LvmTest, ThePhysicalVolumesMayBeEncrypted) {
  const auto locked = *scratch_ / "a-locked", key = *scratch_ / "key";
  run_ok(
      fmt::format("printf 'correct horse' > '{2}'; for i in 1 2 3 4 5 6 7 8; do "
                  "qemu-img convert -f raw -O luks --object secret,id=k,file='{2}' -o key-secret=k,iter-time=10 '{0}' '{1}' && break; done",
                  disk("a").string(), locked.string(), key.string()));
  const Unstacked found = unstack({locked, disk("b")}, {{"correct horse", ""}});
  EXPECT_THAT(found.kinds(), IsEmpty());
  const std::string sums = read_text_file(disk("lvm.sums")).value_or("");
  for (const std::string_view line : split_lines(sums)) expect_sum(found, "/dev/mapper/" + std::string(split_fields(line)[0]), line);
  const Unstacked closed = unstack({locked, disk("b")});
  EXPECT_THAT(closed.kinds(), Contains("luks.locked"));
  EXPECT_THAT(closed.kinds(), Contains("lvm.missing"));
}

// Every volume lies on the next one eight times: 8^12 paths lead to the disk.
TEST(Lvm, VolumesThatLieOnEachOtherManyTimesAreBuiltOnce) {
  for (const std::string type : {"striped", "raid1"}) {
    SCOPED_TRACE(type);
    constexpr int kLevels = 12;
    const std::string list = type == "striped" ? "stripes" : "raids";
    std::string text = R"(vg { id = "G" seqno = 1 extent_size = 8 physical_volumes { pv0 { id = "D" pe_start = 0 } } logical_volumes {)";
    for (int i = 0; i < kLevels; ++i) {
      const std::string next = i + 1 == kLevels ? "pv0" : fmt::format("v{}", i + 1);
      std::string areas;
      for (int j = 0; j < 8; ++j) areas += fmt::format("{}\"{}\", {}", j == 0 ? "" : ", ", next, type == "striped" ? "0" : '"' + next + '"');
      text += fmt::format("v{} {{ id = \"V{}\" {} segment_count = 1 segment1 {{ start_extent = 0 extent_count = 1 type = \"{}\" stripe_size = 1 ", i,
                          i, i == 0 ? "status = [\"VISIBLE\"]" : "", type);
      text += fmt::format("{} = [{}] }} }} ", list, areas);
    }
    const auto parsed = icecore::volume::parse_lvm_text(text + "} }");
    ICECORE_ASSERT_OK(parsed);
    Json group = (*parsed)["vg"];
    group["name"] = "vg";
    const auto disk = std::make_shared<image::MemorySource>(Bytes(4096, std::byte{7}), "disk");
    Anomalies anomalies;
    const auto volumes = icecore::volume::read_groups({{disk, "D", group, std::nullopt}}, anomalies);
    ICECORE_ASSERT_OK(volumes);
    ASSERT_THAT(*volumes, SizeIs(1));
    Bytes read(4096);
    ICECORE_ASSERT_OK(volumes->front().source->read(0, read));
    EXPECT_EQ(read, Bytes(4096, std::byte{7}));
    // In a circle it is an anomaly, and ends as soon.
    group["logical_volumes"]["v11"]["segment1"][list][0] = "v0";
    group["logical_volumes"]["v11"]["segment1"][list][1] = type == "striped" ? Json(0) : Json("v0");
    Anomalies circle;
    const auto none = icecore::volume::read_groups({{disk, "D", group, std::nullopt}}, circle);
    ICECORE_ASSERT_OK(none);
    if (type == "striped") {
      EXPECT_THAT(*none, IsEmpty());
      ASSERT_EQ(circle.count(), 1U);
      EXPECT_EQ(circle.list().front().kind, "lvm.volume");
    }
  }
}

TEST(LvmText, RefusesWhatIsNoText) {
  const auto text = icecore::volume::parse_lvm_text(
      "vg { id = \"a-b\" # comment }\n n = -3\n list = [1, \"two\", 3.5]\n sub { x = \"q\\\"q\" } }\n contents = \"t\"");
  ICECORE_ASSERT_OK(text);
  EXPECT_EQ((*text)["vg"]["n"], -3);
  EXPECT_EQ((*text)["vg"]["list"][1], "two");
  EXPECT_EQ((*text)["vg"]["sub"]["x"], "q\"q");
  for (const std::string& bad : {std::string("a {"), std::string("a = "), std::string("a = \"x"), std::string("}"), std::string("a = [1"),
                                 std::string("a b"), std::string(10'000, '['), "a=" + std::string(10'000, '['), [] {
                                   std::string deep;
                                   for (int i = 0; i < 1000; ++i) deep += "a{";
                                   return deep;
                                 }()})
    ICECORE_EXPECT_CODE(icecore::volume::parse_lvm_text(bad), Code::kCorrupt);
}

class MdTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch_ = new ScratchFolder;
    std::vector<std::filesystem::path> disks;
    for (const auto& [name, size] : {std::pair("a", "8M"), std::pair("b", "8M"), std::pair("c", "11M"), std::pair("d", "15M")}) {
      disks.push_back(*scratch_ / name);
      run_ok(fmt::format("truncate -s {} '{}'", size, disks.back().string()));
    }
    run_in_guest(
        scratch_->path(), disks,
        fmt::format("bash '{}' '{}' '{}'", data_file("volume/md.sh").string(), scratch_->path().string(), data_file("volume/fill.py").string()));
  }
  static void TearDownTestSuite() {
    delete scratch_;
    scratch_ = nullptr;
  }
  static std::vector<std::filesystem::path> members(const std::string& array, const std::string& disks) {
    std::vector<std::filesystem::path> paths;
    for (const char disk : disks) paths.push_back(*scratch_ / fmt::format("{}.{}", array, disk));
    return paths;
  }
  static void expect_array(const std::string& name, const std::string& disks, bool degraded = false) {
    SCOPED_TRACE(fmt::format("{} on {}", name, disks));
    const Unstacked found = unstack(members(name, disks));
    const std::string uuid = line_of(*scratch_ / (name + ".uuid"));
    expect_sum(found, "/dev/disk/by-id/md-uuid-" + uuid, line_of(*scratch_ / (name + ".sum")));
    if (degraded) {
      EXPECT_THAT(found.kinds(), ElementsAre("md.degraded"));
    } else {
      EXPECT_THAT(found.kinds(), IsEmpty());
    }
    EXPECT_THAT(found.pieces, SizeIs(1));
  }
  static ScratchFolder* scratch_;
};
ScratchFolder* MdTest::scratch_ = nullptr;

TEST_F(MdTest, ArraysReadAsTheKernelReadsThem) {
  expect_array("striped", "cda");
  expect_array("mirror", "ab");
  expect_array("old", "ba");
  expect_array("near", "abc");
  expect_array("far", "abc");
  expect_array("offset", "abcd");
  expect_array("joined", "dca");
}

TEST_F(MdTest, DegradedArraysAreReadAndSaidToBe) {
  for (const char* one : {"a", "b"}) {
    expect_array("mirror", one, true);
    expect_array("old", one, true);
  }
  for (const char* two : {"ab", "bc", "ac"}) {
    expect_array("near", two, true);
    expect_array("far", two, true);
  }
  expect_array("offset", "acd", true);
}

TEST_F(MdTest, AnArrayThatNeedsAllItsDisksNamesTheMissingOne) {
  const Unstacked found = unstack(members("striped", "ad"));
  EXPECT_THAT(found.kinds(), ElementsAre("md.missing"));
  EXPECT_THAT(found.anomalies[0].error.message, HasSubstr("disk 1 of 0…2"));
  EXPECT_THAT(found.pieces, IsEmpty());
}

TEST_F(MdTest, NamesAreThoseOfTheMachine) {
  const Unstacked found = unstack(members("near", "abc"));
  EXPECT_NE(found.named("/dev/md/near"), nullptr);
  const Unstacked old = unstack(members("old", "ab"));
  EXPECT_NE(old.named("/dev/md5"), nullptr);
}

// What is encrypted here is decrypted by the other two: cryptsetup's own format through its header, QEMU's through QEMU's cipher code.
TEST(Luks, QemusVolumeIsReadWithItsPassphrase) {
  const ScratchFolder scratch;
  const auto plain = scratch / "plain", image = scratch / "luks", key = scratch / "key";
  run_ok(
      fmt::format("seq 1 600000 > '{0}'; truncate -s 6M '{0}'; printf 'correct horse' > '{2}'; "  // it measures PBKDF2 by the clock, and gives up on
                                                                                                  // a busy machine
                  "for i in 1 2 3 4 5 6 7 8; do qemu-img convert -f raw -O luks --object secret,id=k,file='{2}' -o key-secret=k,iter-time=10 '{0}' "
                  "'{1}' && break; done",
                  plain.string(), image.string(), key.string()));
  const Unstacked found = unstack({image}, {{"wrong", ""}, {"correct horse", ""}});
  EXPECT_THAT(found.kinds(), IsEmpty());
  ASSERT_THAT(found.pieces, SizeIs(1));
  EXPECT_EQ(found.pieces[0].source->size(), 6U << 20);
  EXPECT_EQ(sha256_of(*found.pieces[0].source), sha256_of(*image::FileSource::open(plain).value()));
  EXPECT_THAT(unstack({image}, {{"wrong", ""}}).kinds(), ElementsAre("luks.locked"));
  const Unstacked locked = unstack({image});
  ASSERT_THAT(locked.kinds(), ElementsAre("luks.locked"));
  EXPECT_THAT(locked.anomalies[0].error.message, HasSubstr("--luks-passphrase-file"));
}

// The sector as dm-crypt would write it, by openssl's program and by Python: an oracle for sector sizes and IVs that QEMU does not make.
TEST(Luks, CryptsetupsVersionsCiphersAndSectorSizesAreRead) {
  for (const std::string& format : {std::string("--type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --sector-size 4096"),
                                    std::string("--type luks2 --sector-size 512 --pbkdf argon2id --pbkdf-force-iterations 4 --pbkdf-memory 64"),
                                    std::string("--type luks1 --pbkdf-force-iterations 1000 --cipher aes-cbc-essiv:sha256 --key-size 256"),
                                    std::string("--type luks1 --pbkdf-force-iterations 1000 --cipher aes-xts-plain64 --key-size 256")}) {
    SCOPED_TRACE(format);
    const ScratchFolder scratch;
    const auto image = scratch / "luks", key = scratch / "key", master = scratch / "master";
    run_ok(
        fmt::format("truncate -s 24M '{0}'; head -c 64 /dev/urandom > '{1}'; cryptsetup -q luksFormat {3} --key-file '{1}' '{0}' && "
                    "cryptsetup -q luksDump --dump-volume-key --volume-key-file '{2}' --key-file '{1}' '{0}' > /dev/null",
                    image.string(), key.string(), master.string(), format));
    const std::string offset =
        run_ok(fmt::format("cryptsetup luksDump '{}' | sed -n -e 's/^Payload offset:[[:space:]]*//p' -e 's/^[[:space:]]*offset: \\([0-9]*\\) "
                           "\\[bytes\\]/\\1/p' | head -1",
                           image.string()));
    const bool large = format.find("4096") != std::string::npos, luks1 = format.find("luks1") != std::string::npos;
    // Python's cryptography may be missing: AES comes from openssl's program, a sector a call.
    run_ok(fmt::format(R"(python3 - '{0}' '{1}' {2} {3} {4} <<'END'
import hashlib, subprocess, sys
image, master, offset, sector, mode = sys.argv[1], open(sys.argv[2], "rb").read(), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
def aes(cipher, key, iv, data):
    command = ["openssl", "enc", "-e", "-nopad", "-" + cipher, "-K", key.hex()] + (["-iv", iv.hex()] if iv else [])
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout
def xts(key, number, data):  # IEEE 1619, by ECB: openssl's program refuses XTS
    half = len(key) // 2
    bits = half * 8
    tweak = aes(f"aes-{{bits}}-ecb", key[half:], None, number.to_bytes(16, "little"))
    tweaks, t = [], int.from_bytes(tweak, "little")
    for _ in range(len(data) // 16):
        tweaks.append(t.to_bytes(16, "little"))
        t = (t << 1) ^ (0x87 if t >> 127 else 0)
        t &= (1 << 128) - 1
    mask = b"".join(tweaks)
    xor = lambda a, b: bytes(x ^ y for x, y in zip(a, b))
    return xor(aes(f"aes-{{bits}}-ecb", key[:half], None, xor(data, mask)), mask)
with open(image, "r+b") as file:
    for number in range(8):
        data = (f"sector {{number}} " * sector).encode()[:sector]
        iv = number * sector // 512
        if mode == "xts":
            out = xts(master, iv, data)
        else:
            essiv = aes("aes-256-ecb", hashlib.sha256(master).digest(), None, iv.to_bytes(16, "little"))
            out = aes("aes-256-cbc", master, essiv, data)
        file.seek(offset + number * sector)
        file.write(out)
END)",
                       image.string(), master.string(), luks1 ? std::to_string(std::stoull(offset) * 512) : std::string(trim(offset)),
                       large ? 4096 : 512, format.find("cbc") != std::string::npos ? "cbc" : "xts"));
    const Unstacked found = unstack({image}, {{read_text_file(key).value(), ""}});
    EXPECT_THAT(found.kinds(), IsEmpty()) << to_string(found.anomalies[0].error);
    ASSERT_THAT(found.pieces, SizeIs(1));
    const std::size_t sector = large ? 4096 : 512;
    for (std::size_t number = 0; number < 8; ++number) {
      std::string text(20, '\0');
      ICECORE_ASSERT_OK(found.pieces[0].source->read(number * sector, std::as_writable_bytes(std::span(text))));
      EXPECT_EQ(text.substr(0, 9), fmt::format("sector {} ", number));
    }
  }
}

// Notes the blocks of the first 64 MiB that are read without having been announced: each costs a round trip of its own.
class AskedInTime final : public image::BlockSource {
 public:
  explicit AskedInTime(image::SourcePtr inner) : inner_(std::move(inner)) {}
  std::uint64_t size() const override { return inner_->size(); }
  std::string name() const override { return inner_->name(); }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
    constexpr std::uint64_t kBlock = image::kBlockSize;
    for (std::uint64_t block = offset / kBlock; block * kBlock < offset + out.size(); ++block)
      if (block > 0 && block < 128 && !announced_.contains(block)) late.insert(block);
    return inner_->read(offset, out);
  }
  Result<void> prefetch(std::span<const image::ByteRange> ranges) const override {
    for (const image::ByteRange& range : ranges)
      for (std::uint64_t at = range.offset; at < std::min(size(), range.offset + range.length); at += 512) announced_.insert(at / image::kBlockSize);
    return {};
  }
  mutable std::set<std::uint64_t> late;

 private:
  const image::SourcePtr inner_;
  mutable std::set<std::uint64_t> announced_;
};

// In the cloud every block is fetched.
TEST(Luks, AVolumeWithoutAKeyCostsItsFirstBlockAndWithOneARoundForTheHeader) {
  const ScratchFolder scratch;
  const auto image = scratch / "luks", key = scratch / "key";
  run_ok(
      fmt::format("truncate -s 80M '{0}'; printf secret > '{1}'; cryptsetup -q luksFormat --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "
                  "--key-file '{1}' '{0}'",
                  image.string(), key.string()));
  const auto source = std::make_shared<image::RecordingSource>(image::FileSource::open(image).value());
  Anomalies locked;
  ICECORE_ASSERT_OK(icecore::volume::unstack({source}, {}, locked));
  ASSERT_EQ(locked.count(), 1U);
  EXPECT_EQ(locked.list().front().kind, "luks.locked");
  const std::set<std::uint64_t> last = {160 - 1};  // md keeps superblocks at the end
  for (const std::uint64_t block : source->touched_blocks()) EXPECT_TRUE(block == 0 || last.contains(block)) << block;

  const auto asked = std::make_shared<AskedInTime>(source);
  Anomalies none;
  const auto opened = icecore::volume::unstack({asked}, {{{"secret", "key"}}}, none);
  ICECORE_ASSERT_OK(opened);
  EXPECT_EQ(none.count(), 0U);
  ASSERT_THAT(*opened, SizeIs(1));
  EXPECT_THAT(asked->late, IsEmpty());
}

TEST(Stack, SwapIsNoGapAndPlainVolumesPassThrough) {
  const ScratchFolder scratch;
  const auto swap = scratch / "swap", plain = scratch / "ext4";
  run_ok(fmt::format("truncate -s 4M '{0}' '{1}'; mkswap -q '{0}' 2>/dev/null; mkfs.ext4 -q '{1}'", swap.string(), plain.string()));
  const Unstacked found = unstack({swap, plain});
  EXPECT_THAT(found.kinds(), IsEmpty());
  ASSERT_THAT(found.pieces, SizeIs(1));
  EXPECT_THAT(found.pieces[0].partitions, ElementsAre(1));
  EXPECT_THAT(found.pieces[0].names, IsEmpty());
}

}  // namespace
}  // namespace icecore::test::volume
