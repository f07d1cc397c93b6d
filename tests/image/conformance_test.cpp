// What every BlockSource must do, held against the bytes it was made from: files, memory, slices, recordings, and snapshots filled on demand
// over a store that throttles, lies, forgets its tokens and answers out of order.
#include <fcntl.h>
#include <functional>
#include <random>
#include <thread>

#include "fake_store.h"
#include "image/file_source.h"
#include "image/memory_source.h"
#include "image/on_demand_image.h"
#include "image/recording_source.h"
#include "image/slice_source.h"
#include "support/support.h"

namespace icecore::image::test {
namespace {

struct Subject {
  SourcePtr source;
  Bytes truth;
};

struct Maker {
  std::string name;
  std::function<Subject(const Path& scratch)> make;
};

constexpr std::uint64_t kBlocks = 24;

FakeStore::Options plain() {
  FakeStore::Options options;
  options.blocks = kBlocks;
  options.written = scattered(kBlocks);
  return options;
}

Subject on_demand(const Path& scratch, FakeStore::Options options, OnDemandOptions image = {}) {
  auto store = std::make_shared<FakeStore>(std::move(options));
  auto opened = OnDemandImage::open(scratch / "snap", store, std::move(image));
  EXPECT_TRUE(opened.has_value()) << to_string(opened.error());
  return {*opened, store->truth(0, store->volume_size())};
}

Bytes some_bytes() { return FakeStore(plain()).truth(0, kBlocks * kBlockSize); }

const std::vector<Maker> kMakers = {
    {"Memory",
     [](const Path&) {
       return Subject{std::make_shared<MemorySource>(some_bytes(), "memory"), some_bytes()};
     }},
    {"File",
     [](const Path& scratch) {
       EXPECT_TRUE(write_file_atomically(scratch / "image.raw", as_text(some_bytes())).has_value());
       return Subject{FileSource::open(scratch / "image.raw").value(), some_bytes()};
     }},
    {"Slice",
     [](const Path&) {
       const Bytes all = some_bytes();
       auto memory = std::make_shared<MemorySource>(all, "memory");
       // Not on a block's boundary: partitions of old disks begin at sector 63.
       const ByteRange range{63 * 512, 9 * kBlockSize + 512};
       auto begin = all.begin() + static_cast<std::ptrdiff_t>(range.offset);
       return Subject{SliceSource::make(memory, range, "slice").value(), Bytes(begin, begin + static_cast<std::ptrdiff_t>(range.length))};
     }},
    {"Recording",
     [](const Path&) {
       return Subject{std::make_shared<RecordingSource>(std::make_shared<MemorySource>(some_bytes(), "memory")), some_bytes()};
     }},
    {"OnDemand", [](const Path& scratch) { return on_demand(scratch, plain()); }},
    {"OnDemandSmallPages",
     [](const Path& scratch) {
       auto options = plain();
       options.page = 2;
       options.empty_pages = 0.3;
       return on_demand(scratch, options);
     }},
    {"OnDemandSlowAndOutOfOrder",
     [](const Path& scratch) {
       auto options = plain();
       options.delay_us = 3000;
       return on_demand(scratch, options);
     }},
    {"OnDemandWrongBodies",
     [](const Path& scratch) {
       auto options = plain();
       options.wrong_bodies = 0.1;
       return on_demand(scratch, options);
     }},
    {"OnDemandExpiringTokens",
     [](const Path& scratch) {
       auto options = plain();
       options.stale_tokens = 0.05;
       return on_demand(scratch, options, {.threads = 4});
     }},
    {"OnDemandReopened",
     [](const Path& scratch) {
       Subject first = on_demand(scratch, plain());
       const std::array<ByteRange, 1> half{ByteRange{0, kBlocks / 2 * kBlockSize}};
       EXPECT_TRUE(first.source->prefetch(half).has_value());
       first.source.reset();
       return on_demand(scratch, plain());
     }},
};

class Conformance : public ::testing::TestWithParam<Maker> {
 protected:
  icecore::test::ScratchFolder scratch;
  Subject subject = GetParam().make(scratch.path());

