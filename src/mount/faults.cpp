#include "mount/faults.h"

#include <fmt/format.h>
#include <cerrno>

#include "machine/machine.h"

namespace icecore::mount {

int Faults::note(const Error& error, const std::string& place) {
  std::string line;
  {
    const std::scoped_lock lock(mutex_);
    ++count_;
    if (error.code == Code::kIntegrity && !integrity_) integrity_ = error;
    const bool damage = !machine::ends_the_run(error.code);
    if (!damage && error.code != Code::kIntegrity && !failure_) failure_ = error;
    const bool is_new = places_.size() < kMostPlaces && places_.insert(place + '\n' + error.message).second;
    if (is_new && damage) {
      Error named = error;
      if (!named.where) named.where = Location{place};
      anomalies_.add("mount.unreadable", std::move(named));
    }
    if (is_new && said_ < kMostSaid) {
      ++said_;
      line = fmt::format("read error ({}): {}{}", place, to_string(error), said_ == kMostSaid ? "; further ones are counted, not shown" : "");
    }
  }
  if (!line.empty() && say_) say_(line);
  return EIO;
}

std::uint64_t Faults::count() const {
  const std::scoped_lock lock(mutex_);
  return count_;
}

std::optional<Error> Faults::integrity() const {
  const std::scoped_lock lock(mutex_);
  return integrity_;
}

std::optional<Error> Faults::failure() const {
  const std::scoped_lock lock(mutex_);
  return failure_;
}

}  // namespace icecore::mount
