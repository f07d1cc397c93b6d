// Local sources: what is refused and how, slices, and the recording that benchmarks count with.
#include <sys/stat.h>
#include <unistd.h>

#include "image/file_source.h"
#include "image/memory_source.h"
#include "image/open_image.h"
#include "image/recording_source.h"
#include "image/slice_source.h"
#include "support/support.h"

namespace icecore::image {
namespace {

using icecore::test::run_ok;
using icecore::test::ScratchFolder;

TEST(OpenImage, RefusesWhatIsNoDiskEachInItsOwnWords) {
  const ScratchFolder scratch;
  run_ok("touch " + (scratch / "empty").string());
  run_ok("mkfifo " + (scratch / "fifo").string());
  const auto empty = open_image(scratch / "empty");
  ICECORE_EXPECT_CODE(empty, Code::kInvalidArgument);
  EXPECT_NE(empty.error().message.find("is empty"), std::string::npos);
  const auto folder = open_image(scratch.path());
  ICECORE_EXPECT_CODE(folder, Code::kInvalidArgument);
  EXPECT_NE(folder.error().message.find("is a folder"), std::string::npos);
  ICECORE_EXPECT_CODE(open_image(scratch / "fifo"), Code::kInvalidArgument);
  ICECORE_EXPECT_CODE(open_image("/dev/null"), Code::kInvalidArgument);
  ICECORE_EXPECT_CODE(open_image(scratch / "absent"), Code::kNotFound);
}

TEST(OpenImage, NamesPackedAndSplitImages) {
  const ScratchFolder scratch;
  const std::string raw = (scratch / "raw").string();
  run_ok("head -c 1048576 /dev/urandom > " + raw);
  run_ok("gzip -k " + raw + " && xz -k " + raw + " && bzip2 -k " + raw + " && zstd -q " + raw);
  run_ok("split -b 300000 -a 3 --numeric-suffixes=1 " + raw + " " + raw + ".");
  for (const std::string suffix : {".gz", ".xz", ".bz2", ".zst", ".001"}) {
    const auto opened = open_image(raw + suffix);
    ICECORE_EXPECT_CODE(opened, Code::kUnsupported);
  }
  ICECORE_ASSERT_OK(open_image(raw));
}

// The magic values as the formats' specifications give them (open_image.cpp cites them).
TEST(OpenImage, NamesContainers) {
  const ScratchFolder scratch;
  const std::vector<std::pair<std::string, std::string>> heads = {{"qcow2", {"QFI\xfb\0\0\0\3", 8}},
                                                                  {"E01", {"EVF\x09\x0d\x0a\xff\0\1", 9}},
                                                                  {"VMDK", {"KDMV\1\0\0\0", 8}},
                                                                  {"VHDX", "vhdxfile"},
                                                                  {"VDI", std::string(0x40, ' ') + "\x7f\x10\xda\xbe"},
                                                                  {"VHD", std::string(65536 - 512, '\0') + "conectix" + std::string(504, '\0')}};
  for (const auto& [name, head] : heads) {
    std::string content = head;
    content.resize(65536);
    ASSERT_TRUE(write_file_atomically(scratch / name, content).has_value());
    const auto opened = open_image(scratch / name);
    ICECORE_EXPECT_CODE(opened, Code::kUnsupported);
    EXPECT_NE(opened.error().message.find(name), std::string::npos) << opened.error().message;
  }
}

TEST(FileSource, ReadsABlockDeviceWhole) {
  const ScratchFolder scratch;
  const std::string image = (scratch / "disk").string();
  run_ok("head -c 3145728 /dev/urandom > " + image);
  std::string device = run_ok("losetup -f -r --show " + image);
  device.resize(device.find('\n'));
  {
    const auto source = FileSource::open(device);
    ICECORE_ASSERT_OK(source);
    EXPECT_EQ((*source)->size(), 3145728U);
    Bytes out(3145728);
    ICECORE_ASSERT_OK((*source)->read(0, out));
    EXPECT_EQ(as_text(out), read_text_file(image).value());
  }
  run_ok("losetup -d " + device);
}

TEST(SliceSource, RefusesToReachOutOfItsParent) {
  const auto memory = std::make_shared<MemorySource>(Bytes(1000), "memory");
  ICECORE_EXPECT_CODE(SliceSource::make(memory, {900, 101}, "partition 1"), Code::kCorrupt);
  ICECORE_EXPECT_CODE(SliceSource::make(memory, {~std::uint64_t{0}, 2}, "partition 1"), Code::kCorrupt);
  ICECORE_ASSERT_OK(SliceSource::make(memory, {900, 100}, "partition 1"));
}

TEST(SliceSource, SlicesOfSlicesKnowTheirPlace) {
  const auto memory = std::make_shared<MemorySource>(Bytes(1000), "memory");
  const auto outer = SliceSource::make(memory, {100, 800}, "outer").value();
  EXPECT_EQ(SliceSource::make(outer, {10, 10}, "inner").value()->image_offset(5), 115U);
}

TEST(RecordingSource, CountsTheBlocksOfTheVolumeUnderASlice) {
  const auto memory = std::make_shared<MemorySource>(Bytes(8 * kBlockSize), "memory");
  const auto slice = SliceSource::make(memory, {kBlockSize - 100, 6 * kBlockSize}, "partition 1").value();
  const RecordingSource recording(slice);
  Bytes out(200);
  ICECORE_ASSERT_OK(recording.read(0, out));
  const std::array<ByteRange, 1> ranges{ByteRange{4 * kBlockSize, 1}};
  ICECORE_ASSERT_OK(recording.prefetch(ranges));
  EXPECT_EQ(recording.touched_blocks(), (std::set<std::uint64_t>{0, 1, 4}));
  EXPECT_EQ(recording.reads(), (std::vector<ByteRange>{{0, 200}}));
  EXPECT_EQ(recording.prefetch_rounds(), 1U);
}

}  // namespace
}  // namespace icecore::image
