// A sweep reads nothing but what it needs: the descriptors, the part of each inode table that is in use, and the directories. The least possible is
// computed from what dumpe2fs and debugfs say.
#include <fmt/format.h>
#include <mutex>
#include <set>
#include <sstream>

#include "fs/ext4/ext4_support.h"
#include "image/file_source.h"

namespace icecore::test::ext4 {
namespace {

constexpr std::uint64_t kBlock = 4096;

/// Remembers every filesystem block that was read or announced, and how many rounds were announced.
class Recorder final : public image::BlockSource {
 public:
  explicit Recorder(image::SourcePtr base) : base_(std::move(base)) {}
  std::uint64_t size() const override { return base_->size(); }
  std::string name() const override { return base_->name(); }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
    const std::scoped_lock lock(mutex_);
    note(offset, out.size());
    unannounced_ += announced_.contains(offset / kBlock) ? 0U : 1U;
    return base_->read(offset, out);
  }
  Result<void> prefetch(std::span<const image::ByteRange> ranges) const override {
    const std::scoped_lock lock(mutex_);
    if (!ranges.empty()) ++rounds_;
    for (const auto& range : ranges) {
      note(range.offset, range.length);
      for (std::uint64_t b = range.offset / kBlock; b * kBlock < range.offset + range.length; ++b) announced_.insert(b);
    }
    return {};
  }
  std::set<std::uint64_t> touched() const { return touched_; }
  unsigned rounds() const { return rounds_; }
  unsigned unannounced() const { return unannounced_; }

 private:
  void note(std::uint64_t offset, std::uint64_t length) const {
    for (std::uint64_t b = offset / kBlock; b * kBlock < offset + length; ++b) touched_.insert(b);
  }
  image::SourcePtr base_;
  mutable std::mutex mutex_;
  mutable std::set<std::uint64_t> touched_, announced_;
  mutable unsigned rounds_ = 0, unannounced_ = 0;
};

std::set<std::uint64_t> least_possible(const std::string& image, const std::string& directories) {
  std::set<std::uint64_t> blocks{0};
  // Group lines: descriptors, table start, unused inodes.
  std::istringstream tables(run_ok(fmt::format(R"PY(dumpe2fs {} 2>/dev/null | python3 -c '
import re, sys
text = sys.stdin.read()
per = int(re.search(r"Inodes per group:\s+(\d+)", text)[1]); size = int(re.search(r"Inode size:\s+(\d+)", text)[1])
first = re.search(r"Group descriptors at (\d+)-(\d+)", text)
print(first[1], int(first[2]) - int(first[1]) + 1)
for group in re.split(r"\nGroup \d+:", text)[1:]:
    unused = re.search(r"(\d+) unused inodes", group)
    used = per - (int(unused[1]) if unused else 0)
    if used: print(re.search(r"Inode table at (\d+)", group)[1], -(-used * size // 4096))
')PY",
                                               image)));
  for (std::uint64_t start = 0, count = 0; tables >> start >> count;)
    for (std::uint64_t i = 0; i < count; ++i) blocks.insert(start + i);
  std::istringstream numbers(directories);
  std::string commands;
  for (std::string inode; numbers >> inode;) commands += fmt::format("blocks <{}>\n", inode);
  std::istringstream lists(run_ok(fmt::format("printf '{}' | debugfs -f - {} 2>/dev/null | grep -v debugfs", commands, image)));
  for (std::uint64_t block = 0; lists >> block;) blocks.insert(block);
  return blocks;
}

TEST(BlocksTouched, NoMoreThanTablesDirectoriesAndDescriptors) {
  const ScratchFolder scratch;
  const auto image = scratch / "image";
  make_image(image, 512, "mkfs.ext4 -q");
  std::string directories;
  {
    const LoopMount mount(image, scratch / "mnt", "rw,noatime");
    ASSERT_TRUE(mount.mounted());
    directories = run_ok(fmt::format(R"(cd '{}' && python3 -c '
import os
for d in range(150):
    os.mkdir(f"d{{d}}")
    for i in range(60 + d % 90): open(f"d{{d}}/file-number-{{i}}", "w").write("x" * (d * i % 3000))
' && find . -type d -printf '%i\n')",
                                     mount.path().string()));
  }
  const auto file = image::FileSource::open(image);
  ICECORE_ASSERT_OK(file);
  const auto recorder = std::make_shared<Recorder>(*file);
  Anomalies anomalies;
  const auto filesystem = fs::open(recorder, {}, anomalies);
  ICECORE_ASSERT_OK(filesystem);
  const auto table = (*filesystem)->sweep({}, anomalies, no_progress());
  ICECORE_ASSERT_OK(table);
  EXPECT_GT(table->names.size(), 10000U);

  std::set<std::uint64_t> touched = recorder->touched();
  for (std::uint64_t block = 1; block < 17; ++block) touched.erase(block);  // fs::open looks at the first 68 KiB to recognise what is there
  std::set<std::uint64_t> least = least_possible(image.string(), directories);
  for (std::uint64_t block = 1; block < 17; ++block) least.erase(block);
  EXPECT_LE(touched.size(), least.size() * 105 / 100);
  EXPECT_GE(touched.size(), least.size()) << "the oracle asks for more than was read: one of the two is wrong";
  // Recognising, descriptors, inode tables, directories: four rounds, and nothing is read that was not announced but the superblock.
  EXPECT_LE(recorder->rounds(), 4U);
  EXPECT_LE(recorder->unannounced(), 1U);
}

}  // namespace
}  // namespace icecore::test::ext4
