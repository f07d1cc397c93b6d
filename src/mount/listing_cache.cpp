#include "mount/listing_cache.h"

namespace icecore::mount {

ListingPtr ListingCache::find(NodeId folder) {
  const std::scoped_lock lock(mutex_);
  const auto found = places_.find(folder);
  if (found == places_.end()) return nullptr;
  slots_.splice(slots_.begin(), slots_, found->second);
  return found->second->listing;
}

void ListingCache::add(NodeId folder, ListingPtr listing) {
  const std::scoped_lock lock(mutex_);
  if (places_.contains(folder)) return;  // another thread was quicker
  names_ += listing->names.size() + 1;
  slots_.push_front({folder, std::move(listing)});
  places_[folder] = slots_.begin();
  while (names_ > kNames && slots_.size() > 1) {
    names_ -= slots_.back().listing->names.size() + 1;
    places_.erase(slots_.back().folder);
    slots_.pop_back();
  }
}

}  // namespace icecore::mount
