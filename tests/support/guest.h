// A guest kernel (Debian's User Mode Linux) for what this machine's own may lack: device-mapper and md, XFS version 4, FAT, ISO 9660.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "support/support.h"

namespace icecore::test {

/// Runs a shell script as the guest's only work; it ends at the first command that fails, and then the test fails. `disks` are its /dev/ubda,
/// /dev/ubdb, … and $disk0, $disk1, … (nodes in `scratch`); its root is this machine's file tree. `ins NAME…` loads modules.
inline void run_in_guest(const std::filesystem::path& scratch, const std::vector<std::filesystem::path>& disks, const std::string& script) {
  const std::filesystem::path job = scratch / "guest-job";
  std::string drives;
  {
    std::ofstream out(job);
    out << "set -e\n";
    for (std::size_t i = 0; i < disks.size(); ++i) {
      const std::filesystem::path node = scratch / fmt::format("guest-disk{}", i);
      out << fmt::format("rm -f '{0}'; mknod '{0}' b 98 {1}; disk{2}='{0}'\n", node.string(), 16 * i, i);
      drives += fmt::format(" ubd{}='{}'", i, disks[i].string());
    }
    out << script << "\n";
  }
  // The guest's memory is a file: in tmpfs where it has room, so that a sync on this machine does not wait for it.
  run_ok(
      fmt::format("rm -f '{0}.code'; TMPDIR=$([ \"$(df --output=avail -m /dev/shm | tail -n 1)\" -gt 600 ] && echo /dev/shm || echo /tmp) "
                  "timeout 300 linux.uml mem=512M {1} root=/dev/root rootfstype=hostfs rootflags=/ rw init='{2}' quiet con=null con0=null,fd:1 "
                  "JOB='{0}' > '{0}.console' 2>&1",
                  job.string(), drives, data_file("guest.sh").string()));
  ASSERT_EQ(run(fmt::format("cat '{}.code'", job.string())).output, "0\n") << run(fmt::format("cat '{}.out'", job.string())).output;
}

}  // namespace icecore::test
