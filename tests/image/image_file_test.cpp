// image.raw as it is written past the page cache, by many threads at once, held against what the kernel then reads.
#include <sys/resource.h>
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <thread>

#include "image/block_store.h"
#include "image/gathered_writer.h"
#include "image/image_file.h"
#include "support/support.h"

namespace icecore::image::test {
namespace {

using icecore::test::ScratchFolder;

constexpr std::uint64_t kBlocks = 200;

/// A block's worth of memory that begins `by` bytes after a page's boundary, filled with what only this block has.
class Memory {
 public:
  explicit Memory(std::uint64_t block, std::size_t by = 0)
      : memory_(static_cast<std::byte*>(std::aligned_alloc(GatheredWriter::kAlignment, 2 * kBlockSize))), by_(by) {
    std::mt19937_64 random(block);
    std::ranges::generate(all(), [&] { return static_cast<std::byte>(random()); });
  }
  ByteView view() const { return {memory_.get() + by_, kBlockSize}; }

 private:
  std::span<std::byte> all() { return {memory_.get() + by_, kBlockSize}; }
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  std::unique_ptr<std::byte, Free> memory_;
  std::size_t by_;
};

Bytes read_back(const Path& path, std::uint64_t block) {
  Bytes bytes(kBlockSize);
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(block * kBlockSize));
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

std::vector<std::uint64_t> shuffled_blocks() {
  std::vector<std::uint64_t> blocks(kBlocks);
  std::ranges::generate(blocks, [next = std::uint64_t{0}]() mutable { return next++; });
  std::ranges::shuffle(blocks, std::mt19937(7));  // NOLINT(bugprone-random-generator-seed): the same order each time
  return blocks;
}

TEST(ImageFile, WhatManyThreadsWritePastTheCacheIsInTheFile) {
  const ScratchFolder scratch;
  const auto file = open_image_file(scratch / "image.raw", (kBlocks + 1) * kBlockSize);
  ICECORE_ASSERT_OK(file);
  const std::vector<std::uint64_t> blocks = shuffled_blocks();
  {
    std::vector<std::jthread> threads;
    for (std::size_t first = 0; first < 16; ++first)
      threads.emplace_back([&, first] {
        for (std::size_t i = first; i < blocks.size(); i += 16) {
          // Every fifth goes the other way: the two views of the file must stay one.
          const Memory memory(blocks[i]);
          const std::uint64_t offset = blocks[i] * kBlockSize;
          EXPECT_TRUE(i % 5 == 0 ? (*file)->write(offset, memory.view()) : (*file)->write_past_cache(offset, memory.view()));
          Bytes again(kBlockSize);
          EXPECT_TRUE((*file)->read(offset, again));
          EXPECT_TRUE(std::ranges::equal(again, memory.view())) << "block " << blocks[i] << " right after it was written";
        }
      });
  }
  for (const std::uint64_t block : blocks)
    EXPECT_TRUE(std::ranges::equal(read_back(scratch / "image.raw", block), Memory(block).view())) << "block " << block;
  EXPECT_EQ(read_back(scratch / "image.raw", kBlocks), Bytes(kBlockSize)) << "the one that nobody wrote";
}

TEST(ImageFile, MemoryAndRangesThatSuitNoDiskAreWrittenToo) {
  const ScratchFolder scratch;
  const auto file = open_image_file(scratch / "image.raw", 8 * kBlockSize);
  ICECORE_ASSERT_OK(file);
  const Memory odd(1, 24);
  EXPECT_TRUE((*file)->write_past_cache(kBlockSize, odd.view()));
  EXPECT_TRUE(std::ranges::equal(read_back(scratch / "image.raw", 1), odd.view()));
  const Memory whole(3);
  EXPECT_TRUE((*file)->write_past_cache(3 * kBlockSize, whole.view().first(1000)));
  Bytes expected(kBlockSize);
  std::ranges::copy(whole.view().first(1000), expected.begin());
  EXPECT_EQ(read_back(scratch / "image.raw", 3), expected);
}

TEST(ImageFile, ABlockThatTheDiskRefusesIsAnErrorAndHarmsNoOther) {
  const ScratchFolder scratch;
  const auto file = open_image_file(scratch / "image.raw", 4 * kBlockSize);
  ICECORE_ASSERT_OK(file);
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit two_blocks{.rlim_cur = 2 * kBlockSize, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &two_blocks), 0);
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t block = 0; block < 4; ++block)
      threads.emplace_back([&, block] {
        const Memory memory(block);
        const Result<void> written = (*file)->write_past_cache(block * kBlockSize, memory.view());
        EXPECT_EQ(written.has_value(), block < 2) << "block " << block;
        EXPECT_TRUE(written || written.error().message.find("image.raw") != std::string::npos) << written.error().message;
      });
  }
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  for (std::uint64_t block = 0; block < 2; ++block) EXPECT_TRUE(std::ranges::equal(read_back(scratch / "image.raw", block), Memory(block).view()));
}

TEST(GatheredWriter, WithoutAFileItLeavesAllToTheCaller) {
  GatheredWriter writer{FileDescriptor()};
  EXPECT_FALSE(writer.write(0, Memory(0).view()));
}

}  // namespace
}  // namespace icecore::image::test
