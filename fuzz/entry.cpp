// The one entry of every target: runs an input and holds it to the target's budget. An input over budget aborts, so that libFuzzer keeps it and CI
// fails. ICECORE_FUZZ_COSTS=1 prints what each input took: for choosing budgets.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "budget.h"

#if defined(__SANITIZE_ADDRESS__)
#define ICECORE_COUNTS_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ICECORE_COUNTS_MEMORY 1
#endif
#endif
#ifdef ICECORE_COUNTS_MEMORY
// sanitizer/allocator_interface.h, which Debian's GCC comes without.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, std::size_t), void (*)(const volatile void*));
extern "C" std::size_t __sanitizer_get_allocated_size(const volatile void*);
#endif

namespace icecore::fuzz {
namespace {

// Signed: what was there before the input may be freed while it runs.
std::atomic<std::int64_t> live, peak;
std::atomic<std::uint64_t> read_bytes;
thread_local unsigned not_counted = 0;

#ifdef ICECORE_COUNTS_MEMORY
void on_malloc(const volatile void*, std::size_t size) {
  if (not_counted != 0) return;
  const std::int64_t now = live.fetch_add(static_cast<std::int64_t>(size), std::memory_order_relaxed) + static_cast<std::int64_t>(size);
  std::int64_t most = peak.load(std::memory_order_relaxed);
  while (now > most && !peak.compare_exchange_weak(most, now, std::memory_order_relaxed)) {
  }
}

void on_free(const volatile void* at) {
  if (at == nullptr || not_counted != 0) return;
  live.fetch_sub(static_cast<std::int64_t>(__sanitizer_get_allocated_size(at)), std::memory_order_relaxed);
}

void count_memory() { [[maybe_unused]] static const int once = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free); }
#else
void count_memory() {}
#endif

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

[[noreturn]] void over_budget(const char* what) {
  std::fprintf(stderr, "ERROR: over budget: %s\n", what);
  std::abort();
}

void hold_to_budget(double seconds) {
  const auto memory = static_cast<std::uint64_t>(std::max<std::int64_t>(0, peak));
  static const bool costs = std::getenv("ICECORE_FUZZ_COSTS") != nullptr;
  if (costs)
    std::fprintf(stderr, "cost: %llu bytes at most, %llu read, %.3f s\n", static_cast<unsigned long long>(memory),
                 static_cast<unsigned long long>(read_bytes), seconds);
  char text[160];
  if (memory > kBudget.base && (memory - kBudget.base) / kBudget.times > read_bytes) {
    std::snprintf(text, sizeof text, "%llu bytes of memory for %llu read; %llu and %llu for each are allowed",
                  static_cast<unsigned long long>(memory), static_cast<unsigned long long>(read_bytes), static_cast<unsigned long long>(kBudget.base),
                  static_cast<unsigned long long>(kBudget.times));
    over_budget(text);
  }
  if (seconds > kBudget.seconds) {
    std::snprintf(text, sizeof text, "%.1f s of processor time; %.1f are allowed", seconds, kBudget.seconds);
    over_budget(text);
  }
}

}  // namespace

void count_read(std::uint64_t bytes) { read_bytes.fetch_add(bytes, std::memory_order_relaxed); }
NotCounted::NotCounted() { ++not_counted; }
NotCounted::~NotCounted() { --not_counted; }

}  // namespace icecore::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace icecore::fuzz;
  count_memory();
  live = peak = 0;
  read_bytes = size;
  const double start = processor_seconds();
  one_input(data, size);
  hold_to_budget(processor_seconds() - start);
  return 0;
}
