#include "core/timestamp.h"

#include <gtest/gtest.h>

#include "support/support.h"

namespace icecore {
namespace {

// Oracle: date(1).
std::string date_of(std::int64_t seconds) {
  std::string text = test::run_ok("date -u -d @" + std::to_string(seconds) + " +%Y-%m-%dT%H:%M:%SZ");
  text.pop_back();
  return text;
}

TEST(Timestamp, AgreesWithDateAcrossTheRangesOfExt4AndXfs) {
  for (const std::int64_t seconds : {-2147483648LL, -1LL, 0LL, 951782400LL, 1709164800LL, 4102444800LL, 15032385535LL, 16299260424LL})
    EXPECT_EQ(to_iso8601({seconds, 0}, 0), date_of(seconds));
}

TEST(Timestamp, ParsesWhatItPrintsToTheNanosecond) {
  const Timestamp time{1764000000, 123456789};
  const auto parsed = parse_iso8601(to_iso8601(time));
  ICECORE_ASSERT_OK(parsed);
  EXPECT_EQ(*parsed, time);
}

TEST(Timestamp, UnderstandsZones) {
  const auto east = parse_iso8601("2026-11-24T10:00:00+02:00");
  ICECORE_ASSERT_OK(east);
  EXPECT_EQ(to_iso8601(*east, 0), "2026-11-24T08:00:00Z");
}

TEST(Timestamp, RefusesNonsense) {
  for (const char* text : {"", "yesterday", "2026-13-01T00:00:00Z", "2026-11-24", "2026-11-24T08:00:00", "2026-11-24T08:00:00Zx"})
    EXPECT_FALSE(parse_iso8601(text)) << text;
}

TEST(Timestamp, MicrosecondsBeforeTheEpochCountForward) {
  EXPECT_EQ(Timestamp::from_microseconds(-1), (Timestamp{-1, 999'999'000}));
  EXPECT_EQ((Timestamp{-1, 999'999'000}).microseconds(), -1);
}

}  // namespace
}  // namespace icecore
