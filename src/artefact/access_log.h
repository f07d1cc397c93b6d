// Access logs of nginx and Apache in the common and combined formats, with their rotations.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "artefact/collector.h"

namespace icecore::artefact {

struct AccessLine {
  Timestamp time;
  std::string ip, user, method, path, protocol, referer, user_agent;
  std::string request;  ///< as written, where it is no "METHOD path protocol"
  unsigned status = 0;
  std::uint64_t bytes = 0;
};
std::optional<AccessLine> parse_access_line(std::string_view text);

/// *access*.log* under /var/log/{nginx,apache2,httpd} and, named like that, anywhere under /srv, /var/www and /usr/local to a depth of 4. data_type
/// "apache:access_log:entry" or "nginx:access_log:entry"; fields ip, user, method, path, status, bytes, referer, user_agent, file, rotation.
Result<void> collect_access_logs(const Subject& subject, EventSink& sink);

}  // namespace icecore::artefact
