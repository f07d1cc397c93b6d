// An RFC 3161 reply of an authority that means us no good.
#include <cstdint>
#include <string>
#include <string_view>

#include "budget.h"
#include "evidence/timestamping.h"

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  using namespace icecore::evidence;
  static const std::string query = make_timestamp_query("data").value();
  const std::string_view reply(reinterpret_cast<const char*>(data), size);
  (void)check_timestamp_reply("data", query, reply, std::nullopt);
  (void)check_timestamp_reply("data", reply, reply, std::nullopt);
}
