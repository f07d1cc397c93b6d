// What sshd, PAM, sudo, su, useradd, cron and systemd say, taken apart: the same sentences stand in syslog files and in the journal.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace icecore::artefact {

using Fields = std::map<std::string, std::string, std::less<>>;

struct MessageKind {
  std::string_view data_type;  ///< plaso's name, "" for none: keep the container's
  std::string_view action;     ///< collector.h lists them; "" where the sentence is not known
};

/// Adds action, user, ip, port, method, fingerprint, command, cwd, tty, target_user, uid, session … to `fields`. Hostile text: names may hold
/// anything, so each sentence is read from its fixed words at both ends ("from IP port N" is taken from the end of the line).
MessageKind parse_message(std::string_view reporter, std::string_view body, Fields& fields);

}  // namespace icecore::artefact
