// Volumes on which nothing is recognised: never formatted, or wiped. The volumes are mkfs's, with their start taken away.
#include "volume/empty.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "image/file_source.h"
#include "image/memory_source.h"
#include "image/recording_source.h"
#include "support/support.h"
#include "volume/signature.h"

namespace icecore::test::volume {
namespace {

using icecore::volume::find_data;

image::SourcePtr memory(std::size_t size, std::initializer_list<std::size_t> places) {
  Bytes bytes(size);
  for (const std::size_t at : places) bytes[at] = std::byte{1};
  return std::make_shared<image::MemorySource>(std::move(bytes), "memory");
}

TEST(Empty, ZerosAreEmptyAndTheFirstOtherByteIsNamed) {
  constexpr std::size_t kSize = 8 << 20;
  const auto found = [](const image::SourcePtr& source) { return find_data(*source).value(); };
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{512}, std::size_t{1 << 20}, std::size_t{(1 << 20) + 512}, kSize})
    EXPECT_EQ(found(memory(size, {})), std::nullopt) << size;
  EXPECT_EQ(found(memory(1, {0})), 0U);
  EXPECT_EQ(found(memory(kSize, {0, 5})), 0U);
  EXPECT_EQ(found(memory(kSize, {777'777, 3 << 20})), 777'777U);
  for (const std::size_t at : {std::size_t{2} << 20, std::size_t{4} << 20, kSize - 1}) EXPECT_EQ(found(memory(kSize, {at})), at);
  EXPECT_EQ(found(memory((1 << 20) + 512, {(1 << 20) + 511})), (1U << 20) + 511);  // the last place reaches back to where the start was looked at
}

// Of ext4 the backups of the superblock are found before this is asked (fs/ext4).
TEST(Empty, AFilesystemWhoseStartWasWipedIsNot) {
  const ScratchFolder scratch;
  const auto image = (scratch / "disk").string();
  for (const char* mkfs : {"mkfs.xfs -q -f", "mkntfs -q -F -f"}) {
    run_ok(fmt::format("rm -f {0}; truncate -s 400M {0}; {1} {0} > /dev/null 2>&1; dd if=/dev/zero of={0} bs=1M count=2 conv=notrunc status=none",
                       image, mkfs));
    const auto source = image::FileSource::open(image);
    ICECORE_ASSERT_OK(source);
    ASSERT_FALSE(icecore::volume::recognise(**source)->has_value()) << mkfs;
    const auto data = find_data(**source);
    ICECORE_ASSERT_OK(data);
    EXPECT_GE(data->value_or(0), 2U << 20) << mkfs;
  }
}

TEST(Empty, LooksAtFewBlocks) {
  const ScratchFolder scratch;
  run_ok(fmt::format("truncate -s 100G {0}; truncate -s 100G {1}; printf x | dd of={1} conv=notrunc status=none", (scratch / "empty").string(),
                     (scratch / "other").string()));
  const auto look = [&](const char* name) {
    const image::RecordingSource source(image::FileSource::open(scratch / name).value());
    EXPECT_TRUE(find_data(source).has_value());
    return source.touched_blocks().size();
  };
  EXPECT_EQ(look("empty"), 18U);  // the first two, and the 16 places
  EXPECT_EQ(look("other"), 2U);
}

}  // namespace
}  // namespace icecore::test::volume
