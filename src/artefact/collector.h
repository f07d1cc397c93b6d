// Collectors: each finds the files of one kind on a machine and gives their events. Adding a format is one file pair and one line in registry.cpp.
//
// data_type and description of an event follow plaso where it has the format. Fields that several formats share:
//   user, target_user, ip, port, host (the machine's own name), reporter (program), pid, body (the message as logged), command, cwd, tty, method,
//   fingerprint (of an SSH key), session, severity, rotation (a rotated file's name suffix)
//   action: accepted, failed, invalid-user, disconnected, session-opened, session-closed, auth-failure, sudo, sudo-denied, su, user-added,
//   group-added,
//           user-changed, password-changed, cron-run, listening, systemd-started, systemd-stopped …
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "artefact/event.h"
#include "core/anomaly.h"
#include "core/progress.h"
#include "machine/facts.h"
#include "machine/machine.h"

namespace icecore::artefact {

/// Takes events as they are read, in no order of time. An error from it ends the run. Not thread-safe.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual Result<void> add(Event event) = 0;
};

/// Gives each event to a function.
class FunctionSink final : public EventSink {
 public:
  explicit FunctionSink(std::function<Result<void>(Event)> function) : function_(std::move(function)) {}
  Result<void> add(Event event) override { return function_(std::move(event)); }

 private:
  std::function<Result<void>(Event)> function_;
};

/// Keeps them all; for tests and small formats.
class EventList final : public EventSink {
 public:
  Result<void> add(Event event) override {
    events.push_back(std::move(event));
    return {};
  }
  std::vector<Event> events;
};

/// What every collector is given. Borrowed; must outlive the call.
struct Subject {
  const machine::Machine& machine;
  const machine::Facts& facts;
  Anomalies& anomalies;
};

/// A format's entry in the registry. `collect` returns only errors that end the run (machine::ends_the_run); damage becomes an anomaly and the next
/// record or file is tried.
struct Collector {
  std::string_view name;  ///< "utmp"; stable, for --only
  std::string_view what;  ///< for people: "logins in wtmp, btmp and utmp"
  Result<void> (*collect)(const Subject& subject, EventSink& sink);
};

/// All of them, cheapest first.
std::span<const Collector> all_collectors();

/// Runs them in order, or those named in `only`.
Result<void> collect_all(const Subject& subject, EventSink& sink, Progress& progress, std::span<const std::string_view> only = {});

}  // namespace icecore::artefact
