// `icecore verify`: the case's files, ledger and signatures, and its images block by block.
#pragma once

#include "evidence/verify.h"

namespace icecore::engine {

struct VerifyJob {
  Path folder;
  std::optional<std::string> trusted_key;
  std::optional<Path> tsa_ca_file;
};

Result<evidence::VerifyReport> verify(const VerifyJob& job, Progress& progress);

}  // namespace icecore::engine
