// ~/.aws/config and ~/.aws/credentials.
#include <cstddef>
#include <cstdint>

#include "aws/profile_files.h"
#include "budget.h"

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  (void)icecore::aws::parse_ini({reinterpret_cast<const char*>(data), size}, "fuzz");
}
