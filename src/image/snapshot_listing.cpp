#include "image/snapshot_listing.h"

#include <fmt/format.h>

#include "core/parallel.h"

namespace icecore::image {
namespace {

// Listing the same block over and over without getting a token means that the service is not keeping its contract.
constexpr int kRounds = 100;

}  // namespace

SnapshotListing::SnapshotListing(std::shared_ptr<BlockStore> store, Listing known, std::size_t threads, Covered covered)
    : store_(std::move(store)), threads_(threads), covered_(std::move(covered)), listing_(std::move(known)) {}

bool SnapshotListing::needs_listing(std::uint64_t block) const {
  return !listing_.listed.test(block) || (listing_.written.test(block) && !tokens_.has(block));
}

// The first open block, and then each that the pages begun before it will hardly reach: a page of M blocks covers M indexes at least.
std::vector<std::uint64_t> SnapshotListing::starts_for(std::span<const std::uint64_t> blocks) const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::uint64_t> starts;
  for (const std::uint64_t block : blocks) {
    if (!needs_listing(block)) continue;
    if (!starts.empty() && block - starts.back() < span_) continue;
    starts.push_back(block);
    if (starts.size() == threads_) break;
  }
  return starts;
}

Result<void> SnapshotListing::ensure(std::span<const std::uint64_t> blocks) {
  if (starts_for(blocks).empty()) return {};
  const std::scoped_lock round(round_);
  for (int i = 0; i < kRounds; ++i) {
    const std::vector<std::uint64_t> starts = starts_for(blocks);
    if (starts.empty()) return {};
    if (!store_)
      return fail(Code::kNotFound, fmt::format("block {} is not in this case yet; run the command with credentials and without --offline to fetch it",
                                               starts.front()));
    ICECORE_CHECK(parallel_for(starts.size(), threads_, [&](std::size_t i_start) { return list_from(starts[i_start]); }));
  }
  return fail(Code::kRemote, fmt::format("{} lists no token for block {} again and again", store_->id(), blocks.front()));
}

// A page may be empty and have a successor.
Result<void> SnapshotListing::list_from(std::uint64_t start) {
  std::optional<std::string> page;
  for (;;) {
    ICECORE_ASSIGN(const Page listed, list_page(start, page, true));
    if (listed.end > start || !listed.next_page) return {};
    page = listed.next_page;
  }
}

Result<void> SnapshotListing::check_page(const BlockPage& page, std::uint64_t from) const {
  std::uint64_t least = from;
  for (const ListedBlock& block : page.blocks) {
    if (block.index < least || block.index >= listing_.listed.size())
      return fail(Code::kRemote,
                  fmt::format("{} lists block {} where one from {} to {} was due", store_->id(), block.index, least, listing_.listed.size() - 1));
    least = block.index + 1;
  }
  return {};
}

Result<SnapshotListing::Page> SnapshotListing::list_page(std::uint64_t from, const std::optional<std::string>& page, bool keep) {
  if (!store_) return fail(Code::kNotFound, "the snapshot cannot be listed without credentials");
  Result<BlockPage> answer = store_->list(from, page);
  {
    const std::scoped_lock lock(mutex_);
    ++calls_;
  }
  if (!answer) return wrap(answer.error(), fmt::format("cannot list the blocks of {} from {}", store_->id(), from));
  ICECORE_CHECK(check_page(*answer, from));
  Page result{std::move(answer->blocks), listing_.listed.size(), std::move(answer->next_page)};
  if (result.next_page) result.end = result.blocks.empty() ? from : result.blocks.back().index + 1;
  const std::scoped_lock lock(mutex_);
  for (const ListedBlock& block : result.blocks) listing_.written.set(block.index);
  listing_.listed.set_range(from, result.end);
  if (result.end > from) span_ = result.end - from;
  if (keep) tokens_.add(result.blocks);
  covered_(listing_, from, result.end);
  return result;
}

std::optional<std::string> SnapshotListing::token(std::uint64_t block) const {
  const std::scoped_lock lock(mutex_);
  return tokens_.find(block);
}

void SnapshotListing::refuse_tokens() {
  const std::scoped_lock lock(mutex_);
  tokens_.clear();
}

bool SnapshotListing::is_listed(std::uint64_t block) const {
  const std::scoped_lock lock(mutex_);
  return listing_.listed.test(block);
}

bool SnapshotListing::is_written(std::uint64_t block) const {
  const std::scoped_lock lock(mutex_);
  return listing_.written.test(block);
}

std::uint64_t SnapshotListing::next_open(std::uint64_t from, std::uint64_t end, const std::function<bool(std::uint64_t)>& wanted) const {
  const std::scoped_lock lock(mutex_);
  while (from < end && listing_.listed.test(from) && !(listing_.written.test(from) && wanted(from))) ++from;
  return from;
}

Listing SnapshotListing::copy() const {
  const std::scoped_lock lock(mutex_);
  return listing_;
}

std::uint64_t SnapshotListing::list_calls() const {
  const std::scoped_lock lock(mutex_);
  return calls_;
}

}  // namespace icecore::image
