// Where a miner lives: shared by the detectors of its program and of its log.
#pragma once

#include <string>
#include <vector>

#include "detect/heuristics/mining.h"
#include "detect/scene.h"

namespace icecore::detect {

struct MinerHome {
  std::string folder;
  std::vector<std::pair<machine::FileRef, MiningSigns>> programs;
  struct Config {
    machine::FileRef file;
    std::string content;
    MiningSigns signs;
    std::string wallet;
  };
  std::vector<Config> configs;
};

/// Folders that hold an unowned ELF program with convincing signs of mining (mining.h; program_text.h says what is read), or a configuration with a
/// pool's URL. Configurations are looked for beside such programs and in hidden or temporary folders.
Result<std::vector<MinerHome>> miner_homes(const Scene& scene);

}  // namespace icecore::detect
