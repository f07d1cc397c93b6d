// Damaged APFS containers, on which libtsk alone crashes.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <random>

#include "fs/tsk/apfs_support.h"

namespace icecore::fs::tsk::test {
namespace {

using icecore::test::ScratchFolder;

TEST(TskApfs, ATruncatedContainerIsAnError) {
  const ScratchFolder scratch;
  const auto image = scratch / "short";
  run_ok(fmt::format("cp --sparse=always '{}' '{}'", unpacked().string(), image.string()));
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

// Where the sparse image has data; all of it to read would be most of the time.
std::vector<std::uint64_t> written_blocks(const std::filesystem::path& image) {
  std::vector<std::uint64_t> blocks;
  const int file = ::open(image.c_str(), O_RDONLY | O_CLOEXEC);
  for (off_t from = 0, to = 0; (from = ::lseek(file, to, SEEK_DATA)) >= 0;) {
    to = ::lseek(file, from, SEEK_HOLE);
    for (off_t at = from; at < to; at += 4096) blocks.push_back(static_cast<std::uint64_t>(at));
  }
  ::close(file);
  return blocks;
}

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
  const auto whole = source_of(unpacked());
  const auto expected = names_in(whole);
  ASSERT_TRUE(expected.has_value());
  const auto source = std::make_shared<Patched>(whole);
  std::mt19937 random(7);
  std::size_t objects = 0, refused = 0, refused_sealed = 0;
  for (const std::uint64_t at : written_blocks(unpacked())) {
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
