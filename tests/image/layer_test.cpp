// The copy-on-write layer against a plain array, through restarts, kills and power losses.
#include "image/layer.h"

#include <random>

#include "image/memory_source.h"
#include "support/support.h"

namespace icecore::image {
namespace {

constexpr std::uint64_t kSize = (66 << 20) + 1536;  // two chunks of the map and a bit; ends within a block

struct LayerTest : testing::Test {
  test::ScratchFolder folder;
  const Path file = folder / "disk.layer";
  std::mt19937_64 random{7};
  Bytes pristine = [this] {
    Bytes bytes(kSize);
    for (std::size_t i = 0; i < bytes.size(); i += 512) bytes[i] = static_cast<std::byte>(random());
    return bytes;
  }();
  SourcePtr base = std::make_shared<MemorySource>(pristine, "base");

  std::shared_ptr<Layer> open(const std::string& boot = "boot-1") {
    auto layer = Layer::open(file, base, "disk", boot);
    EXPECT_TRUE(layer) << to_string(layer.error());
    return layer.value_or(nullptr);
  }
  Bytes content(const Layer& layer) {
    Bytes bytes(kSize);
    const auto read = layer.read(0, bytes);
    EXPECT_TRUE(read) << to_string(read.error());
    return bytes;
  }
  Bytes noise(std::size_t length) {
    Bytes bytes(length);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    return bytes;
  }
};

TEST_F(LayerTest, WritesOfEverySizeAndPlaceReadBackAndTheBaseStays) {
  Bytes wanted = pristine;
  auto layer = open();
  for (int i = 0; i < 400; ++i) {
    const std::uint64_t length = 1 + random() % (i % 10 == 0 ? 300'000 : 9'000);
    const std::uint64_t offset = i % 50 == 0 ? kSize - length : random() % (kSize - length);
    const auto at = wanted.begin() + static_cast<std::ptrdiff_t>(offset);
    if (i % 5 == 0) {
      ICECORE_ASSERT_OK(layer->write_zeros(offset, length));
      std::fill_n(at, length, std::byte{0});
    } else {
      const Bytes bytes = noise(length);
      ICECORE_ASSERT_OK(layer->write(offset, bytes));
      std::ranges::copy(bytes, at);
    }
    if (i == 200) {
      layer.reset();
      layer = open();
    }
  }
  EXPECT_TRUE(content(*layer) == wanted);
  layer.reset();
  EXPECT_TRUE(content(*open("boot-2")) == wanted);
  Bytes below(kSize);
  ICECORE_ASSERT_OK(base->read(0, below));
  EXPECT_TRUE(below == pristine);
}

TEST_F(LayerTest, AfterAKillEveryWriteIsThereAndAfterAPowerLossEveryFlushedOne) {
  const Bytes first = noise(8192), second = noise(8192);
  {
    auto layer = open();
    ICECORE_ASSERT_OK(layer->write(4096, first));
    ICECORE_ASSERT_OK(layer->flush());
    ICECORE_ASSERT_OK(layer->write(1 << 20, second));
    std::filesystem::copy_file(file, folder / "killed");  // what the kernel holds when the program is killed now
  }
  std::filesystem::rename(folder / "killed", file);
  const test::CommandResult copied = test::run("cp --sparse=always " + file.string() + ' ' + (folder / "lost").string());
  ASSERT_EQ(copied.exit_code, 0);
  Bytes wanted = pristine;
  std::ranges::copy(first, wanted.begin() + 4096);
  const Bytes flushed = wanted;
  std::ranges::copy(second, wanted.begin() + (1 << 20));
  EXPECT_TRUE(content(*open("boot-1")) == wanted);
  std::filesystem::rename(folder / "lost", file);
  EXPECT_TRUE(content(*open("boot-2")) == flushed);
  EXPECT_TRUE(content(*open("boot-3")) == flushed);
}

TEST_F(LayerTest, OneProgramAtATimeAndOneDiskForEach) {
  auto layer = open();
  ICECORE_ASSERT_OK(layer->write(0, noise(1)));
  EXPECT_EQ(layer->changed_bytes(), Layer::kBlock);
  ICECORE_EXPECT_CODE(layer->write(kSize, noise(1)), Code::kInvalidArgument);
  ICECORE_EXPECT_CODE(Layer::open(file, base, "disk"), Code::kBusy);
  ICECORE_EXPECT_CODE(Layer::discard_file(file), Code::kBusy);
  layer.reset();
  ICECORE_EXPECT_CODE(Layer::open(file, base, "another disk"), Code::kConflict);
  ICECORE_ASSERT_OK(Layer::discard_file(file));
  EXPECT_FALSE(std::filesystem::exists(file));
  ICECORE_EXPECT_CODE(Layer::discard_file(file), Code::kNotFound);
  EXPECT_TRUE(content(*open()) == pristine);
}

TEST_F(LayerTest, WhatIsNoLayerIsNotTouched) {
  test::run_ok("head -c 10000 /dev/urandom > " + file.string());
  const auto before = test::run_ok("sha256sum " + file.string());
  ICECORE_EXPECT_CODE(Layer::open(file, base, "disk"), Code::kInvalidArgument);
  ICECORE_EXPECT_CODE(Layer::discard_file(file), Code::kInvalidArgument);
  EXPECT_EQ(test::run_ok("sha256sum " + file.string()), before);
  std::filesystem::remove(file);
  ICECORE_ASSERT_OK(open()->write(0, noise(10)));
  std::filesystem::resize_file(file, 1 << 20);
  ICECORE_EXPECT_CODE(Layer::open(file, base, "disk"), Code::kIntegrity);
}

}  // namespace
}  // namespace icecore::image
