// Blocks that another image has are taken from there, checked, and never asked for; the finished image is the same.
#include <fcntl.h>
#include <sys/stat.h>

#include "fake_store.h"
#include "image/on_demand_image.h"
#include "image/verify_image.h"
#include "support/support.h"

namespace icecore::image::test {
namespace {

using icecore::test::run;
using icecore::test::run_ok;
using icecore::test::ScratchFolder;

std::shared_ptr<FakeStore> store_of(std::set<std::uint64_t> written) {
  FakeStore::Options options;
  options.blocks = 300;
  options.written = std::move(written);
  return std::make_shared<FakeStore>(options);
}

std::shared_ptr<OnDemandImage> open(const Path& folder, const std::shared_ptr<FakeStore>& store) {
  auto image = OnDemandImage::open(folder, store, {});
  EXPECT_TRUE(image.has_value()) << to_string(image.error());
  return *image;
}

/// An acquired image with the blocks of `written`, as a donor of the blocks below `end`.
std::shared_ptr<Donor> make_donor(const Path& folder, const std::set<std::uint64_t>& written, std::uint64_t end) {
  const auto image = open(folder, store_of(written));
  EXPECT_TRUE(image->acquire_all(no_progress()).has_value());
  EXPECT_TRUE(image->close().has_value());
  auto donor = Donor::open(folder);
  EXPECT_TRUE(donor.has_value()) << to_string(donor.error());
  Bitmap same(300);
  same.set_range(0, end);
  EXPECT_TRUE((*donor)->mark_same(same).has_value());
  return *donor;
}

std::string sum(const Path& image) { return run_ok("sha256sum < " + image.string()); }

TEST(Donor, WhatASiblingHasIsNotAskedForAndTheImageIsTheSame) {
  const ScratchFolder scratch;
  const auto written = scattered(300);
  const auto donor = make_donor(scratch / "a", written, 200);
  const auto store = store_of(written);
  std::atomic<std::uint64_t> below{0};
  store->get_fault = [&](std::uint64_t block) -> Result<void> {
    if (block < 200) ++below;
    return {};
  };
  const auto image = open(scratch / "b", store);
  image->use_donors({donor});
  EXPECT_EQ(image->progress().offered_blocks, donor->usable_blocks());
  ICECORE_ASSERT_OK(image->acquire_all(no_progress()));
  EXPECT_EQ(below, 0U);
  EXPECT_GT(donor->usable_blocks(), 90U);
  EXPECT_EQ(image->statistics().blocks_taken, donor->usable_blocks());
  EXPECT_EQ(image->statistics().blocks_fetched + image->statistics().blocks_taken, written.size());
  EXPECT_TRUE(image->progress().complete);
  ICECORE_ASSERT_OK(image->close());
  EXPECT_EQ(sum(scratch / "a/image.raw"), sum(scratch / "b/image.raw"));
  EXPECT_EQ(run_ok("sqlite3 " + (scratch / "b/blocks.db").string() + " \"select count(*) from block where request_id = 'baseline snap-0fake1'\""),
            std::to_string(donor->usable_blocks()) + "\n");
  const auto check = verify_image(scratch / "b", {}, false, 2, no_progress());
  ICECORE_ASSERT_OK(check);
  EXPECT_TRUE(check->problems.empty());
}

TEST(Donor, ReadingOnDemandTakesFromItWithoutAListing) {
  const ScratchFolder scratch;
  const auto donor = make_donor(scratch / "a", scattered(300), 300);
  const auto store = store_of(scattered(300));
  const auto image = open(scratch / "b", store);
  image->use_donors({donor});
  Bytes bytes(3 * kBlockSize);
  ICECORE_ASSERT_OK(image->read(3 * kBlockSize, std::span(bytes).first(kBlockSize)));
  EXPECT_EQ(store->gets + store->lists, 0U);
  EXPECT_EQ(Bytes(bytes.begin(), bytes.begin() + kBlockSize), store->truth(3 * kBlockSize, kBlockSize));
}

TEST(Donor, OneThatWasChangedSinceIsAnIntegrityFailureThatNamesItAndTheBlock) {
  const ScratchFolder scratch;
  const auto donor = make_donor(scratch / "a", scattered(300), 300);
  run_ok("printf x | dd of=" + (scratch / "a/image.raw").string() + " bs=1 seek=$((6*524288+17)) conv=notrunc status=none");
  const auto image = open(scratch / "b", store_of(scattered(300)));
  image->use_donors({donor});
  const auto done = image->acquire_all(no_progress());
  ICECORE_EXPECT_CODE(done, Code::kIntegrity);
  EXPECT_NE(done.error().message.find("block 6 of " + (scratch / "a/image.raw").string()), std::string::npos) << done.error().message;
  EXPECT_NE(done.error().message.find("baseline"), std::string::npos);
}

TEST(Donor, HasOnlyWhatItHolds) {
  const ScratchFolder scratch;
  const auto image = open(scratch / "a", store_of(scattered(300)));
  Bytes byte(1);
  ICECORE_ASSERT_OK(image->read(6 * kBlockSize, byte));
  ICECORE_ASSERT_OK(image->close());
  const auto donor = Donor::open(scratch / "a").value();
  EXPECT_FALSE(donor->has(6)) << "nothing is known to be the same yet";
  Bitmap same(1'000);  // of a larger snapshot
  same.set_range(0, 1'000);
  ICECORE_ASSERT_OK(donor->mark_same(same));
  EXPECT_TRUE(donor->has(6));
  EXPECT_FALSE(donor->has(0));
  EXPECT_FALSE(donor->has(999));
  EXPECT_EQ(donor->usable_blocks(), 1U);
}

// XFS with reflink, made here: the second image costs no second room.
TEST(Donor, SharesBlocksOnTheDiskWhereTheFilesystemCan) {
  const ScratchFolder scratch;
  run_ok("truncate -s 512M " + (scratch / "disk").string() + " && mkfs.xfs -q -m reflink=1 " + (scratch / "disk").string() + " && mkdir " +
         (scratch / "mnt").string() + " && mount -o loop " + (scratch / "disk").string() + " " + (scratch / "mnt").string());
  {
    const auto written = scattered(300);
    const auto donor = make_donor(scratch / "mnt/a", written, 300);
    const auto image = open(scratch / "mnt/b", store_of(written));
    image->use_donors({donor});
    EXPECT_TRUE(image->acquire_all(no_progress()).has_value());
    EXPECT_EQ(image->statistics().blocks_shared, written.size());
    EXPECT_TRUE(image->close().has_value());
    EXPECT_EQ(sum(scratch / "mnt/a/image.raw"), sum(scratch / "mnt/b/image.raw"));
    EXPECT_NE(run("filefrag -v " + (scratch / "mnt/b/image.raw").string()).output.find("shared"), std::string::npos);
  }
  run_ok("umount " + (scratch / "mnt").string());
}

}  // namespace
}  // namespace icecore::image::test
