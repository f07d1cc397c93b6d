#include "image/image_state.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <algorithm>
#include <new>

#include "image/gathered_writer.h"

namespace icecore::image {
ImageState::ImageState(Path folder_path, std::shared_ptr<BlockStore> block_store, OnDemandOptions image_options)
    : folder(std::move(folder_path)),
      store(std::move(block_store)),
      options(std::move(image_options)),
      slots_(static_cast<std::ptrdiff_t>(std::max<std::size_t>(1, options.threads))) {}

ImageState::~ImageState() { recorder.reset(); }  // before the file and the database that it writes to

Result<std::unique_ptr<ImageState>> ImageState::open(const Path& folder, std::shared_ptr<BlockStore> store, OnDemandOptions options) {
  std::unique_ptr<ImageState> state(new ImageState(folder, std::move(store), std::move(options)));
  ICECORE_CHECK(state->open_files());
  ICECORE_CHECK(state->load());
  state->start_recorder();
  return state;
}

Result<void> ImageState::open_files() {
  const Path database_path = folder / "blocks.db";
  if (store) {
    ICECORE_CHECK(make_private_directory(folder));
    snapshot = store->id();
    volume_size = store->volume_size();
    if (volume_size == 0 || volume_size % kBlockSize != 0)
      return fail(Code::kUnsupported, fmt::format("{} has a size of {} bytes, which is no whole number of 512 KiB blocks", snapshot, volume_size));
    ICECORE_ASSIGN(database, BlockDatabase::open(database_path, {snapshot, volume_size}));
  } else {
    ICECORE_ASSIGN(database, BlockDatabase::open_existing(database_path));
    snapshot = database->identity().snapshot;
    volume_size = database->identity().volume_size;
  }
  const Path image_path = folder / "image.raw";
  if (options.open_file) {
    ICECORE_ASSIGN(file, options.open_file(image_path, volume_size));
  } else {
    ICECORE_ASSIGN(file, open_image_file(image_path, volume_size));
  }
  return {};
}

Result<void> ImageState::load() {
  ready_ = std::make_unique<AtomicBitmap>(block_count());
  here_.emplace(block_count());
  ICECORE_CHECK(database->for_each_in_order([&](const BlockRecord& record) -> Result<void> {
    here_->set(record.index);
    if (!options.verify_on_first_use) ready_->set(record.index);
    return {};
  }));
  Listing known(block_count());
  ICECORE_CHECK(database->load_listing(known));
  ICECORE_CHECK(discard_unrecorded());
  mark_holes_ready(known, 0, block_count());
  const auto covered = [this](const Listing& now, std::uint64_t first, std::uint64_t end) {
    mark_holes_ready(now, first, end);
    std::vector<std::uint64_t> chunks;
    for (std::uint64_t chunk = first / BlockDatabase::kChunk; chunk * BlockDatabase::kChunk < end; ++chunk) chunks.push_back(chunk);
    recorder->add_listing(chunks);
  };
  listing = std::make_unique<SnapshotListing>(store, std::move(known), options.listing_threads, covered);
  return {};
}

// What is in image.raw and in no row was written by a run that was killed before it had recorded it, or by somebody else: it is not evidence.
Result<void> ImageState::discard_unrecorded() {
  std::vector<std::uint64_t> stray;
  ICECORE_CHECK(file->for_each_extent([&](std::uint64_t offset, std::uint64_t length) -> Result<void> {
    const std::uint64_t last = std::min(block_count(), (offset + length + kBlockSize - 1) / kBlockSize);
    for (std::uint64_t block = offset / kBlockSize; block < last; ++block)
      if (!here_->test(block) && (stray.empty() || stray.back() < block)) stray.push_back(block);
    return {};
  }));
  for (const std::uint64_t block : stray) ICECORE_CHECK(file->discard(block * kBlockSize, kBlockSize));
  return {};
}

void ImageState::start_recorder() {
  BlockRecorder::Hooks hooks;
  hooks.recorded = [](std::span<const BlockRecord>) {};
  hooks.lost = [this](std::span<const BlockRecord> records) {
    const std::scoped_lock lock(mutex_);
    for (const BlockRecord& record : records) {
      ready_->clear(record.index);
      here_->clear(record.index);
    }
  };
  hooks.listing = [this] { return listing->copy(); };
  recorder =
      std::make_unique<BlockRecorder>(*file, *database, BlockRecorder::Options{options.commit_interval_ms, options.commit_blocks}, std::move(hooks));
}

// An unlisted block is zeros, and image.raw has a hole there.
void ImageState::mark_holes_ready(const Listing& known, std::uint64_t first, std::uint64_t end) {
  for (std::uint64_t word = first / 64; word * 64 < end; ++word) {
    const std::uint64_t holes = known.listed.words()[word] & ~known.written.words()[word];
    if (holes != 0) ready_->set_word(word, holes);
  }
}

bool ImageState::is_here(std::uint64_t block) const {
  const std::scoped_lock lock(mutex_);
  return here_->test(block);
}

const Donor* ImageState::donor_of(std::uint64_t block) const {
  const auto found = std::ranges::find_if(donors, [&](const DonorPtr& donor) { return donor->has(block); });
  return found == donors.end() ? nullptr : found->get();
}

std::uint64_t ImageState::offered() const {
  if (donors.empty()) return 0;
  const std::scoped_lock lock(mutex_);
  std::uint64_t count = 0;
  for (std::uint64_t block = 0; block < block_count(); ++block)
    if (!here_->test(block) && donor_of(block) != nullptr) ++count;
  return count;
}

std::vector<std::uint64_t> ImageState::missing(std::span<const ByteRange> ranges) const {
  std::vector<std::uint64_t> blocks;
  for (const ByteRange& range : ranges) {
    if (range.length == 0 || range.offset >= volume_size) continue;
    const std::uint64_t last = (range.offset + std::min(range.length, volume_size - range.offset) - 1) / kBlockSize;
    for (std::uint64_t block = range.offset / kBlockSize; block <= last; ++block)
      if (!ready_->test(block)) blocks.push_back(block);
  }
  std::ranges::sort(blocks);
  blocks.erase(std::unique(blocks.begin(), blocks.end()), blocks.end());  // clang 14 cannot take libstdc++ 12's subranges
  return blocks;
}

ImageState::BlockMemory ImageState::take_buffer() {
  const std::scoped_lock lock(buffers_mutex_);
  if (buffers_.empty()) {
    BlockMemory fresh(static_cast<std::byte*>(std::aligned_alloc(GatheredWriter::kAlignment, kBlockSize)));
    if (!fresh) throw std::bad_alloc();
    return fresh;
  }
  BlockMemory buffer = std::move(buffers_.back());
  buffers_.pop_back();
  return buffer;
}

void ImageState::give_buffer(BlockMemory buffer) {
  const std::scoped_lock lock(buffers_mutex_);
  buffers_.push_back(std::move(buffer));
}

Failure ImageState::closed_failure() const { return fail(Code::kInternal, fmt::format("the image of {} is closed", snapshot)); }

Location ImageState::where(std::uint64_t block) const { return Location{snapshot, block * kBlockSize}; }

}  // namespace icecore::image
