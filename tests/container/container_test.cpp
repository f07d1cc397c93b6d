// One disk in every container, made by qemu-img, ewfacquire and split; every byte has to come back.
#include "container/container.h"

#include <gmock/gmock.h>
#include <random>
#include <thread>

#include "container/disk_writer.h"
#include "image/file_source.h"
#include "support/support.h"

namespace icecore::container {
namespace {

struct ContainerTest : testing::Test {
  static test::ScratchFolder& folder() {
    static test::ScratchFolder scratch;
    return scratch;
  }
  static Path raw() { return folder() / "disk.raw"; }
  static Bytes& bytes() {
    static Bytes content = [] {
      std::mt19937_64 random(11);
      Bytes made(24 << 20);
      for (std::size_t i = 0; i < made.size(); ++i)  // noise, text-like and empty stretches
        if ((i >> 20) % 3 != 2) made[i] = static_cast<std::byte>((i >> 20) % 3 == 0 ? random() : i / 1000);
      EXPECT_TRUE(write_file_atomically(raw(), as_text(made)));
      return made;
    }();
    return content;
  }
  static std::string quoted(const Path& path) { return "'" + path.string() + "'"; }
  static Path converted(const std::string& name, const std::string& flags) {
    bytes();
    const Path path = folder() / name;
    test::run_ok("qemu-img convert -f raw " + quoted(raw()) + ' ' + flags + ' ' + quoted(path));
    return path;
  }
  static void expect_same(const Container& container, std::string_view format) {
    EXPECT_EQ(container.format, format);
    ASSERT_GE(container.source->size(), bytes().size());  // VHD rounds up to its geometry
    Bytes read(bytes().size());
    const auto whole = container.source->read(0, read);
    ASSERT_TRUE(whole) << to_string(whole.error());
    EXPECT_TRUE(read == bytes());
    std::vector<std::thread> threads;
    for (unsigned seed = 0; seed < 4; ++seed)
      threads.emplace_back([&, seed] {
        std::mt19937_64 random(seed);
        for (int i = 0; i < 50; ++i) {
          Bytes piece(1 + random() % 100'000);
          const std::size_t offset = random() % (bytes().size() - piece.size());
          EXPECT_TRUE(container.source->read(offset, piece));
          EXPECT_TRUE(std::equal(piece.begin(), piece.end(), bytes().begin() + static_cast<std::ptrdiff_t>(offset)));
        }
      });
    for (std::thread& thread : threads) thread.join();
  }
  static void expect_opens_as(const Path& path, std::string_view format) {
    const auto container = open_container(path);
    ICECORE_ASSERT_OK(container);
    expect_same(*container, format);
  }
};

TEST_F(ContainerTest, EveryByteOfQemusFormatsComesBack) {
  bytes();
  expect_opens_as(raw(), "raw");
  expect_opens_as(converted("plain.qcow2", "-O qcow2"), "qcow2");
  expect_opens_as(converted("packed.qcow2", "-c -O qcow2 -o cluster_size=1M"), "qcow2");
  expect_opens_as(converted("zstd.qcow2", "-c -O qcow2 -o compression_type=zstd"), "qcow2");
  expect_opens_as(converted("small.qcow2", "-c -O qcow2 -o cluster_size=4096"), "qcow2");
  expect_opens_as(converted("old.qcow2", "-O qcow2 -o compat=0.10"), "qcow2");
  expect_opens_as(converted("sparse.vmdk", "-O vmdk"), "VMDK");
  expect_opens_as(converted("stream.vmdk", "-O vmdk -o subformat=streamOptimized"), "VMDK");
  expect_opens_as(converted("split.vmdk", "-O vmdk -o subformat=twoGbMaxExtentSparse"), "VMDK");
  expect_opens_as(converted("flat.vmdk", "-O vmdk -o subformat=monolithicFlat"), "VMDK");
  expect_opens_as(converted("disk.vhd", "-O vpc"), "VHD");
  expect_opens_as(converted("fixed.vhd", "-O vpc -o subformat=fixed"), "VHD");
  expect_opens_as(converted("disk.vhdx", "-O vhdx"), "VHDX");
}

TEST_F(ContainerTest, AnE01SaysWhatItsMakerStored) {
  bytes();
  test::run_ok("ewfacquire -u -q -t " + quoted(folder() / "disk") +
               " -C case-17 -E evidence-4 -e Examiner -N notes -D about -d sha1 -S 5MiB -c fast " + quoted(raw()) + " >/dev/null 2>&1");
  const auto container = open_container(folder() / "disk.E01");
  ICECORE_ASSERT_OK(container);
  expect_same(*container, "E01");
  ASSERT_EQ(container->hashes.size(), 2u);
  EXPECT_EQ(container->hashes[0].hex + "  " + raw().string() + "\n", test::run_ok("md5sum " + quoted(raw())));
  EXPECT_EQ(container->hashes[1].hex + "  " + raw().string() + "\n", test::run_ok("sha1sum " + quoted(raw())));
  EXPECT_THAT(container->header, testing::Contains("case number: case-17"));
  EXPECT_THAT(container->header, testing::Contains("evidence number: evidence-4"));
  EXPECT_TRUE(std::filesystem::exists(folder() / "disk.E02"));

  // A byte of a chunk is changed: libewf would give it with zeros or as it is.
  test::run_ok("printf '\\x5a\\x5a\\x5a' | dd of=" + quoted(folder() / "disk.E01") + " bs=1 seek=2000000 conv=notrunc status=none");
  const auto changed = open_container(folder() / "disk.E01");
  ICECORE_ASSERT_OK(changed);
  Bytes read(bytes().size());
  ICECORE_EXPECT_CODE(changed->source->read(0, read), Code::kIntegrity);
}

// A chunk that was read once is in the library's cache, and its sectors are on the library's list already.
TEST_F(ContainerTest, ADamagedChunkOfAnE01StaysDamaged) {
  bytes();
  test::run_ok("ewfacquire -u -q -t " + quoted(folder() / "twice") + " -c none " + quoted(raw()) + " >/dev/null 2>&1");
  // Stored as it is, so the changed byte's place in the disk is found by comparison: chunks of 32 KiB with four bytes of checksum between.
  test::run_ok("printf '\\x5a\\x5a\\x5a' | dd of=" + quoted(folder() / "twice.E01") + " bs=1 seek=6000000 conv=notrunc status=none");
  const auto container = open_container(folder() / "twice.E01");
  ICECORE_ASSERT_OK(container);
  constexpr std::size_t kChunk = std::size_t{32} << 10;
  std::vector<std::size_t> refused;
  Bytes chunk(kChunk);
  for (int round = 0; round < 3; ++round)
    for (std::size_t at = 0; at < bytes().size(); at += kChunk) {
      const auto read = container->source->read(at, chunk);
      if (read)
        EXPECT_TRUE(std::equal(chunk.begin(), chunk.end(), bytes().begin() + static_cast<std::ptrdiff_t>(at))) << at;
      else
        refused.push_back(at);
      if (!read) {
        ICECORE_EXPECT_CODE(read, Code::kIntegrity);
        ICECORE_EXPECT_CODE(container->source->read(at, chunk), Code::kIntegrity);  // from the cache
        ICECORE_EXPECT_CODE(container->source->read(at + kChunk - 1, std::span(chunk).first(1)), Code::kIntegrity);
      }
    }
  ASSERT_EQ(refused.size(), 3U);  // the same one in each round
  EXPECT_EQ(refused[0], refused[1]);
  EXPECT_EQ(refused[1], refused[2]);
  EXPECT_LT(refused[0], 6'000'000U);
  EXPECT_GT(refused[0], 6'000'000U - 2 * kChunk);
}

TEST_F(ContainerTest, SplitImagesAreOneDisk) {
  bytes();
  test::run_ok("split -b 5M -d -a 3 --numeric-suffixes=1 " + quoted(raw()) + ' ' + quoted(folder() / "part."));
  expect_opens_as(folder() / "part.001", "split raw");
  test::run_ok("split -b 1M " + quoted(raw()) + ' ' + quoted(folder() / "letters."));
  expect_opens_as(folder() / "letters.aa", "split raw");
  std::filesystem::resize_file(folder() / "part.002", 100);
  ICECORE_EXPECT_CODE(open_container(folder() / "part.001"), Code::kCorrupt);
}

// libewf itself is the reader: ewfverify takes every segment that bears the name.
TEST_F(ContainerTest, WhatAKilledRunLeftIsNoPartOfAnE01) {
  const Path into = folder() / "written";
  std::filesystem::create_directory(into);
  ASSERT_TRUE(write_file_atomically(into / "image.partial.E02", "left by a run that was killed"));
  ASSERT_TRUE(write_file_atomically(into / "image.partial.txt", "somebody's notes"));
  ASSERT_TRUE(write_file_atomically(into / "image.partial.e01", "not ours"));
  bytes();
  const auto disk = image::FileSource::open(raw());
  ICECORE_ASSERT_OK(disk);
  const auto written = write_ewf(**disk, into / "image.E01", {}, {});
  ICECORE_ASSERT_OK(written);
  EXPECT_THAT(written->files, testing::ElementsAre(into / "image.E01"));
  std::vector<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(into)) left.push_back(entry.path().filename());
  EXPECT_THAT(left, testing::UnorderedElementsAre("image.E01", "image.partial.txt", "image.partial.e01"));
  test::run_ok("ewfverify -q " + quoted(into / "image.E01") + " >/dev/null");
}

TEST_F(ContainerTest, ASplitImageWithoutAPartInTheMiddleIsNotWhole) {
  bytes();
  test::run_ok("split -b 4M -d -a 3 --numeric-suffixes=1 " + quoted(raw()) + ' ' + quoted(folder() / "gap."));
  for (const char* missing : {"gap.004", "gap.003", "gap.002"}) {  // at last .001, .005 and .006 are left
    std::filesystem::remove(folder() / missing);
    const auto opened = open_container(folder() / "gap.001");
    ICECORE_EXPECT_CODE(opened, Code::kCorrupt);
    EXPECT_THAT(opened.error().message, testing::HasSubstr(missing));
  }
  test::run_ok("split -b 4M " + quoted(raw()) + ' ' + quoted(folder() / "letter-gap."));
  std::filesystem::remove(folder() / "letter-gap.ab");
  ICECORE_EXPECT_CODE(open_container(folder() / "letter-gap.aa"), Code::kCorrupt);
  // Alone it is an image like any other.
  std::filesystem::copy_file(raw(), folder() / "single.001");
  expect_opens_as(folder() / "single.001", "raw");
}

TEST_F(ContainerTest, BackingFilesAreTakenFromTheSameFolderOnly) {
  const Path base = converted("base.qcow2", "-O qcow2");
  const auto overlay = [&](const std::string& name, const std::string& backing, const std::string& format) {
    test::run_ok("cd " + quoted(folder().path()) + " && qemu-img create -q -u -f qcow2 -b " + backing + " -F " + format + " " + name + " 24M");
    return open_container(folder() / name);
  };
  const auto over = overlay("over.qcow2", "base.qcow2", "qcow2");
  ICECORE_ASSERT_OK(over);
  expect_same(*over, "qcow2");
  ICECORE_EXPECT_CODE(overlay("shadow.qcow2", "/etc/shadow", "raw"), Code::kUnsupported);
  ICECORE_EXPECT_CODE(overlay("up.qcow2", "../base.qcow2", "qcow2"), Code::kUnsupported);
  const auto on_raw = overlay("raw-below.qcow2", "disk.raw", "raw");
  ICECORE_ASSERT_OK(on_raw);
  expect_same(*on_raw, "qcow2");
  ICECORE_EXPECT_CODE(overlay("gone.qcow2", "gone-base.qcow2", "qcow2"), Code::kNotFound);
  (void)overlay("round.qcow2", "trip.qcow2", "qcow2");
  ICECORE_EXPECT_CODE(overlay("trip.qcow2", "round.qcow2", "qcow2"), Code::kCorrupt);

  const std::string flat =
      "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType=\"monolithicFlat\"\n\n# Extent description\n"
      "RW 8 FLAT \"/etc/passwd\" 0\n\n# The Disk Data Base\n#DDB\n\nddb.adapterType = \"ide\"\n";
  ASSERT_TRUE(write_file_atomically(folder() / "hostile.vmdk", flat));
  ICECORE_EXPECT_CODE(open_container(folder() / "hostile.vmdk"), Code::kUnsupported);
}

TEST_F(ContainerTest, WhatIsNotReadIsNamed) {
  ICECORE_EXPECT_CODE(open_container(converted("subclusters.qcow2", "-O qcow2 -o extended_l2=on")), Code::kUnsupported);
  ICECORE_EXPECT_CODE(open_container(converted("disk.vdi", "-O vdi")), Code::kUnsupported);
  for (const char* name : {"plain.qcow2", "sparse.vmdk", "disk.vhd", "disk.vhdx", "disk.E01"}) {
    if (!std::filesystem::exists(folder() / name)) continue;  // made by the tests above when all run
    const Path cut = folder() / ("cut-" + std::string(name));
    test::run_ok("head -c 700 " + quoted(folder() / name) + " > " + quoted(cut));
    const auto opened = open_container(cut);
    if (opened) {
      Bytes some(4096);
      EXPECT_FALSE(opened->source->read(0, some)) << name;
    }
  }
}

}  // namespace
}  // namespace icecore::container
