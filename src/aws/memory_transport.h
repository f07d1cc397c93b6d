// The in-memory twin of the transport: answers by a function and keeps every request, for tests of whatever calls AWS.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "aws/http.h"

namespace icecore::aws {

class MemoryTransport : public HttpTransport {
 public:
  using Handler = std::function<HttpResult(const HttpRequest&)>;
  explicit MemoryTransport(Handler handler) : handler_(std::move(handler)) {}
  HttpResult send(const HttpRequest& request, Bytes buffer = {}) override;
  /// Copies of the requests in order of arrival. Thread-safe.
  std::vector<HttpRequest> requests() const;

 private:
  Handler handler_;
  mutable std::mutex mutex_;
  std::vector<HttpRequest> requests_;
};

/// A reply with a text body.
HttpReply text_reply(int status, std::string_view body, Headers headers = {});

}  // namespace icecore::aws
