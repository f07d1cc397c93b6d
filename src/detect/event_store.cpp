#include "detect/event_store.h"

#include <algorithm>

namespace icecore::detect {

EventStore::EventStore(std::vector<artefact::Event> events) : events_(std::move(events)) {
  std::ranges::stable_sort(events_, {}, &artefact::Event::time);
  for (std::size_t i = 0; i < events_.size(); ++i) by_type_[events_[i].data_type].push_back(i);
}

std::vector<const artefact::Event*> EventStore::of_type(std::string_view type) const {
  std::vector<std::size_t> chosen;
  for (auto at = by_type_.lower_bound(type); at != by_type_.end() && at->first.starts_with(type); ++at) {
    if (at->first.size() != type.size() && at->first[type.size()] != ':') continue;
    chosen.insert(chosen.end(), at->second.begin(), at->second.end());
  }
  std::ranges::sort(chosen);
  std::vector<const artefact::Event*> events;
  events.reserve(chosen.size());
  for (const std::size_t i : chosen) events.push_back(&events_[i]);
  return events;
}

}  // namespace icecore::detect
