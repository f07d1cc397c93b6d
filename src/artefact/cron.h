// cron's tables: /etc/crontab, /etc/cron.d/*, /var/spool/cron. crontab(5); Debian's rules for names in cron.d (run-parts(8)).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "artefact/collector.h"

namespace icecore::artefact {

struct CronJob {
  std::uint64_t line = 0;
  std::uint64_t offset = 0;
  std::string schedule;  ///< "*/10 * * * *", "@reboot"
  std::string user;      ///< empty in a user's own table
  std::string command;   ///< raw, with its `%`
};

enum class CronTable { kSystem, kUser };  ///< a system table has a user field

std::vector<CronJob> parse_crontab(std::string_view text, CronTable kind);

struct CronFile {
  machine::FileRef file;
  CronTable kind = CronTable::kSystem;
  std::string user;      ///< whose table it is; empty for system tables
  bool ignored = false;  ///< cron passes over a file of this name in cron.d
};

/// /etc/crontab, cron.d, and users' tables (Debian and Red Hat places), anacrontab left out.
Result<std::vector<CronFile>> cron_files(const machine::Machine& machine);
/// Scripts in /etc/cron.{hourly,daily,weekly,monthly}.
Result<std::vector<machine::FileRef>> cron_scripts(const machine::Machine& machine);

/// data_type "linux:cron:job"; time is the table's mtime; fields schedule, user, command.
Result<void> collect_cron(const Subject& subject, EventSink& sink);

}  // namespace icecore::artefact