  void expect_same(std::uint64_t offset, std::uint64_t length) const {
    Bytes out(length, std::byte{0xEE});
    const auto read = subject.source->read(offset, out);
    ICECORE_ASSERT_OK(read);
    ASSERT_TRUE(length == 0 || std::memcmp(out.data(), subject.truth.data() + offset, length) == 0) << offset << " + " << length;
  }
};

TEST_P(Conformance, KnowsItsSizeAndName) {
  EXPECT_EQ(subject.source->size(), subject.truth.size());
  EXPECT_FALSE(subject.source->name().empty());
}

TEST_P(Conformance, ReadsWhatIsThere) {
  std::mt19937_64 engine(7);
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t length = engine() % (i % 10 == 0 ? 3 * kBlockSize : 5000) % subject.truth.size();
    expect_same(engine() % (subject.truth.size() - length + 1), length);
  }
  expect_same(0, subject.truth.size());
}

TEST_P(Conformance, ReadsAcrossBlocksAndNothing) {
  expect_same(kBlockSize - 1, 2);
  expect_same(kBlockSize, kBlockSize);
  expect_same(0, 0);
  expect_same(subject.truth.size(), 0);
  expect_same(subject.truth.size() - 1, 1);
}

TEST_P(Conformance, RefusesToReadBeyondTheEnd) {
  Bytes out(2);
  ICECORE_EXPECT_CODE(subject.source->read(subject.truth.size() - 1, out), Code::kCorrupt);
  ICECORE_EXPECT_CODE(subject.source->read(subject.truth.size() + 1, {}), Code::kCorrupt);
  ICECORE_EXPECT_CODE(subject.source->read(~std::uint64_t{0}, out), Code::kCorrupt);
}

TEST_P(Conformance, PrefetchTakesAnyRangesAndChangesNothing) {
  const std::vector<ByteRange> ranges = {{0, 1},
                                         {kBlockSize, 3 * kBlockSize},
                                         {2 * kBlockSize, kBlockSize},
                                         {0, 0},
                                         {subject.truth.size() - 1, 1 << 30},
                                         {subject.truth.size() + 5, 10},
                                         {~std::uint64_t{0}, 1},
                                         {5, ~std::uint64_t{0}}};
  ICECORE_ASSERT_OK(subject.source->prefetch(ranges));
  ICECORE_ASSERT_OK(subject.source->prefetch({}));
  expect_same(0, subject.truth.size());
}

TEST_P(Conformance, ServesManyThreads) {
  std::vector<std::jthread> threads;
  for (unsigned t = 0; t < 8; ++t)
    threads.emplace_back([this, t] {
      std::mt19937_64 engine(t);
      for (int i = 0; i < 40; ++i) {
        const std::uint64_t length = 1 + engine() % 20'000;
        const std::uint64_t offset = engine() % (subject.truth.size() - length);
        if (i % 8 == 0) {
          const std::array<ByteRange, 2> ranges{ByteRange{offset, 3 * kBlockSize}, ByteRange{engine() % subject.truth.size(), length}};
          EXPECT_TRUE(subject.source->prefetch(ranges).has_value());
        }
        expect_same(offset, length);
      }
    });
}

TEST_P(Conformance, TellsWhereAByteLiesInTheImage) {
  const std::uint64_t start = GetParam().name == "Slice" ? 63 * 512 : 0;
  EXPECT_EQ(subject.source->image_offset(1234), start + 1234);
}

INSTANTIATE_TEST_SUITE_P(Sources, Conformance, ::testing::ValuesIn(kMakers), [](const auto& maker) { return maker.param.name; });

}  // namespace
}  // namespace icecore::image::test
