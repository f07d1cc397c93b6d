// libcurl easy handles, kept with their open connections, DNS and TLS sessions between requests.
#pragma once

#include <curl/curl.h>

#include <array>
#include <memory>
#include <mutex>
#include <vector>

namespace icecore::aws {

struct CurlDelete {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using CurlHandle = std::unique_ptr<CURL, CurlDelete>;

/// Thread-safe. The handle used last is given first, because its connection is the warmest.
class CurlPool {
 public:
  CurlPool();
  ~CurlPool();
  CurlPool(const CurlPool&) = delete;
  CurlPool& operator=(const CurlPool&) = delete;
  /// A handle with no options set but the shared caches; null where libcurl is out of memory.
  CurlHandle take();
  void give_back(CurlHandle handle);

 private:
  static constexpr std::size_t kKept = 64;
  static void lock(CURL* handle, curl_lock_data data, curl_lock_access access, void* self);
  static void unlock(CURL* handle, curl_lock_data data, void* self);

  std::array<std::mutex, CURL_LOCK_DATA_LAST> share_mutexes_;
  CURLSH* share_ = nullptr;
  std::mutex mutex_;
  std::vector<CurlHandle> idle_;
};

}  // namespace icecore::aws
