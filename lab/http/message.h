// One HTTP request and reply, as the rest of the lab sees them: no library types.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace icelab {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;
  std::string path;   // as on the wire, still percent-encoded
  std::string query;  // as on the wire, without the question mark
  Headers headers;    // in the order sent, names as sent
  std::string body;

  // The first header of that name in any case; empty when there is none.
  std::string_view header(std::string_view name) const;
};

struct Reply {
  int status = 200;
  Headers headers;
  std::string body;

  std::string_view header(std::string_view name) const;
};

// How a reply is spoiled on its way out, for fault tests.
struct Delivery {
  bool reset = false;     // close with RST before any byte
  bool truncate = false;  // the length of the whole, half of the body, then close
  int stall_ms = 0;       // after the headers and half of the body, silence for so long
};

}  // namespace icelab
