#pragma once

namespace icecore::cli {

constexpr const char* kVersion = ICECORE_VERSION;

}  // namespace icecore::cli
