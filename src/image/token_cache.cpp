#include "image/token_cache.h"

namespace icecore::image {

void TokenCache::add(std::vector<ListedBlock> page) {
  while (!pages_.empty() && tokens_.size() + page.size() > limit_) {
    for (const std::uint64_t index : pages_.front()) tokens_.erase(index);
    pages_.pop_front();
  }
  std::vector<std::uint64_t> indexes;
  indexes.reserve(page.size());
  for (ListedBlock& block : page) {
    indexes.push_back(block.index);
    tokens_.insert_or_assign(block.index, std::move(block.token));
  }
  pages_.push_back(std::move(indexes));
}

std::optional<std::string> TokenCache::find(std::uint64_t index) const {
  const auto found = tokens_.find(index);
  return found == tokens_.end() ? std::nullopt : std::optional(found->second);
}

void TokenCache::clear() {
  tokens_.clear();
  pages_.clear();
}

}  // namespace icecore::image
