// SSH logins and failures from whatever witnesses there are: syslog files, the journal, wtmp and btmp. One may have been cut, so none is trusted
// alone.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "detect/scene.h"

namespace icecore::detect {

struct LoginAttempt {
  Timestamp time;
  std::string user;
  bool accepted = false;
  bool password = false;    ///< of an accepted one: by password, as far as it is said
  std::string fingerprint;  ///< of the key, where it was one and is named
  const artefact::Event* event = nullptr;
  std::string witness;  ///< "auth.log", "journal", "btmp", "wtmp": attempts of one kind of witness are never the same attempt twice
};

/// By address, in order of time. Borrows the scene's events.
std::map<std::string, std::vector<LoginAttempt>> login_attempts(const Scene& scene);

/// An address that guessed until it got in.
struct BruteForce {
  std::string address;
  std::vector<LoginAttempt> failures;  ///< of all witnesses, those in the burst before the login
  std::size_t count = 0;               ///< failures by the witness that saw most of them
  std::vector<LoginAttempt> accepted;  ///< the first login after them, by each witness
};

/// At least 20 failures within an hour (or 50 within a day), by one witness's count, then a login from the same address within a day. Twenty is far
/// above sshd's MaxAuthTries of 6 and three tries of somebody who mistypes; scanners make hundreds.
std::vector<BruteForce> brute_forces(const Scene& scene);

/// Addresses from which the machine was broken into (of brute_forces).
std::vector<std::string> attacker_addresses(const Scene& scene);

}  // namespace icecore::detect
