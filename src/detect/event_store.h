// All events that the artefact parsers gave, in order of time, found by data type. Filled once by the engine, then only read.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "artefact/event.h"

namespace icecore::detect {

class EventStore {
 public:
  EventStore() = default;
  /// Sorts by time (stable, so that lines of one file keep their order) and indexes by data type.
  explicit EventStore(std::vector<artefact::Event> events);

  const std::vector<artefact::Event>& all() const { return events_; }
  /// Those whose data type is `type` or begins with `type` and a colon ("syslog:sshd" gives "syslog:sshd:login"), in order of time.
  std::vector<const artefact::Event*> of_type(std::string_view type) const;
  bool empty() const { return events_.empty(); }

 private:
  std::vector<artefact::Event> events_;
  std::map<std::string, std::vector<std::size_t>, std::less<>> by_type_;
};

}  // namespace icecore::detect
