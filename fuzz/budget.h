// What one input may cost a parser. Every target states its budget and defines one_input(); entry.cpp holds each input to the budget, under libFuzzer
// and in CI's replay of the corpus alike.
#pragma once

#include <cstddef>
#include <cstdint>

namespace icecore::fuzz {

/// Memory is the most that is allocated at one moment: `base` bytes, and `times` bytes for each byte read, of the input itself and from disks. It is
/// counted where AddressSanitizer runs. Time is the processor's, of all threads.
struct Budget {
  std::uint64_t times = 8;
  std::uint64_t base = 512 << 10;
  double seconds = 10;
};

/// Of the target.
extern const Budget kBudget;
void one_input(const std::uint8_t* data, std::size_t size);

/// Bytes that a parser read from a disk. Thread-safe.
void count_read(std::uint64_t bytes);

/// While one lives, what this thread allocates and frees is the target's own (the disk), not the parser's.
class NotCounted {
 public:
  NotCounted();
  ~NotCounted();
  NotCounted(const NotCounted&) = delete;
  NotCounted& operator=(const NotCounted&) = delete;
};

}  // namespace icecore::fuzz
