// How the program ends, for scripts. Named in `icecore --help`.
#pragma once

#include "core/result.h"

namespace icecore::cli {

enum ExitCode : int {
  kDone = 0,
  kFailed = 1,
  kUsage = 2,
  kPartial = 3,        ///< done, but something could not be read: see the anomalies
  kFindings = 4,       ///< only with --exit-code: there are findings of medium or more
  kIntegrity = 5,      ///< evidence does not match its hash, chain or signature
  kInterrupted = 130,  ///< Ctrl-C; running again goes on
};

inline ExitCode exit_code_of(Code code) {
  if (code == Code::kInterrupted) return kInterrupted;
  if (code == Code::kIntegrity) return kIntegrity;
  if (code == Code::kInvalidArgument) return kUsage;
  return kFailed;
}

}  // namespace icecore::cli
