// What a sweep touches, in blocks of 512 KiB as a snapshot hands them out, against the least possible by the kernel's and xfs_db's word; and that it
// says what it will read before it does.
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <sstream>

#include "fs/xfs/tree.h"
#include "fs/xfs/xfs.h"
#include "fs/xfs/xfs_image.h"

namespace icecore::fs::xfs::test {
namespace {

constexpr std::uint64_t kBlock = 512 << 10;
using Blocks = std::set<std::uint64_t>;

void add_range(Blocks& blocks, std::uint64_t offset, std::uint64_t length) {
  for (std::uint64_t block = offset / kBlock; block <= (offset + length - 1) / kBlock; ++block) blocks.insert(block);
}

/// Records the blocks read, the blocks announced, and the reads that nothing had announced.
class Recorder final : public image::BlockSource {
 public:
  explicit Recorder(image::SourcePtr base) : base_(std::move(base)) {}
  std::uint64_t size() const override { return base_->size(); }
  std::string name() const override { return base_->name(); }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
    const std::scoped_lock lock(mutex_);
    Blocks now;
    add_range(now, offset, out.size());
    for (const std::uint64_t block : now) unannounced += announced.contains(block) ? 0U : 1U;
    read_blocks.insert(now.begin(), now.end());
    return base_->read(offset, out);
  }
  Result<void> prefetch(std::span<const image::ByteRange> ranges) const override {
    const std::scoped_lock lock(mutex_);
    ++rounds;
    for (const image::ByteRange& range : ranges) add_range(announced, range.offset, range.length);
    return {};
  }
  mutable Blocks read_blocks, announced;
  mutable std::size_t unannounced = 0, rounds = 0;

 private:
  image::SourcePtr base_;
  mutable std::mutex mutex_;
};

struct Geometry {
  std::uint64_t ag_blocks = 0, ag_count = 0, block_size = 0, inode_size = 0;
  unsigned ag_block_log = 0, inodes_per_block_log = 0;
};

Geometry geometry(const Path& image) {
  std::istringstream in(
      run_ok(fmt::format("xfs_db -r -c 'sb 0' -c 'p agblocks agcount blocksize inodesize agblklog inopblog' '{}'", image.string())));
  std::map<std::string, std::uint64_t> values;
  std::string name, equals;
  for (std::uint64_t value = 0; in >> name >> equals >> value;) values[name] = value;
  return {values["agblocks"],
          values["agcount"],
          values["blocksize"],
          values["inodesize"],
          static_cast<unsigned>(values["agblklog"]),
          static_cast<unsigned>(values["inopblog"])};
}

/// The superblock, each group's inode header, the chunks of the inodes that are in use, and the directories' data blocks: without the inode trees,
/// which a reader needs too, so this is less than what is possible.
Blocks least_possible(const Path& image, const Tree& tree) {
  const Geometry shape = geometry(image);
  Blocks blocks{0};
  for (std::uint64_t ag = 0; ag < shape.ag_count; ++ag) add_range(blocks, ag * shape.ag_blocks * shape.block_size, 4096);
  std::string commands;
  for (const auto& [path, node] : tree) {
    const std::uint64_t inode = std::stoull(node.status.substr(4));
    const std::uint64_t chunk = inode & ~std::uint64_t{63};
    const std::uint64_t ag = chunk >> (shape.ag_block_log + shape.inodes_per_block_log);
    const std::uint64_t in_ag = chunk & ((std::uint64_t{1} << (shape.ag_block_log + shape.inodes_per_block_log)) - 1);
    add_range(blocks, ag * shape.ag_blocks * shape.block_size + in_ag * shape.inode_size, 64 * shape.inode_size);
    if (node.status.find("mode=4") != std::string::npos) commands += fmt::format("inode {}\nbmap -d\n", inode);
  }
  const Path script = image.string() + ".commands";
  EXPECT_TRUE(write_file_atomically(script, commands).has_value());
  std::istringstream in(run_ok(fmt::format("xfs_db -r '{}' < '{}'", image.string(), script.string())));
  for (std::string line; std::getline(in, line);) {
    unsigned long long offset = 0, start = 0, ag = 0, block = 0, count = 0;
    const auto at = line.find("data offset ");
    if (at == std::string::npos ||
        std::sscanf(line.c_str() + at, "data offset %llu startblock %llu (%llu/%llu) count %llu", &offset, &start, &ag, &block, &count) != 5)
      continue;
    if (offset * shape.block_size < (std::uint64_t{1} << 35))
      add_range(blocks, (ag * shape.ag_blocks + block) * shape.block_size, count * shape.block_size);
  }
  return blocks;
}

TEST(XfsSweep, TouchesHardlyMoreThanTheLeastPossible) {
  const icecore::test::ScratchFolder scratch;
  const Path image = scratch / "image";
  make_xfs(image, "", 4096);
  {
    const Mount mount(image, scratch / "mount", "noatime");
    ASSERT_TRUE(mount.ok()) << mount.message();
    run_ok(fmt::format(
        "cd '{}' && python3 -c '\nimport os\nfor d in range(100): os.mkdir(f\"d{{d}}\")\nfor i in range(12000):\n"
        " fd = os.open(f\"d{{i * 7919 % 100}}/name-of-file-{{i}}\", os.O_CREAT | os.O_WRONLY)\n os.posix_fallocate(fd, 0, 200000)\n os.close(fd)'",
        mount.folder().string()));
  }
  Tree expected;
  {
    const Mount oracle(image, scratch / "mount", "ro,norecovery");
    ASSERT_TRUE(oracle.ok()) << oracle.message();
    expected = kernel_tree(oracle.folder(), false);
  }
  const Blocks least = least_possible(image, expected);
  ASSERT_GT(least.size(), 100U);

  const auto recorder = std::make_shared<Recorder>(open_image(image));
  Anomalies anomalies;
  const auto filesystem = xfs::open(recorder, {}, anomalies);
  ICECORE_ASSERT_OK(filesystem);
  const std::size_t by_open = recorder->read_blocks.size();
  recorder->unannounced = 0;
  const auto table = (*filesystem)->sweep({}, anomalies, no_progress());
  ICECORE_ASSERT_OK(table);
  expect_same_tree(expected, swept_tree(*table), "sweep");
  EXPECT_LE(static_cast<double>(recorder->read_blocks.size()), 1.1 * static_cast<double>(least.size()));
  EXPECT_LE(by_open, 12U);
  EXPECT_EQ(recorder->unannounced, 0U);
  EXPECT_LE(recorder->rounds, 8U);
  for (const std::uint64_t block : recorder->announced) EXPECT_TRUE(recorder->read_blocks.contains(block)) << "announced and not read: " << block;
  RecordProperty("blocks", static_cast<int>(recorder->read_blocks.size()));
  RecordProperty("least", static_cast<int>(least.size()));
  std::printf("blocks of 512 KiB: %zu read, %zu by open, %zu least possible, %zu rounds\n", recorder->read_blocks.size(), by_open, least.size(),
              recorder->rounds);
}

}  // namespace
}  // namespace icecore::fs::xfs::test
