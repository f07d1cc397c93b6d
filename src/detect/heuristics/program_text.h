// The part of a program in which its strings lie, without reading all of it.
#pragma once

#include <string>

#include "detect/scene.h"

namespace icecore::detect {

constexpr std::uint64_t kProgramBudget = std::uint64_t{4} << 20;

/// A program of up to 4 MiB whole; of a larger ELF (little-endian, 32 or 64 bits) the first and the last half MiB and up to 3 MiB of its read-only
/// data: the loaded segments that are neither written nor run (System V ABI, "Program Header"), or, where the linker put text and data into one, that
/// segment's end. Of anything else the ends.
Result<std::string> program_text(const Scene& scene, const machine::FileRef& file);

}  // namespace icecore::detect
