// Work spread over threads. Two shapes are enough: a loop over indexes (CPU work, or blocking I/O with more threads than cores).
#pragma once

#include <cstddef>
#include <functional>

#include "core/result.h"

namespace icecore {

/// Hardware threads, at least 1.
std::size_t cpu_count();

/// Calls work(i) for every i < count on up to `threads` threads (the caller is one of them), in rising order of start. After the first error no
/// further index is started; that error is returned. Exceptions from `work` (bad_alloc, third parties) become kInternal errors. Also stops on
/// interruption.
Result<void> parallel_for(std::size_t count, std::size_t threads, const std::function<Result<void>(std::size_t)>& work);

}  // namespace icecore
