#include "aws/rate_limit.h"

#include "support/support.h"

namespace icecore::aws {
namespace {

/// A service that takes `capacity` calls in any second and refuses the rest; callers that go as fast as the limit lets them.
struct Simulation {
  RateLimit limit{0};
  double capacity = 100;
  std::int64_t now_ms = 0;
  std::int64_t served = 0, refused = 0;
  double tokens = 100;

  void run_until(std::int64_t end_ms) {
    while (now_ms < end_ms) {
      const std::int64_t wait = std::max<std::int64_t>(limit.reserve(now_ms), 1);
      now_ms += wait;
      tokens = std::min(capacity, tokens + capacity * static_cast<double>(wait) / 1000.0);
      if (tokens >= 1) {
        tokens -= 1;
        ++served;
      } else {
        ++refused;
        limit.throttled(now_ms);
      }
    }
  }
};

TEST(RateLimit, IsOpenUntilThrottled) {
  RateLimit limit(0);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(limit.reserve(i), 0);
  EXPECT_EQ(limit.rate(), 0);
}

TEST(RateLimit, SettlesUnderTheServicesRate) {
  Simulation simulation;
  simulation.run_until(5'000);
  EXPECT_LT(simulation.refused, 400) << "found within a second or two";
  simulation.served = simulation.refused = 0;
  simulation.run_until(65'000);
  EXPECT_GT(simulation.served, 60 * 75) << "most of what the service gives is used";
  EXPECT_LT(simulation.refused, simulation.served / 50) << "few calls are refused";
}

TEST(RateLimit, RecoversWhenTheServiceDoes) {
  Simulation simulation;
  simulation.run_until(20'000);
  simulation.capacity = 100'000;
  simulation.run_until(90'000);
  EXPECT_EQ(simulation.limit.rate(), 0) << "open again";
}

TEST(RateLimit, RefusalsOfOneMomentCountOnce) {
  RateLimit limit(0);
  for (int i = 0; i < 100; ++i) limit.reserve(i * 10);
  limit.throttled(1'000);
  const double once = limit.rate();
  for (int i = 0; i < 63; ++i) limit.throttled(1'001 + i);
  EXPECT_EQ(limit.rate(), once);
  EXPECT_GT(once, 10);
}

TEST(RateLimit, AFixedPaceIsNeverExceeded) {
  RateLimit limit(2);
  std::int64_t now = 1'000'000;
  EXPECT_EQ(limit.reserve(now), 0);
  EXPECT_EQ(limit.reserve(now), 500);
  EXPECT_EQ(limit.reserve(now), 1000);
  now += 10'000;
  EXPECT_EQ(limit.reserve(now), 0) << "no debt after a pause";
  EXPECT_EQ(limit.reserve(now), 500) << "and no burst";
  limit.throttled(now);
  EXPECT_LT(limit.rate(), 2);
  for (int i = 0; i < 200; ++i) limit.reserve(now += 1000);
  EXPECT_EQ(limit.rate(), 2);
}

}  // namespace
}  // namespace icecore::aws
