// HTTP/1.1 over plain TCP or TLS on loopback: one thread a connection, kept alive.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "http/message.h"

namespace icelab {

struct TlsFiles {
  std::string certificate;  // PEM, empty for plain HTTP
  std::string key;
};

class Server {
 public:
  using Handler = std::function<Reply(const Request&, Delivery&)>;

  // Binds at once; throws std::runtime_error, also for an address that is not loopback.
  Server(const std::string& address, unsigned short port, const TlsFiles& tls, Handler handler);
  ~Server();

  unsigned short port() const;

  // Serves until stop(), which any thread may call.
  void run();
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace icelab
