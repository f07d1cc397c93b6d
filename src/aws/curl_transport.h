// HttpTransport over libcurl. Handles are pooled with their connections (keep-alive), so many threads may block in parallel; certificates are
// always verified.
#pragma once

#include <memory>
#include <string>

#include "aws/http.h"

namespace icecore::aws {

struct CurlOptions {
  std::string ca_bundle = {};    ///< PEM file; empty: the system's
  std::string https_proxy = {};  ///< "http://user:pass@host:port"; empty: none. The environment is not consulted.
  std::string http_proxy = {};
  std::string no_proxy = {};  ///< comma-separated hosts and domains, or "*"
  std::string user_agent = "icecore";
};

/// Thread-safe. Handles are made as threads need them and kept up to 64. Throws nothing; a CA bundle that cannot be read shows at the first send.
std::unique_ptr<HttpTransport> make_curl_transport(CurlOptions options = {});

}  // namespace icecore::aws
