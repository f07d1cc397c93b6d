// The list of formats: a new one is a file pair and a line here.
#include <algorithm>
#include <array>

#include "artefact/access_log.h"
#include "artefact/cloud_init.h"
#include "artefact/collector.h"
#include "artefact/cron.h"
#include "artefact/journal.h"
#include "artefact/lastlog.h"
#include "artefact/package_log.h"
#include "artefact/read_ahead.h"
#include "artefact/shell_history.h"
#include "artefact/ssh.h"
#include "artefact/syslog.h"
#include "artefact/systemd_unit.h"
#include "artefact/utmp.h"
#include "core/interrupt.h"

namespace icecore::artefact {
namespace {

constexpr std::array kCollectors = {
    Collector{"utmp", "logins in wtmp, btmp and utmp", collect_utmp},
    Collector{"lastlog", "the last login of each account", collect_lastlog},
    Collector{"history", "shell histories", collect_shell_history},
    Collector{"ssh", "authorized keys and known hosts", collect_ssh},
    Collector{"cron", "cron tables", collect_cron},
    Collector{"systemd", "systemd units of the administrator's", collect_systemd_units},
    Collector{"cloud-init", "cloud-init's logs and user-data copies", collect_cloud_init},
    Collector{"packages", "logs of dpkg and apt", collect_package_logs},
    Collector{"syslog", "syslog files", collect_syslog},
    Collector{"journal", "the systemd journal", collect_journal},
    Collector{"access-log", "access logs of web servers", collect_access_logs},
};

}  // namespace

std::span<const Collector> all_collectors() { return kCollectors; }

Result<void> collect_all(const Subject& subject, EventSink& sink, Progress& progress, std::span<const std::string_view> only) {
  progress.begin("reading logs and traces", kCollectors.size(), "formats");
  if (only.empty()) ICECORE_CHECK(read_ahead(subject.machine));
  std::uint64_t done = 0;
  for (const Collector& collector : kCollectors) {
    if (interrupted()) return interruption();
    const bool wanted = only.empty() || std::ranges::find(only, collector.name) != only.end();
    if (wanted) ICECORE_CHECK(collector.collect(subject, sink));
    progress.update(++done);
  }
  progress.end();
  return {};
}

}  // namespace icecore::artefact
