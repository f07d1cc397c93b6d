// Randomness for ids and jitter, from OpenSSL's generator.
#pragma once

#include <cstdint>
#include <string>

namespace icecore {

/// Lower-case hex of `bytes` random bytes.
std::string random_hex(std::size_t bytes);

/// Uniform in [0, 1).
double random_unit();

}  // namespace icecore
