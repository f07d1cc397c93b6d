// What the machine says about itself.
#pragma once

#include <string>
#include <vector>

#include "machine/accounts.h"
#include "machine/machine.h"
#include "machine/time_zone.h"

namespace icecore::machine {

struct OsRelease {
  std::string id;           ///< "debian", "amzn"
  std::string version_id;   ///< "12"
  std::string pretty_name;  ///< "Debian GNU/Linux 12 (bookworm)"
};

struct User {
  PasswdEntry entry;
  Password password = Password::kUnknown;
  std::vector<std::string> groups;  ///< names, the primary one first
};

struct Facts {
  OsRelease os;
  std::string hostname;
  std::string machine_id;
  std::string time_zone = "UTC";  ///< "Europe/Berlin"; "UTC" where nothing says otherwise
  TimeZone zone;
  std::vector<User> users;
  std::vector<GroupEntry> groups;

  const User* user(std::string_view name) const;
  const User* user(std::uint32_t uid) const;  ///< the first of that number
};

/// Reads them; what is missing stays empty. Only errors that end the run.
Result<Facts> read_facts(const Machine& machine);

struct HomeFolder {
  FileRef folder;
  std::string user;  ///< whose it is by passwd, else by its owner: a name, or a number that no name is known for
};

/// Home folders of people and daemons, each once: of every user in `facts`, /root, and every folder in /home, whoever it belongs to now.
Result<std::vector<HomeFolder>> home_folders(const Machine& machine, const Facts& facts);

}  // namespace icecore::machine
