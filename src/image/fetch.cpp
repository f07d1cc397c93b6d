// How a block becomes ready: claimed by one thread, listed, fetched or hashed again, checked, written, handed to the recorder.
#include <fmt/format.h>
#include <array>
#include <chrono>
#include <exception>

#include "core/interrupt.h"
#include "core/parallel.h"
#include "image/image_state.h"
#include "image/merkle.h"

namespace icecore::image {
namespace {

// The store retries what the network does; these are bodies that arrived whole and wrong, and tokens refused though just listed.
constexpr int kBodies = 6;
constexpr int kTokens = 12;

}  // namespace

/// A buffer of the pool for as long as a block is on its way.
class ImageState::Buffer {
 public:
  explicit Buffer(ImageState& state) : state_(state), memory_(state.take_buffer()) {}
  ~Buffer() { state_.give_buffer(std::move(memory_)); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  std::span<std::byte> bytes() { return {memory_.get(), kBlockSize}; }

 private:
  ImageState& state_;
  BlockMemory memory_;
};

ImageState::Claim ImageState::claim(std::span<const std::uint64_t> blocks) {
  Claim claim;
  const std::scoped_lock lock(mutex_);
  for (const std::uint64_t block : blocks) {
    if (ready_->test(block)) continue;
    PendingPtr& pending = in_flight_[block];
    if (pending) {
      claim.others.push_back(pending);
    } else {
      pending = std::make_shared<Pending>();
      claim.mine.push_back(block);
    }
  }
  return claim;
}

void ImageState::finish(std::uint64_t block, const Result<void>& result) {
  {
    const std::scoped_lock lock(mutex_);
    const auto found = in_flight_.find(block);
    if (found == in_flight_.end()) return;
    found->second->done = true;
    if (!result) found->second->error = result.error();
    in_flight_.erase(found);
  }
  arrived_.notify_all();
}

Result<void> ImageState::wait_for(const std::vector<PendingPtr>& others) {
  std::unique_lock lock(mutex_);
  for (const PendingPtr& pending : others) {
    while (!pending->done) {
      arrived_.wait_for(lock, std::chrono::milliseconds(200));
      if (!pending->done && interrupted()) return interruption();
    }
    if (pending->error) return Failure(*pending->error);
  }
  return {};
}

// Every block that was claimed is finished, whatever happens: others wait for it. Nobody waits while he holds a claim that is not being worked on.
Result<void> ImageState::make_ready(std::vector<std::uint64_t> blocks) {
  if (blocks.empty()) return {};
  if (closed) return closed_failure();
  if (const auto failure = recorder->failure()) return Failure(*failure);
  const Claim claimed = claim(blocks);
  const Result<void> worked = work_on(claimed.mine);
  const Result<void> left = worked ? Result<void>(fail(Code::kInterrupted, "not begun")) : worked;
  for (const std::uint64_t block : claimed.mine) finish(block, left);
  ICECORE_CHECK(worked);
  return wait_for(claimed.others);
}

Result<void> ImageState::work_on(std::span<const std::uint64_t> mine) {
  if (mine.empty()) return {};
  std::vector<std::uint64_t> to_list;
  for (const std::uint64_t block : mine)
    if (!is_here(block) && donor_of(block) == nullptr) to_list.push_back(block);
  ICECORE_CHECK(listing->ensure(to_list));
  return parallel_for(mine.size(), options.threads, [&](std::size_t i) {
    Result<void> result = obtain(mine[i], std::nullopt);
    finish(mine[i], result);
    return result;
  });
}

Result<void> ImageState::fetch_listed(const ListedBlock& block) {
  const std::array<std::uint64_t, 1> one{block.index};
  const Claim claimed = claim(one);
  if (claimed.mine.empty()) return wait_for(claimed.others);
  Result<void> result = is_here(block.index) ? Result<void>() : fetch(block.index, block.token);
  finish(block.index, result);
  return result;
}

Result<void> ImageState::obtain(std::uint64_t block, std::optional<std::string> token) {
  if (ready_->test(block)) return {};
  if (is_here(block)) return check_again(block);
  return fetch(block, std::move(token));
}

Result<void> ImageState::check_again(std::uint64_t block) {
  ICECORE_ASSIGN(const auto record, database->find(block));
  if (!record) return fail(Code::kIntegrity, fmt::format("blocks.db lost block {}", block), where(block));
  Buffer buffer(*this);
  ICECORE_CHECK(file->read(block * kBlockSize, buffer.bytes()));
  if (sha256(buffer.bytes()) != record->sha256)
    return fail(Code::kIntegrity,
                fmt::format("block {} of {} in {} is not what was fetched: image.raw was changed since; `icecore verify` checks all of it", block,
                            snapshot, (folder / "image.raw").string()),
                where(block));
  ++reverified;
  ready_->set(block);
  return {};
}

Result<BlockAnswer> ImageState::ask(std::uint64_t block, const std::string& token, std::span<std::byte> out) {
  if (!store) return fail(Code::kNotFound, "the case is open without its account");
  ++get_calls;
  slots_.acquire();
  Result<BlockAnswer> answer = [&]() -> Result<BlockAnswer> {
    try {
      return store->get(block, token, out);
    } catch (const std::exception& error) {
      return fail(Code::kInternal, std::string("unexpected exception: ") + error.what());
    }
  }();
  slots_.release();
  return answer;
}

Result<void> ImageState::fetch(std::uint64_t block, std::optional<std::string> token) {
  const std::array<std::uint64_t, 1> one{block};
  Buffer buffer(*this);
  if (const Donor* donor = donor_of(block)) return take(*donor, block, buffer.bytes());
  int bodies = 0;
  for (int tokens = 0; bodies < kBodies && tokens < kTokens;) {
    if (interrupted()) return interruption();
    if (!token) {
      ICECORE_CHECK(listing->ensure(one));
      if (!listing->is_written(block)) return {};  // a hole; the listing made it ready
      token = listing->token(block);
      if (!token) continue;  // evicted by other listings meanwhile
    }
    Result<BlockAnswer> answer = ask(block, *token, buffer.bytes());
    if (!answer) {
      if (answer.error().code != Code::kConflict) return wrap(answer.error(), fmt::format("cannot fetch block {} of {}", block, snapshot));
      ++stale_tokens;
      ++tokens;
      // Others may have listed again already: only a token that is still the latest condemns its listing.
      if (listing->token(block) == token) listing->refuse_tokens();
      token.reset();
      continue;
    }
    bytes_fetched += kBlockSize;
    const Sha256Digest hash = sha256(buffer.bytes());
    if (hash == answer->sha256) return accept(block, buffer.bytes(), hash, std::move(answer->request_id));
    ++checksum_failures;
    ++bodies;
  }
  if (bodies == kBodies)
    return fail(
        Code::kIntegrity,
        fmt::format("block {} of {} came {} times with another SHA-256 than the service says; nothing of it was kept", block, snapshot, kBodies),
        where(block));
  return fail(Code::kRemote, fmt::format("{} refuses every token that it lists for block {}", snapshot, block), where(block));
}

// The donor's bytes are checked like the wire's. Sharing and copying give the same file; only the room on the disk differs.
Result<void> ImageState::take(const Donor& donor, std::uint64_t block, std::span<std::byte> buffer) {
  ICECORE_ASSIGN(const Sha256Digest hash, donor.read(block, buffer));
  if (hash != zero_block_sha256()) {
    if (file->share(donor.descriptor(), block * kBlockSize, kBlockSize)) {
      ++shared;
    } else {
      ICECORE_CHECK(put(block, buffer));
    }
  }
  ++taken;
  record(block, hash, "baseline " + donor.snapshot());
  return {};
}

Result<void> ImageState::accept(std::uint64_t block, ByteView bytes, const Sha256Digest& hash, std::string request_id) {
  if (hash != zero_block_sha256()) ICECORE_CHECK(put(block, bytes));  // zeros stay a hole
  ++blocks_fetched;
  record(block, hash, std::move(request_id));
  return {};
}

Result<void> ImageState::put(std::uint64_t block, ByteView bytes) {
  Result<void> written = acquiring ? file->write_past_cache(block * kBlockSize, bytes) : file->write(block * kBlockSize, bytes);
  // On a full disk, half a block would take the room that the database needs to record the whole ones.
  if (!written) (void)file->discard(block * kBlockSize, kBlockSize);
  return written;
}

void ImageState::record(std::uint64_t block, const Sha256Digest& hash, std::string origin) {
  {
    const std::scoped_lock lock(mutex_);
    here_->set(block);
  }
  // Ready before it is handed on: should the flush fail, the recorder takes this back.
  ready_->set(block);
  recorder->add({block, hash, std::move(origin)});
}

}  // namespace icecore::image
