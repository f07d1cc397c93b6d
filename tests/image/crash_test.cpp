// SIGKILL and power loss: no block is recorded that is not safe, no byte is wrong, nothing is fetched twice that was recorded.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <csignal>
#include <map>

#include "fake_store.h"
#include "image/block_database.h"
#include "image/image_file.h"
#include "image/on_demand_image.h"
#include "image/verify_image.h"
#include "support/support.h"

namespace icecore::image::test {
namespace {

using icecore::test::ScratchFolder;

constexpr std::uint64_t kBlocks = 150;

FakeStore::Options slow_store() {
  FakeStore::Options options;
  options.blocks = kBlocks;
  options.written = scattered(kBlocks);
  options.page = 12;
  options.delay_us = 8000;
  return options;
}

std::set<std::uint64_t> recorded_in(const Path& folder) {
  std::set<std::uint64_t> blocks;
  const auto database = BlockDatabase::open_read_only(folder / "blocks.db");
  if (!database) return blocks;  // killed before the schema was there
  EXPECT_TRUE((*database)->for_each_recorded([&](std::uint64_t, const BlockRecord& record) {
    blocks.insert(record.index);
    return Result<void>();
  }));
  return blocks;
}

TEST(Crash, SigkillAtAnyMomentLosesNothingThatWasRecorded) {
  const ScratchFolder scratch;
  const Path folder = scratch / "snap";
  // Shared with the children: how often each block was answered.
  void* shared = ::mmap(nullptr, kBlocks * sizeof(std::uint32_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  auto* counts = static_cast<std::atomic<std::uint32_t>*>(shared);
  FakeStore::Options options = slow_store();
  options.counts = counts;
  OnDemandOptions image_options;
  image_options.threads = 6;
  image_options.commit_interval_ms = 5;
  std::mt19937_64 engine(17);
  for (int round = 0; round < 40; ++round) {
    const std::set<std::uint64_t> before = recorded_in(folder);
    std::vector<std::uint32_t> answered(counts, counts + kBlocks);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto image = OnDemandImage::open(folder, std::make_shared<FakeStore>(options), image_options);
      if (!image) ::_exit(1);
      if (round % 2 == 0) {
        if (!(*image)->acquire_all(no_progress())) ::_exit(2);
      } else {
        for (std::uint64_t block = 0; block < kBlocks; block += 5) {
          const std::array<ByteRange, 1> ranges{ByteRange{block * kBlockSize, 5 * kBlockSize}};
          if (!(*image)->prefetch(ranges)) ::_exit(3);
        }
      }
      for (;;) ::pause();
    }
    ::usleep(static_cast<useconds_t>(1000 + engine() % 30'000));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child failed by itself: " << WEXITSTATUS(status);
    for (const std::uint64_t block : before) EXPECT_EQ(counts[block], answered[block]) << "block " << block << " was recorded and fetched again";
    const std::set<std::uint64_t> after = recorded_in(folder);
    EXPECT_TRUE(std::ranges::includes(after, before));
    if (!after.empty()) {
      const auto check = verify_image(folder, {}, true, 2, no_progress());
      ICECORE_ASSERT_OK(check);
      for (const ImageProblem& problem : check->problems) ADD_FAILURE() << problem.message << " in round " << round;
    }
  }
  const auto store = std::make_shared<FakeStore>(options);
  const auto image = OnDemandImage::open(folder, store, image_options);
  ICECORE_ASSERT_OK(image);
  ICECORE_ASSERT_OK((*image)->acquire_all(no_progress()));
  Bytes out(store->volume_size());
  ICECORE_ASSERT_OK((*image)->read(0, out));
  EXPECT_EQ(out, store->truth(0, out.size()));
  ICECORE_ASSERT_OK((*image)->close());
  EXPECT_TRUE(verify_image(folder, {}, false, 2, no_progress())->problems.empty());
  ::munmap(shared, kBlocks * sizeof(std::uint32_t));
}

/// A disk with a cache that is not flushed by itself: `durable` is what a power loss would leave, writes after the last sync dropped. The worst for
/// our order is that the database keeps all that it was told, so its file is left as it is.
struct Platter {
  std::mutex mutex;
  std::map<std::uint64_t, Bytes> cache, durable;
};

class VolatileFile : public ImageFile {
 public:
  explicit VolatileFile(std::shared_ptr<Platter> platter) : platter_(std::move(platter)) {}
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
    const std::scoped_lock lock(platter_->mutex);
    std::ranges::fill(out, std::byte{0});
    if (const auto found = platter_->cache.find(offset); found != platter_->cache.end()) std::ranges::copy(found->second, out.begin());
    return {};
  }
  Result<void> write(std::uint64_t offset, ByteView bytes) override {
    const std::scoped_lock lock(platter_->mutex);
    platter_->cache[offset] = Bytes(bytes.begin(), bytes.end());
    return {};
  }
  Result<void> sync() override {
    std::map<std::uint64_t, Bytes> now;
    {
      const std::scoped_lock lock(platter_->mutex);
      now = platter_->cache;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(3));  // what is written meanwhile is not covered
    const std::scoped_lock lock(platter_->mutex);
    platter_->durable = std::move(now);
    return {};
  }
  Result<void> discard(std::uint64_t, std::uint64_t) override { return {}; }
  Result<void> for_each_extent(const std::function<Result<void>(std::uint64_t, std::uint64_t)>&) const override { return {}; }

 private:
  const std::shared_ptr<Platter> platter_;
};

TEST(Crash, PowerLossNeverLeavesARowWithoutItsBlock) {
  const ScratchFolder scratch;
  const auto platter = std::make_shared<Platter>();
  FakeStore::Options store_options = slow_store();
  store_options.delay_us = 2000;
  const auto store = std::make_shared<FakeStore>(store_options);
  OnDemandOptions options;
  options.threads = 8;
  options.commit_interval_ms = 1;
  options.open_file = [&](const Path&, std::uint64_t) -> Result<std::unique_ptr<ImageFile>> { return std::make_unique<VolatileFile>(platter); };
  const auto image = OnDemandImage::open(scratch / "snap", store, options);
  ICECORE_ASSERT_OK(image);
  std::atomic<bool> done{false};
  std::thread acquiring([&] {
    EXPECT_TRUE((*image)->acquire_all(no_progress()).has_value());
    done = true;
  });
  std::size_t looked_at = 0;
  for (int moment = 0; !done; ++moment) {
    // Rows first, platter then: the other way round a row could be newer than the platter we look at.
    const std::set<std::uint64_t> rows = recorded_in(scratch / "snap");
    const std::scoped_lock lock(platter->mutex);
    for (const std::uint64_t block : rows) {
      const auto found = platter->durable.find(block * kBlockSize);
      ASSERT_NE(found, platter->durable.end()) << "block " << block << " is recorded and would be lost, moment " << moment;
      ++looked_at;
    }
  }
  acquiring.join();
  EXPECT_GT(looked_at, 0U);
  EXPECT_EQ(platter->durable.size(), store->options().written.size());
  for (const auto& [offset, bytes] : platter->durable) EXPECT_EQ(bytes, store->truth(offset, kBlockSize));
}

TEST(Crash, AFailedFlushRecordsNothingAndIsTold) {
  const ScratchFolder scratch;
  class Failing : public VolatileFile {
   public:
    using VolatileFile::VolatileFile;
    Result<void> sync() override { return fail(Code::kIo, "cannot flush image.raw: Input/output error"); }
  };
  OnDemandOptions options;
  options.open_file = [](const Path&, std::uint64_t) -> Result<std::unique_ptr<ImageFile>> {
    return std::make_unique<Failing>(std::make_shared<Platter>());
  };
  const auto image = OnDemandImage::open(scratch / "snap", std::make_shared<FakeStore>(slow_store()), options);
  ICECORE_ASSERT_OK(image);
  const std::array<ByteRange, 1> ranges{ByteRange{0, 10 * kBlockSize}};
  ICECORE_ASSERT_OK((*image)->prefetch(ranges));
  ICECORE_EXPECT_CODE((*image)->flush(), Code::kIo);
  ICECORE_EXPECT_CODE((*image)->prefetch(ranges), Code::kIo);
  EXPECT_TRUE(recorded_in(scratch / "snap").empty());
}

}  // namespace
}  // namespace icecore::image::test
