// One entry of a timeline, whatever it was read from.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/provenance.h"
#include "core/timestamp.h"

namespace icecore::artefact {

struct Event {
  Timestamp time;
  std::string description;  ///< what the time means: "Recorded Time", "Login", … (Timesketch's timestamp_desc)
  std::string data_type;    ///< "linux:utmp:event", "syslog:sshd:login", "aws:cloudtrail:event", … (plaso's names where it has one)
  std::string message;      ///< one sentence for people; raw bytes, made printable by the writers
  std::map<std::string, std::string, std::less<>> fields;  ///< parsed values: "user", "ip", "command", …
  Provenance where;

  std::string_view field(std::string_view name) const {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string_view() : std::string_view(found->second);
  }
};

}  // namespace icecore::artefact
