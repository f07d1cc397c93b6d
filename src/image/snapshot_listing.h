// Which blocks a snapshot has: listed lazily around what is wanted, remembered, and the tokens to fetch them.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "image/block_database.h"
#include "image/block_store.h"
#include "image/token_cache.h"

namespace icecore::image {

/// Thread-safe. Listing rounds of several threads run one after the other, so that who waits finds his blocks listed already.
class SnapshotListing {
 public:
  /// Told of each stretch [first, end) that became known, with the lock held: `is_written` may be asked through `listing`.
  using Covered = std::function<void(const Listing& listing, std::uint64_t first, std::uint64_t end)>;

  /// `store` may be null: then what is not known is kNotFound.
  SnapshotListing(std::shared_ptr<BlockStore> store, Listing known, std::size_t threads, Covered covered);

  /// Afterwards it is known of each block whether it is written, and written ones had a token. `blocks` ascending.
  Result<void> ensure(std::span<const std::uint64_t> blocks);

  struct Page {
    std::vector<ListedBlock> blocks;  ///< with their tokens
    std::uint64_t end = 0;            ///< everything before this is known now
    std::optional<std::string> next_page;
  };
  /// One list call from `from` (or after `page`). Tokens go to the cache where `keep`, else to the caller.
  Result<Page> list_page(std::uint64_t from, const std::optional<std::string>& page, bool keep);

  std::optional<std::string> token(std::uint64_t block) const;
  /// A token that the service refused: those of the same listing go too.
  void refuse_tokens();
  bool is_listed(std::uint64_t block) const;
  bool is_written(std::uint64_t block) const;
  /// The first block in [from, end) that is not listed, or is written and `wanted`; `end` if there is none.
  std::uint64_t next_open(std::uint64_t from, std::uint64_t end, const std::function<bool(std::uint64_t)>& wanted) const;
  Listing copy() const;
  std::uint64_t list_calls() const;

 private:
  bool needs_listing(std::uint64_t block) const;
  std::vector<std::uint64_t> starts_for(std::span<const std::uint64_t> blocks) const;
  Result<void> list_from(std::uint64_t start);
  Result<void> check_page(const BlockPage& page, std::uint64_t from) const;

  const std::shared_ptr<BlockStore> store_;
  const std::size_t threads_;
  const Covered covered_;
  std::mutex round_;  // one listing round at a time
  mutable std::mutex mutex_;
  Listing listing_;
  TokenCache tokens_;
  std::uint64_t span_ = 10'000;  // how many indexes a page covered lately
  std::uint64_t calls_ = 0;
};

}  // namespace icecore::image
