// A kernel that still reads version 4 (Debian's User Mode Linux): this machine's own may not (CONFIG_XFS_SUPPORT_V4).
#pragma once

#include <fmt/format.h>

#include <fstream>
#include <string>
#include <vector>

#include "core/hash.h"
#include "fs/xfs/tree.h"
#include "fs/xfs/xfs_image.h"

namespace icecore::fs::xfs::test {

/// Runs a shell script as the guest's only work. `disks` are its $disk0, $disk1, …; its root is this machine's file tree.
inline void run_in_guest(const Path& scratch, const std::vector<Path>& disks, const std::string& script) {
  const Path job = scratch / "job.sh";
  std::string drives;
  {
    std::ofstream out(job);
    out << "set -e\n";
    for (std::size_t i = 0; i < disks.size(); ++i) {
      const Path node = scratch / fmt::format("disk{}", i);
      out << fmt::format("rm -f '{0}'; mknod '{0}' b 98 {1}; disk{2}='{0}'\n", node.string(), 16 * i, i);
      drives += fmt::format(" ubd{}='{}'", i, disks[i].string());
    }
    out << script;
  }
  run_ok(
      fmt::format("rm -f '{0}.code'; timeout 300 linux.uml mem=512M {1} root=/dev/root rootfstype=hostfs rootflags=/ rw init='{2}' quiet con=null "
                  "con0=null,fd:1 JOB='{0}' > '{0}.console' 2>&1",
                  job.string(), drives, icecore::test::data_file("xfs/guest.sh").string()));
  EXPECT_EQ(run(fmt::format("cat '{}.code'", job.string())).output, "0\n") << run(fmt::format("cat '{}.out'", job.string())).output;
}

/// What tree.py printed.
inline Tree printed_tree(const Path& file) {
  Tree tree;
  std::ifstream in(file);
  const auto text = [](const std::string& hex) {
    const auto bytes = from_hex(hex);
    EXPECT_TRUE(bytes.has_value());
    return bytes ? std::string(as_text(*bytes)) : std::string();
  };
  for (std::string line; std::getline(in, line);) {
    const auto fields = split(line, '\t');
    if (fields.size() != 3) {
      ADD_FAILURE() << line;
      continue;
    }
    tree[text(std::string(fields[0]))] = {std::string(fields[1]), text(std::string(fields[2]))};
  }
  return tree;
}

}  // namespace icecore::fs::xfs::test
