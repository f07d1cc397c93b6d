#include "aws/curl_pool.h"

namespace icecore::aws {

CurlPool::CurlPool() {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised != CURLE_OK) return;
  share_ = curl_share_init();
  if (share_ == nullptr) return;
  curl_share_setopt(share_, CURLSHOPT_LOCKFUNC, &CurlPool::lock);
  curl_share_setopt(share_, CURLSHOPT_UNLOCKFUNC, &CurlPool::unlock);
  curl_share_setopt(share_, CURLSHOPT_USERDATA, this);
  curl_share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
  curl_share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
}

CurlPool::~CurlPool() {
  idle_.clear();  // before the share that they use
  if (share_ != nullptr) curl_share_cleanup(share_);
}

CurlHandle CurlPool::take() {
  CurlHandle handle;
  {
    const std::scoped_lock lock(mutex_);
    if (!idle_.empty()) {
      handle = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!handle) handle.reset(curl_easy_init());
  if (!handle) return handle;
  curl_easy_reset(handle.get());
  if (share_ != nullptr) curl_easy_setopt(handle.get(), CURLOPT_SHARE, share_);
  return handle;
}

void CurlPool::give_back(CurlHandle handle) {
  const std::scoped_lock lock(mutex_);
  if (idle_.size() < kKept) idle_.push_back(std::move(handle));
}

void CurlPool::lock(CURL*, curl_lock_data data, curl_lock_access, void* self) { static_cast<CurlPool*>(self)->share_mutexes_.at(data).lock(); }

void CurlPool::unlock(CURL*, curl_lock_data data, void* self) { static_cast<CurlPool*>(self)->share_mutexes_.at(data).unlock(); }

}  // namespace icecore::aws
