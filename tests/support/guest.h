// A guest kernel (Debian's User Mode Linux) with device-mapper and md, which this machine's own kernel may lack.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <vector>

#include "support/support.h"

namespace icecore::test {

/// Runs `bash SCRIPT ARGUMENTS` in the guest. `disks` are its /dev/ubda, /dev/ubdb, …; its root is this machine's file tree.
inline void run_in_guest(const std::filesystem::path& scratch, const std::vector<std::filesystem::path>& disks, const std::string& command) {
  std::string drives;
  for (std::size_t i = 0; i < disks.size(); ++i) drives += fmt::format(" ubd{}='{}'", i, disks[i].string());
  const std::string job = (scratch / "guest-job").string();
  run_ok(
      fmt::format("printf '%s\\n' \"{0}\" > '{1}'; rm -f '{1}.code'; TMPDIR=$([ -d /dev/shm ] && echo /dev/shm || echo /tmp) timeout 300 linux.uml "
                  "mem=256M {2} root=/dev/root rootfstype=hostfs rootflags=/ rw "
                  "init='{3}' quiet con=null con0=null,fd:1 JOB='{1}' > '{1}.console' 2>&1",
                  command, job, drives, data_file("volume/guest.sh").string()));
  ASSERT_EQ(run(fmt::format("cat '{}.code'", job)).output, "0\n") << run(fmt::format("cat '{}.out'", job)).output;
}

}  // namespace icecore::test
