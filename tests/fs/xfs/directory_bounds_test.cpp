// A directory that claims more blocks than there can be, on a disk of terabytes: what is read and kept does not grow with the claim, and the other
// directories are read all the same.
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <algorithm>
#include <atomic>

#include "fs/xfs/extent_map.h"
#include "fs/xfs/inode.h"
#include "fs/xfs/xfs.h"
#include "fs/xfs/xfs_image.h"

namespace icecore::fs::xfs::test {
namespace {

/// An image in which one piece is another's, that counts what is read and announced.
class Patched final : public image::BlockSource {
 public:
  Patched(image::SourcePtr base, std::uint64_t at, Bytes piece) : base_(std::move(base)), at_(at), piece_(std::move(piece)) {}
  std::uint64_t size() const override { return base_->size(); }
  std::string name() const override { return base_->name(); }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
    ICECORE_CHECK(base_->read(offset, out));
    bytes += out.size();
    const std::uint64_t begin = std::max(offset, at_), end = std::min(offset + out.size(), at_ + piece_.size());
    for (std::uint64_t i = begin; i < end; ++i) out[static_cast<std::size_t>(i - offset)] = piece_[static_cast<std::size_t>(i - at_)];
    return {};
  }
  Result<void> prefetch(std::span<const image::ByteRange> ranges) const override {
    for (const image::ByteRange& range : ranges) announced += range.length;
    return {};
  }
  mutable std::atomic<std::uint64_t> bytes = 0, announced = 0;

 private:
  image::SourcePtr base_;
  std::uint64_t at_;
  Bytes piece_;
};

std::size_t names_below(const FileTable& table, std::uint64_t folder) {
  return static_cast<std::size_t>(std::ranges::count(table.names, folder, &Name::parent));
}

TEST(XfsDirectoryBounds, WhatADirectoryClaimsIsNotAllRead) {
  const icecore::test::ScratchFolder scratch;
  const Path image = scratch / "image";
  make_xfs(image, "-l size=64m", 4 << 20);
  std::uint64_t liar = 0, honest = 0;
  {
    const Mount mount(image, scratch / "mount", "noatime");
    ASSERT_TRUE(mount.ok()) << mount.message();
    run_ok(fmt::format("cd '{}' && mkdir liar honest && for i in $(seq 40); do echo > liar/name-$i; echo > honest/name-$i; done",
                       mount.folder().string()));
    struct stat status = {};
    ASSERT_EQ(::stat((mount.folder() / "liar").c_str(), &status), 0);
    liar = status.st_ino;
    ASSERT_EQ(::stat((mount.folder() / "honest").c_str(), &status), 0);
    honest = status.st_ino;
  }
  const Reader plain{open_image(image), *parse_superblock(*Reader{open_image(image), {}}.bytes(0, 4096), "image")};
  Bytes record = *plain.bytes(plain.super.inode_offset(liar), plain.super.inode_size);
  ASSERT_EQ(load_be<std::uint8_t>(record, dinode::kFormat), dinode::kFormatExtents);
  // Its own first block, then all that eleven extents can hold, in the second group.
  constexpr std::uint32_t kExtents = 12;
  constexpr std::uint64_t kCount = (1U << 21) - 1;
  const auto put = [&](std::size_t i, std::uint64_t file_block, std::uint64_t fs_block, std::uint64_t count) {
    store_be(std::span(record), dinode::kCoreV3 + i * 16, file_block << 9 | fs_block >> 43);
    store_be(std::span(record), dinode::kCoreV3 + i * 16 + 8, (fs_block << 21) | count);
  };
  std::uint64_t at = 1;
  for (std::size_t i = 1; i < kExtents; ++i, at += kCount) put(i, at, plain.super.block_of(1, static_cast<std::uint32_t>(100 + at)), kCount);
  ASSERT_EQ(load_be<std::uint64_t>(record, dinode::kFlags2) & dinode::kFlag2Nrext64, 0U);
  store_be(std::span(record), dinode::kExtents, kExtents);
  store_le(std::span(record), dinode::kCrc, std::uint32_t{0});
  store_le(std::span(record), dinode::kCrc, block_crc(record, dinode::kCrc));
  const auto disk = std::make_shared<Patched>(plain.source, plain.super.inode_offset(liar), record);

  Anomalies anomalies;
  const auto filesystem = xfs::open(disk, {}, anomalies);
  ICECORE_ASSERT_OK(filesystem);
  const auto table = (*filesystem)->sweep({}, anomalies, no_progress());
  ICECORE_ASSERT_OK(table);
  EXPECT_EQ(names_below(*table, honest), 40U);
  EXPECT_EQ(names_below(*table, liar), 40U);
  ICECORE_EXPECT_CODE((*filesystem)->list(liar), Code::kCorrupt);
  EXPECT_LT(disk->bytes, 64U << 20);
  EXPECT_LT(disk->announced, 128U << 20);
  EXPECT_TRUE(std::ranges::any_of(anomalies.list(), [](const Anomaly& one) { return one.error.message.find("can need") != std::string::npos; }));
}

}  // namespace
}  // namespace icecore::fs::xfs::test
