#include "aws/memory_transport.h"

namespace icecore::aws {

HttpResult MemoryTransport::send(const HttpRequest& request, Bytes /*buffer*/) {
  {
    const std::scoped_lock lock(mutex_);
    requests_.push_back(request);
  }
  return handler_(request);
}

std::vector<HttpRequest> MemoryTransport::requests() const {
  const std::scoped_lock lock(mutex_);
  return requests_;
}

HttpReply text_reply(int status, std::string_view body, Headers headers) {
  const ByteView bytes = as_bytes(body);
  return {status, std::move(headers), Bytes(bytes.begin(), bytes.end())};
}

}  // namespace icecore::aws
