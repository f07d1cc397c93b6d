#include "aws/json_values.h"

#include <cmath>

namespace icecore::aws {
namespace {

constexpr double kFurthestSecond = 253'402'300'800.0;  // year 10000

}  // namespace

std::optional<std::uint64_t> number_at(const Json& object, std::string_view member) {
  const Json& value = json_at(object, {member});
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  if (value.is_number_integer() && value.get<std::int64_t>() >= 0) return static_cast<std::uint64_t>(value.get<std::int64_t>());
  return std::nullopt;
}

std::optional<Timestamp> epoch_at(const Json& object, std::string_view member) {
  const Json& value = json_at(object, {member});
  if (!value.is_number()) return std::nullopt;
  const double seconds = value.get<double>();
  if (!std::isfinite(seconds) || std::abs(seconds) > kFurthestSecond) return std::nullopt;
  return Timestamp::from_microseconds(static_cast<std::int64_t>(std::llround(seconds * 1e6)));
}

std::optional<std::string> filled_text_at(const Json& object, std::string_view member) {
  std::string text = text_at(object, member);
  if (text.empty()) return std::nullopt;
  return text;
}

}  // namespace icecore::aws
