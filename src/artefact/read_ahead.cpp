// On a snapshot that is fetched as it is read, files read one after the other cost a round trip each. Which files will be read is known beforehand.
#include <string_view>
#include <vector>

#include "artefact/read_ahead.h"

namespace icecore::artefact {
namespace {

constexpr std::uint64_t kMostOfAFile = 16 << 20;  // the rest of a large log is read ahead by whoever reads it

constexpr std::string_view kPatterns[] = {
    "/etc/*",       "/etc/cron.*/*",        "/etc/ssh/*",        "/etc/sudoers.d/*",           "/etc/systemd/system/*",        "/var/log/*",
    "/var/log/*/*", "/var/log/journal/*/*", "/var/spool/cron/*", "/var/spool/cron/crontabs/*", "/var/lib/cloud/instances/*/*", "/root/.*",
    "/root/.ssh/*", "/home/*/.*",           "/home/*/.ssh/*"};

}  // namespace

Result<void> read_ahead(const machine::Machine& machine) {
  std::vector<machine::FileRef> files;
  for (const std::string_view pattern : kPatterns) {
    ICECORE_ASSIGN(const auto found, machine.glob(pattern));
    files.insert(files.end(), found.begin(), found.end());
  }
  return machine.prefetch(files, kMostOfAFile);
}

}  // namespace icecore::artefact
