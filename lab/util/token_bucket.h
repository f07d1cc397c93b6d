// AWS's own throttle: a bucket of `burst` tokens that fills at `rate` a second; each request takes one.
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <string>

namespace icelab {

struct BucketSize {
  double rate = 0;  // 0: no limit
  double burst = 0;
};

class TokenBuckets {
 public:
  // Buckets are made at first use, one a name.
  bool take(const std::string& name, const BucketSize& size) {
    if (size.rate <= 0) return true;
    const auto now = std::chrono::steady_clock::now();
    const std::lock_guard lock(mutex_);
    auto [entry, fresh] = buckets_.try_emplace(name, Bucket{size.burst, now});
    Bucket& bucket = entry->second;
    const double elapsed = std::chrono::duration<double>(now - bucket.filled).count();
    bucket.tokens = std::min(size.burst, bucket.tokens + elapsed * size.rate);
    bucket.filled = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

 private:
  struct Bucket {
    double tokens;
    std::chrono::steady_clock::time_point filled;
  };
  std::mutex mutex_;
  std::map<std::string, Bucket> buckets_;
};

}  // namespace icelab
