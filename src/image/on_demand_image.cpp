#include "image/on_demand_image.h"

#include "image/image_state.h"

namespace icecore::image {

OnDemandImage::OnDemandImage(std::unique_ptr<ImageState> state) : state_(std::move(state)) {}
OnDemandImage::~OnDemandImage() = default;

Result<std::shared_ptr<OnDemandImage>> OnDemandImage::make(Result<std::unique_ptr<ImageState>> state) {
  if (!state) return Failure(state.error());
  return std::shared_ptr<OnDemandImage>(new OnDemandImage(std::move(*state)));
}

Result<std::shared_ptr<OnDemandImage>> OnDemandImage::open(const Path& folder, std::shared_ptr<BlockStore> store, OnDemandOptions options) {
  return make(ImageState::open(folder, std::move(store), std::move(options)));
}

Result<std::shared_ptr<OnDemandImage>> OnDemandImage::open_offline(const Path& folder, OnDemandOptions options) {
  return make(ImageState::open(folder, nullptr, std::move(options)));
}

std::uint64_t OnDemandImage::size() const { return state_->volume_size; }
std::string OnDemandImage::name() const { return state_->snapshot; }

Result<void> OnDemandImage::read(std::uint64_t offset, std::span<std::byte> out) const {
  ICECORE_CHECK(check_range(offset, out.size(), state_->volume_size, state_->snapshot));
  const ByteRange range{offset, out.size()};
  ICECORE_CHECK(state_->make_ready(state_->missing({&range, 1})));
  return state_->file->read(offset, out);
}

Result<void> OnDemandImage::prefetch(std::span<const ByteRange> ranges) const { return state_->make_ready(state_->missing(ranges)); }

void OnDemandImage::use_donors(std::vector<DonorPtr> donors) { state_->donors = std::move(donors); }

Bitmap OnDemandImage::written_blocks() const { return state_->listing->copy().written; }

Result<void> OnDemandImage::flush() const {
  if (state_->closed) return state_->closed_failure();
  return state_->recorder->flush();
}

Result<void> OnDemandImage::close() {
  if (state_->closed.exchange(true)) return {};
  const Result<void> flushed = state_->recorder->flush();
  const Result<void> closed = state_->database->close();
  ICECORE_CHECK(flushed);
  return closed;
}

Result<std::vector<BlockReference>> OnDemandImage::block_references(const ByteRange& range) const {
  std::vector<BlockReference> references;
  if (range.length == 0 || range.offset >= size()) return references;
  ICECORE_CHECK(flush());
  const std::uint64_t last = (range.offset + std::min(range.length, size() - range.offset) - 1) / kBlockSize;
  for (std::uint64_t block = range.offset / kBlockSize; block <= last; ++block) {
    ICECORE_ASSIGN(const auto record, state_->database->find(block));
    if (record) references.push_back({block, to_hex(record->sha256)});
  }
  return references;
}

ImageLogState OnDemandImage::log_state() const {
  const BlockLog log = state_->database->log();
  return {log.blocks, to_hex(log.hash)};
}

ImageStatistics OnDemandImage::statistics() const {
  const ImageState& state = *state_;
  return {state.blocks_fetched, state.bytes_fetched, state.get_calls, state.listing->list_calls(), state.checksum_failures, state.stale_tokens,
          state.reverified,     state.taken,         state.shared};
}

ImageProgress OnDemandImage::progress() const {
  const Listing known = state_->listing->copy();
  ImageProgress progress;
  progress.volume_blocks = state_->block_count();
  progress.listed_blocks = known.listed.count();
  progress.written_blocks = known.written.count();
  progress.recorded_blocks = state_->database->log().blocks;
  progress.offered_blocks = state_->offered();
  progress.complete = progress.listed_blocks == progress.volume_blocks && progress.recorded_blocks == progress.written_blocks;
  return progress;
}

}  // namespace icecore::image
