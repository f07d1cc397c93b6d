// What the package managers logged: /var/log/dpkg.log*, /var/log/apt/history.log*; yum/dnf.log come with rpm.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "artefact/collector.h"

namespace icecore::artefact {

struct DpkgLogLine {
  std::int64_t local_seconds = 0;  ///< by the machine's clock
  std::string_view action;         ///< "install", "upgrade", "remove", "status", "startup", "conffile" …
  std::string_view rest;           ///< as written
  std::string_view package;        ///< "openssl:amd64"; empty for startup
  std::string_view version;        ///< the new one
};
std::optional<DpkgLogLine> parse_dpkg_log_line(std::string_view text);

/// data_type "dpkg:line" (fields action, package, version, body) and "apt:history:line" (command, requested_by, packages).
Result<void> collect_package_logs(const Subject& subject, EventSink& sink);

}  // namespace icecore::artefact
