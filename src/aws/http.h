// HTTP as the AWS calls need it: one request in, one whole reply out. The transport is an interface so that tests run on values (memory_transport.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"

namespace icecore::aws {

struct NameValue {
  std::string name = {};
  std::string value = {};
  bool operator==(const NameValue&) const = default;
};

using Headers = std::vector<NameValue>;

/// The first header of that name, letter case ignored, or empty.
std::string_view header(const Headers& headers, std::string_view name);

/// How long a request may take. Milliseconds; a reply over `body_bytes` is refused.
struct HttpLimits {
  std::int64_t connect_ms = 10'000;
  std::int64_t stall_ms = 20'000;  ///< no byte in either direction for that long; seen up to a second late
  std::int64_t total_ms = 60'000;
  std::uint64_t body_bytes = std::uint64_t{64} << 20;
};

struct HttpRequest {
  std::string method = "GET";
  std::string origin = {};            ///< "https://ebs.us-west-2.amazonaws.com", no path
  std::string path = "/";             ///< percent-encoded, as on the wire
  std::vector<NameValue> query = {};  ///< decoded names and values, in any order; they are sent encoded and sorted
  Headers headers = {};               ///< without Host, which follows from origin
  std::string body = {};
  HttpLimits limits = {};
  /// Not even the transport may send it twice by itself (libcurl does when a kept connection turns out dead): costs a new connection.
  bool send_once = false;
};

/// The address as sent.
std::string request_url(const HttpRequest& request);

struct HttpReply {
  int status = 0;
  Headers headers = {};
  Bytes body = {};
};

/// A request that got no whole reply.
struct TransportError : Error {
  enum class Kind {
    kNotSent,      ///< no connection was made, so the service has certainly not seen it
    kBroken,       ///< timed out, reset or cut short after sending began: the outcome is unknown
    kUntrusted,    ///< the certificate does not verify; never retried
    kTooLarge,     ///< the reply passes limits.body_bytes
    kInterrupted,  ///< Ctrl-C
    kInternal
  };
  Kind kind = Kind::kInternal;
  std::uint64_t body_bytes = 0;  ///< received before it broke
};

using HttpResult = tl::expected<HttpReply, TransportError>;

class HttpTransport {
 public:
  virtual ~HttpTransport() = default;
  /// One attempt, no retry, no redirect. Blocks; thread-safe; ends early on interruption. Any status is a reply. `buffer` lends its memory to the
  /// reply's body, so that a loop over blocks allocates once.
  virtual HttpResult send(const HttpRequest& request, Bytes buffer = {}) = 0;
};

}  // namespace icecore::aws
