#include "core/random.h"

#include <openssl/rand.h>
#include <stdexcept>

#include "core/hash.h"

namespace icecore {
namespace {

void fill(std::span<std::byte> out) {
  if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size())) != 1)
    throw std::runtime_error("the system's random generator failed");
}

}  // namespace

std::string random_hex(std::size_t bytes) {
  Bytes random(bytes);
  fill(random);
  return to_hex(random);
}

double random_unit() {
  Bytes random(sizeof(std::uint64_t));
  fill(random);
  return static_cast<double>(load_le<std::uint64_t>(random, 0) >> 11) * 0x1.0p-53;
}

}  // namespace icecore
