// systemd's unit files: their settings, and which are enabled or masked. systemd.syntax(7), systemd.unit(5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "artefact/collector.h"

namespace icecore::artefact {

struct UnitSetting {
  std::uint64_t line = 0;
  std::uint64_t offset = 0;
  std::string section, key, value;  ///< continuation lines joined by a space
};

/// In file order; a key may come again.
std::vector<UnitSetting> parse_unit(std::string_view text);

struct UnitLink {
  machine::FileRef link;  ///< the link itself: "/etc/systemd/system/multi-user.target.wants/x.service"
  std::string target;     ///< as written
  std::string wanted_by;  ///< "multi-user.target"; empty for aliases
};

struct Unit {
  std::string name;       ///< "x.service"
  machine::FileRef file;  ///< the fragment that counts (/etc before /run before /usr/lib); for a masked unit the link to /dev/null or the empty file
  bool masked = false;
  std::vector<UnitSetting> settings;
  std::vector<machine::FileRef> drop_ins;  ///< name.d/*.conf, in order
  std::vector<UnitLink> enabled_by;        ///< .wants/ and .requires/ links

  /// The last value of a key, or "".
  std::string_view setting(std::string_view section, std::string_view key) const;
  std::vector<std::string_view> settings_of(std::string_view section, std::string_view key) const;
};

/// All units of the system manager (services, timers, sockets, paths, mounts …), by name; files that cannot be read have no settings.
Result<std::vector<Unit>> system_units(const machine::Machine& machine);
/// Unit files of users (/etc/systemd/user, ~/.config/systemd/user).
Result<std::vector<Unit>> user_units(const Subject& subject);

/// data_type "systemd:unit:file"; one event a unit outside the vendor's folders, at its mtime; fields unit, exec_start, enabled_by, masked.
Result<void> collect_systemd_units(const Subject& subject, EventSink& sink);

}  // namespace icecore::artefact
