// The parts of an instance's metadata that are documents of their own: console output, screenshot, user-data.
#pragma once

#include "engine/evidence_calls.h"

namespace icecore::engine {

/// GetConsoleOutput as kept by AWS and, on Nitro, as it is now (console-output.txt, console-output-latest.txt), and GetConsoleScreenshot
/// (console.jpg). What AWS does not have is an anomaly.
Result<void> collect_console(EvidenceCalls& calls, const std::string& instance);

/// The text of the attribute userData, decoded from base64, as the file user-data. Nothing where the instance has none.
Result<void> collect_user_data(EvidenceCalls& calls);

}  // namespace icecore::engine
