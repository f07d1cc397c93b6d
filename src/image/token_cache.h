// Block tokens in memory, bounded: a 1 TiB volume has two million. Evicted tokens are listed again. Never written to disk.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "image/block_store.h"

namespace icecore::image {

/// Not thread-safe.
class TokenCache {
 public:
  explicit TokenCache(std::size_t limit = 100'000) : limit_(limit) {}

  void add(std::vector<ListedBlock> page);
  bool has(std::uint64_t index) const { return tokens_.contains(index); }
  std::optional<std::string> find(std::uint64_t index) const;
  void drop(std::uint64_t index) { tokens_.erase(index); }
  /// All tokens were made by listings that are no longer valid.
  void clear();

 private:
  std::size_t limit_;
  std::unordered_map<std::uint64_t, std::string> tokens_;
  std::deque<std::vector<std::uint64_t>> pages_;  // oldest first
};

}  // namespace icecore::image
