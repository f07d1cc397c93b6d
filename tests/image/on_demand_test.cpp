// The on-demand image: nothing is fetched that was not asked for or is here, nothing wrong is kept, and every failure says what and where.
#include <fcntl.h>
#include <sys/stat.h>
#include <thread>

#include "fake_store.h"
#include "image/block_database.h"
#include "image/merkle.h"
#include "image/on_demand_image.h"
#include "image/verify_image.h"
#include "support/support.h"

namespace icecore::image::test {
namespace {

using icecore::test::run_ok;
using icecore::test::ScratchFolder;

std::shared_ptr<FakeStore> make_store(std::uint64_t blocks, std::size_t page = 10'000) {
  FakeStore::Options options;
  options.blocks = blocks;
  options.written = scattered(blocks);
  options.page = page;
  return std::make_shared<FakeStore>(options);
}

std::shared_ptr<OnDemandImage> open(const Path& folder, const std::shared_ptr<FakeStore>& store, OnDemandOptions options = {}) {
  auto image = OnDemandImage::open(folder, store, std::move(options));
  EXPECT_TRUE(image.has_value()) << to_string(image.error());
  return *image;
}

Result<void> touch(const OnDemandImage& image, std::uint64_t block) {
  Bytes byte(1);
  return image.read(block * kBlockSize, byte);
}

void flip(const Path& file, std::uint64_t offset) {
  const auto descriptor = open_file(file, O_RDWR).value();
  Bytes byte(1);
  ASSERT_TRUE(read_exactly(descriptor.get(), byte, offset, file).has_value());
  byte[0] ^= std::byte{1};
  ASSERT_TRUE(write_exactly(descriptor.get(), byte, offset, file).has_value());
}

TEST(OnDemand, FetchesOnlyTheBlocksThatAreRead) {
  const ScratchFolder scratch;
  const auto store = make_store(600);
  const auto image = open(scratch / "snap", store);
  ICECORE_ASSERT_OK(touch(*image, 0));
  ICECORE_ASSERT_OK(touch(*image, 1));  // never written
  ICECORE_ASSERT_OK(touch(*image, 0));
  EXPECT_EQ(store->gets, 1U);
  EXPECT_EQ(store->lists, 1U);
  const std::array<ByteRange, 2> ranges{ByteRange{3 * kBlockSize, 10 * kBlockSize}, ByteRange{9 * kBlockSize, 1}};
  ICECORE_ASSERT_OK(image->prefetch(ranges));
  EXPECT_EQ(store->gets, 5U);  // 0, then 3, 6, 9, 12
  ICECORE_ASSERT_OK(image->flush());
  EXPECT_EQ(image->progress().recorded_blocks, 5U);
  struct stat status {};
  ASSERT_EQ(::stat((scratch / "snap/image.raw").c_str(), &status), 0);
  EXPECT_EQ(status.st_size, static_cast<off_t>(600 * kBlockSize));
  EXPECT_LE(status.st_blocks * 512, static_cast<off_t>(5 * kBlockSize + 65'536)) << "the rest stays a hole; the file has a few extents";
}

TEST(OnDemand, ListsAroundWhatIsWantedOnly) {
  const ScratchFolder scratch;
  const auto store = make_store(60'000, 100);
  const auto image = open(scratch / "snap", store);
  ICECORE_ASSERT_OK(touch(*image, 50'001));
  EXPECT_EQ(store->lists, 1U);
  ICECORE_ASSERT_OK(touch(*image, 50'040));
  EXPECT_EQ(store->lists, 1U) << "one page covered both";
  EXPECT_LT(image->progress().listed_blocks, 400U);
}

TEST(OnDemand, ARoundOfDistantRangesIsListedSideBySide) {
  const ScratchFolder scratch;
  const auto store = make_store(400'000, 100);
  std::atomic<int> now{0}, most{0};
  store->list_fault = [&](std::uint64_t) -> Result<void> {
    most = std::max<int>(most, ++now);
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    --now;
    return {};
  };
  const auto image = open(scratch / "snap", store);
  std::vector<ByteRange> ranges;
  for (std::uint64_t block = 0; block < 400'000; block += 100'002) ranges.push_back({block * kBlockSize, 1});
  ICECORE_ASSERT_OK(image->prefetch(ranges));
  EXPECT_EQ(store->lists, ranges.size());
  EXPECT_GT(most, 1);
}

TEST(OnDemand, ManyReadersOfOneBlockShareOneFetch) {
  const ScratchFolder scratch;
  FakeStore::Options options;
  options.written = {7};
  options.delay_us = 20'000;
  const auto store = std::make_shared<FakeStore>(options);
  const auto image = open(scratch / "snap", store);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 16; ++i) threads.emplace_back([&] { EXPECT_TRUE(touch(*image, 7).has_value()); });
  }
  EXPECT_EQ(store->gets, 1U);
}

TEST(OnDemand, ASecondRunFetchesNothingTwiceAndAsksNoListForWhatIsHere) {
  const ScratchFolder scratch;
  const auto store = make_store(90);
  ICECORE_ASSERT_OK(open(scratch / "snap", store)->prefetch(std::array{ByteRange{0, 30 * kBlockSize}}));
  const std::uint64_t gets = store->gets;
  const auto again = open(scratch / "snap", store);
  const std::uint64_t lists = store->lists;
  Bytes out(30 * kBlockSize);
  ICECORE_ASSERT_OK(again->read(0, out));
  EXPECT_EQ(out, store->truth(0, out.size()));
  EXPECT_EQ(store->gets, gets);
  EXPECT_EQ(store->lists, lists);
  EXPECT_EQ(again->statistics().blocks_reverified, 10U);
}

TEST(OnDemand, OfflineReadsWhatIsHereAndNamesWhatIsNot) {
  const ScratchFolder scratch;
  const auto store = make_store(90, 10);
  {
    const auto image = open(scratch / "snap", store);
    ICECORE_ASSERT_OK(touch(*image, 3));
    ICECORE_ASSERT_OK(image->close());
  }
  const auto offline = OnDemandImage::open_offline(scratch / "snap");
  ICECORE_ASSERT_OK(offline);
  EXPECT_EQ((*offline)->name(), store->id());
  ICECORE_ASSERT_OK(touch(**offline, 3));
  ICECORE_ASSERT_OK(touch(**offline, 4));  // listed, never written
  const auto missing = touch(**offline, 6);
  ICECORE_EXPECT_CODE(missing, Code::kNotFound);
  EXPECT_NE(to_string(missing.error()).find("block 6"), std::string::npos);
}

TEST(OnDemand, ABodyThatStaysWrongIsAnIntegrityFailureAndNothingIsKept) {
  const ScratchFolder scratch;
  FakeStore::Options options;
  options.written = {5};
  options.wrong_bodies = 1;
  const auto image = open(scratch / "snap", std::make_shared<FakeStore>(options));
  const auto read = touch(*image, 5);
  ICECORE_EXPECT_CODE(read, Code::kIntegrity);
  EXPECT_NE(to_string(read.error()).find("block 5 of snap-0fake1"), std::string::npos);
  ICECORE_ASSERT_OK(image->close());
  EXPECT_EQ(run_ok("tr -d '\\0' < " + (scratch / "snap/image.raw").string() + " | wc -c"), "0\n");
  EXPECT_EQ(run_ok("sqlite3 " + (scratch / "snap/blocks.db").string() + " 'SELECT count(*) FROM block'"), "0\n");
}

TEST(OnDemand, ABlockChangedOnDiskIsNoticedBeforeItIsUsed) {
  const ScratchFolder scratch;
  const auto store = make_store(90);
  {
    const auto image = open(scratch / "snap", store);
    ICECORE_ASSERT_OK(touch(*image, 3));
    ICECORE_ASSERT_OK(image->close());
  }
  flip(scratch / "snap/image.raw", 3 * kBlockSize + 77);
  const auto read = touch(*open(scratch / "snap", store), 3);
  ICECORE_EXPECT_CODE(read, Code::kIntegrity);
  EXPECT_NE(to_string(read.error()).find("block 3"), std::string::npos);
  OnDemandOptions trusting;
  trusting.verify_on_first_use = false;
  ICECORE_ASSERT_OK(touch(*open(scratch / "snap", store, trusting), 3));
}

TEST(OnDemand, RefusesTheFilesOfAnotherSnapshot) {
  const ScratchFolder scratch;
  ICECORE_ASSERT_OK(open(scratch / "snap", make_store(90))->close());
  FakeStore::Options other;
  other.seed = 2;
  other.blocks = 90;
  ICECORE_EXPECT_CODE(OnDemandImage::open(scratch / "snap", std::make_shared<FakeStore>(other)), Code::kConflict);
  ICECORE_EXPECT_CODE(OnDemandImage::open(scratch / "snap", make_store(91)), Code::kConflict);
}

TEST(OnDemand, DamagedDatabaseIsAnIntegrityFailure) {
  const ScratchFolder scratch;
  ICECORE_ASSERT_OK(open(scratch / "snap", make_store(90))->close());
  run_ok("head -c 100000 /dev/urandom > " + (scratch / "snap/blocks.db").string());
  ICECORE_EXPECT_CODE(OnDemandImage::open(scratch / "snap", make_store(90)), Code::kIntegrity);
}

TEST(OnDemand, ErrorsOfTheStoreAreGivenOnWithTheBlock) {
  const ScratchFolder scratch;
  const auto store = make_store(90);
  store->get_fault = [](std::uint64_t) { return Result<void>(fail(Code::kPermission, "no ebs:GetSnapshotBlock")); };
  const auto image = open(scratch / "snap", store);
  const auto read = touch(*image, 6);
  ICECORE_EXPECT_CODE(read, Code::kPermission);
  EXPECT_NE(to_string(read.error()).find("block 6"), std::string::npos);
  store->get_fault = nullptr;
  ICECORE_ASSERT_OK(touch(*image, 6));
}

TEST(OnDemand, FullDiskIsSaidAndNothingIsRecordedThatIsNotThere) {
  const ScratchFolder scratch;
  const std::string mount = (scratch / "small").string();
  run_ok("mkdir " + mount + " && mount -t tmpfs -o size=6m tmpfs " + mount);
  const auto store = make_store(90);
  {
    const auto image = open(Path(mount) / "snap", store, {.threads = 4});
    const auto fetched = image->acquire_all(no_progress());
    ICECORE_EXPECT_CODE(fetched, Code::kIo);
    EXPECT_NE(to_string(fetched.error()).find("space"), std::string::npos) << to_string(fetched.error());
  }
  {
    const auto check = verify_image(Path(mount) / "snap", {}, true, 1, no_progress());
    ICECORE_ASSERT_OK(check);
    for (const auto& problem : check->problems) ADD_FAILURE() << problem.message;
    EXPECT_GT(check->blocks, 0U);
    run_ok("mount -o remount,size=60m " + mount);
    const auto image = open(Path(mount) / "snap", store);
    ICECORE_ASSERT_OK(image->acquire_all(no_progress()));
    Bytes out(store->volume_size());
    ICECORE_ASSERT_OK(image->read(0, out));
    EXPECT_EQ(out, store->truth(0, out.size()));
  }
  run_ok("umount " + mount);
}

TEST(OnDemand, ReferencesAreOfTheRecordedBlocks) {
  const ScratchFolder scratch;
  const auto store = make_store(90);
  const auto image = open(scratch / "snap", store);
  ICECORE_ASSERT_OK(image->prefetch(std::array{ByteRange{0, 5 * kBlockSize}}));
  const auto references = image->block_references({kBlockSize, 3 * kBlockSize});
  ICECORE_ASSERT_OK(references);
  ASSERT_EQ(references->size(), 1U);
  EXPECT_EQ(references->front().index, 3U);
  EXPECT_EQ(references->front().sha256, to_hex(sha256(store->truth(3 * kBlockSize, kBlockSize))));
}

TEST(Acquire, MakesTheWholeImageAsSha256sumSeesIt) {
  const ScratchFolder scratch;
  const auto store = make_store(50'000, 100);
  auto image = open(scratch / "snap", make_store(120, 7));
  ICECORE_EXPECT_CODE(image->whole_image(no_progress()), Code::kConflict);
  ICECORE_ASSERT_OK(image->acquire_all(no_progress()));
  EXPECT_TRUE(image->progress().complete);
  const auto whole = image->whole_image(no_progress());
  ICECORE_ASSERT_OK(whole);
  EXPECT_EQ(run_ok("sha256sum < " + (scratch / "snap/image.raw").string()).substr(0, 64), whole->sha256);
  // The root by Python's hashlib, recursively as RFC 6962 defines it.
  const std::string python =
      "import hashlib,sys\nd=open(sys.argv[1],'rb').read()\nh=lambda b:hashlib.sha256(b).digest()\n"
      "l=[h(b'\\0'+h(d[i:i+524288])) for i in range(0,len(d),524288)]\n"
      "def m(x):\n if len(x)==1: return x[0]\n k=1\n while k*2<len(x): k*=2\n return h(b'\\1'+m(x[:k])+m(x[k:]))\n"
      "print(m(l).hex())\n";
  ASSERT_TRUE(write_file_atomically(scratch / "merkle.py", python).has_value());
  EXPECT_EQ(run_ok("python3 " + (scratch / "merkle.py").string() + " " + (scratch / "snap/image.raw").string()), whole->merkle_root + "\n");
  ICECORE_ASSERT_OK(image->close());
  EXPECT_FALSE(std::filesystem::exists(scratch / "snap/blocks.db-wal"));
}

TEST(Acquire, FetchesOnlyTheRest) {
  const ScratchFolder scratch;
  const auto store = make_store(300, 20);
  const auto image = open(scratch / "snap", store);
  ICECORE_ASSERT_OK(image->prefetch(std::array{ByteRange{0, 100 * kBlockSize}}));
  ICECORE_ASSERT_OK(image->acquire_all(no_progress()));
  EXPECT_EQ(store->gets, store->options().written.size());
  ICECORE_ASSERT_OK(image->acquire_all(no_progress()));
  EXPECT_EQ(store->gets, store->options().written.size());
}

TEST(Acquire, WhatThePlanListedIsNotListedAgain) {
  const ScratchFolder scratch;
  const auto store = make_store(300, 20);
  const auto image = open(scratch / "snap", store);
  ICECORE_ASSERT_OK(image->list_all());
  const std::uint64_t listed = store->lists;
  ICECORE_ASSERT_OK(image->acquire_all(no_progress()));
  EXPECT_EQ(store->lists, listed);
  EXPECT_EQ(store->gets, store->options().written.size());
}

TEST(Acquire, ListsAHugeVolumeInSegmentsAndInLittleMemory) {
  const ScratchFolder scratch;
  FakeStore::Options options;
  options.blocks = (std::uint64_t{1} << 40) / kBlockSize;  // 1 TiB
  for (std::uint64_t block = 11; block < options.blocks; block += 41'234) options.written.insert(block);
  options.page = 10;
  const auto store = std::make_shared<FakeStore>(options);
  const auto image = open(scratch / "snap", store);
  ICECORE_ASSERT_OK(image->list_all());
  EXPECT_EQ(image->progress().written_blocks, options.written.size());
  EXPECT_EQ(store->gets, 0U);
  ICECORE_ASSERT_OK(image->acquire_all(no_progress()));
  EXPECT_EQ(store->gets, options.written.size());
  ICECORE_ASSERT_OK(image->close());
  const auto check = verify_image(scratch / "snap", {}, false, 2, no_progress());
  ICECORE_ASSERT_OK(check);
  EXPECT_TRUE(check->problems.empty());
}

TEST(Acquire, GoesThroughThrottlingLiesAndExpiringTokens) {
  const ScratchFolder scratch;
  FakeStore::Options options;
  options.blocks = 200;
  options.written = scattered(200);
  options.page = 9;
  options.empty_pages = 0.2;
  options.wrong_bodies = 0.02;
  options.stale_tokens = 0.01;
  options.delay_us = 500;
  const auto store = std::make_shared<FakeStore>(options);
  const auto image = open(scratch / "snap", store, {.threads = 8});
  // With every refusal all tokens of the fake change, so those in the queue are refused too: as after the seven days of a real one.
  ICECORE_ASSERT_OK(image->acquire_all(no_progress()));
  Bytes out(store->volume_size());
  ICECORE_ASSERT_OK(image->read(0, out));
  EXPECT_EQ(out, store->truth(0, out.size()));
}

// What is hashed beside the fetching is given up with it: 8 TiB of holes are ready at once, and hashing them takes hours.
TEST(Acquire, AFailureDoesNotWaitForTheHash) {
  const ScratchFolder scratch;
  FakeStore::Options options;
  options.blocks = (std::uint64_t{8} << 40) / kBlockSize;
  options.written = {options.blocks - 1};
  const auto store = std::make_shared<FakeStore>(options);
  store->get_fault = [](std::uint64_t) { return fail(Code::kPermission, "not yours any more"); };
  const auto image = open(scratch / "snap", store);
  ICECORE_EXPECT_CODE(image->acquire_and_hash(no_progress()), Code::kPermission);
}

TEST(VerifyImage, NamesTheChangedBlockTheAddedDataAndTheLostRow) {
  const ScratchFolder scratch;
  const auto store = make_store(90);
  const Path folder = scratch / "snap";
  ImageLogState seal;
  {
    const auto image = open(folder, store);
    ICECORE_ASSERT_OK(image->prefetch(std::array{ByteRange{0, 40 * kBlockSize}}));
    ICECORE_ASSERT_OK(image->flush());
    seal = image->log_state();
    ICECORE_ASSERT_OK(image->close());
  }
  const auto verify = [&] { return verify_image(folder, {seal}, false, 2, no_progress()).value(); };
  EXPECT_TRUE(verify().problems.empty());
  EXPECT_EQ(verify().blocks, seal.blocks);

  flip(folder / "image.raw", 9 * kBlockSize + 5);
  ASSERT_EQ(verify().problems.size(), 1U);
  EXPECT_EQ(verify().problems[0].block, 9U);
  flip(folder / "image.raw", 9 * kBlockSize + 5);

  flip(folder / "image.raw", 70 * kBlockSize + 123);  // written, not fetched
  ASSERT_EQ(verify().problems.size(), 1U);
  EXPECT_EQ(verify().problems[0].block, 70U);
  EXPECT_EQ(verify().problems[0].offset, 70 * kBlockSize + 123);
  EXPECT_TRUE(verify_image(folder, {seal}, true, 2, no_progress())->problems.empty()) << "a killed run leaves such blocks";
  flip(folder / "image.raw", 70 * kBlockSize + 123);

  run_ok("truncate -s -1 " + (folder / "image.raw").string());
  EXPECT_FALSE(verify().problems.empty());
  run_ok("truncate -s +1 " + (folder / "image.raw").string());
  EXPECT_TRUE(verify().problems.empty());

  const std::string sql = "sqlite3 " + (folder / "blocks.db").string() + " ";
  run_ok("cp -a " + (folder / "blocks.db").string() + " " + (scratch / "good.db").string());
  for (const std::string change : {"DELETE FROM block WHERE sequence=(SELECT max(sequence) FROM block)", "DELETE FROM block WHERE sequence=2",
                                   "UPDATE block SET block_index=2 WHERE block_index=3", "UPDATE block SET request_id='x' WHERE sequence=4",
                                   "UPDATE meta SET value='0' WHERE key='log_blocks'", "UPDATE meta SET value='snap-1' WHERE key='format'",
                                   "UPDATE block SET sha256=x'00' WHERE sequence=5", "UPDATE block SET sequence=900 WHERE sequence=5"}) {
    run_ok(sql + "\"" + change + "\"");
    EXPECT_FALSE(verify().problems.empty()) << change;
    run_ok("cp -a " + (scratch / "good.db").string() + " " + (folder / "blocks.db").string());
  }
  EXPECT_TRUE(verify().problems.empty());
}

TEST(VerifyImage, ReplacingARowAndItsBlockTogetherIsFoundByTheSeal) {
  const ScratchFolder scratch;
  const Path folder = scratch / "snap";
  const auto store = make_store(30);
  ImageLogState seal;
  {
    const auto image = open(folder, store);
    ICECORE_ASSERT_OK(image->acquire_all(no_progress()));
    seal = image->log_state();
    ICECORE_ASSERT_OK(image->close());
  }
  // A forger who knows the format: another image of the same size, made whole with our own code.
  FakeStore::Options forged = store->options();
  forged.written.erase(3);
  forged.written.insert(4);
  std::filesystem::remove_all(folder);
  {
    const auto image = open(folder, std::make_shared<FakeStore>(forged));
    ICECORE_ASSERT_OK(image->acquire_all(no_progress()));
    ICECORE_ASSERT_OK(image->close());
  }
  EXPECT_TRUE(verify_image(folder, {}, false, 2, no_progress())->problems.empty());
  EXPECT_FALSE(verify_image(folder, {seal}, false, 2, no_progress())->problems.empty());
}

}  // namespace
}  // namespace icecore::image::test
