// The only file that sees Boost.Beast, which is slow to compile.
#include "http/server.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace icelab {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using TlsStream = asio::ssl::stream<tcp::socket>;

constexpr std::uint32_t kMaxHeader = 64 * 1024;
constexpr std::uint64_t kMaxBody = 2 * 1024 * 1024;
constexpr std::uint64_t kMaxPart = 256 * 1024 * 1024;  // of an object of S3
constexpr std::size_t kMaxConnections = 1024;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

Request from_beast(http::request<http::string_body>& message) {
  Request out;
  out.method = std::string(view(message.method_string()));
  const std::string target(view(message.target()));
  const std::size_t question = target.find('?');
  out.path = target.substr(0, question);
  if (question != std::string::npos) out.query = target.substr(question + 1);
  for (const auto& field : message) out.headers.emplace_back(std::string(view(field.name_string())), std::string(view(field.value())));
  out.body = std::move(message.body());
  return out;
}

std::string head_of(const Reply& reply, bool keep_alive) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", reply.status,
                                 std::string(view(http::obsolete_reason(http::int_to_status(static_cast<unsigned>(reply.status))))));
  for (const auto& [name, value] : reply.headers) head += name + ": " + value + "\r\n";
  // The answer to HEAD states the length that GET would have.
  if (!reply.header("Content-Length").empty()) return head + fmt::format("{}Server: icecore-lab\r\n\r\n", keep_alive ? "" : "Connection: close\r\n");
  return head + fmt::format("Content-Length: {}\r\n{}Server: icecore-lab\r\n\r\n", reply.body.size(), keep_alive ? "" : "Connection: close\r\n");
}

Reply refuse(int status, const std::string& message) {
  Reply reply;
  reply.status = status;
  reply.headers.emplace_back("Content-Type", "text/plain");
  reply.body = message + "\n";
  return reply;
}

// RST instead of FIN when the socket is closed: what a client sees when a machine on the way dies. Not through
// Asio, whose destructor takes back a linger that was set through it.
void reset_on_close(tcp::socket& socket) {
  const linger option{1, 0};
  ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_LINGER, &option, sizeof option);
}

}  // namespace

struct Server::Impl {
  asio::io_context io;
  tcp::acceptor acceptor{io};
  std::unique_ptr<asio::ssl::context> tls;
  Handler handler;
  std::mutex mutex;
  std::condition_variable changed;
  std::set<int> open;  // sockets of the running connections, so that stop() can wake their threads
  std::uint64_t last_id = 0;
  std::map<std::uint64_t, std::thread> running;
  std::vector<std::thread> finished;  // to be joined: a detached thread could still be at its end when the program exits
  bool stopping = false;

  template <typename Stream>
  bool deliver(Stream& stream, tcp::socket& socket, const Reply& reply, const Delivery& delivery, bool keep_alive) {
    boost::system::error_code error;
    if (delivery.reset) {
      reset_on_close(socket);
      return false;
    }
    const std::string head = head_of(reply, keep_alive);
    const std::size_t half = reply.body.size() / 2;
    const bool in_parts = delivery.truncate || delivery.stall_ms > 0;
    const std::size_t first = in_parts ? half : reply.body.size();
    asio::write(stream, std::array<asio::const_buffer, 2>{asio::buffer(head), asio::buffer(reply.body.data(), first)}, error);
    if (delivery.truncate) return false;
    if (delivery.stall_ms > 0) {
      std::unique_lock lock(mutex);
      changed.wait_for(lock, std::chrono::milliseconds(delivery.stall_ms), [&] { return stopping; });
      lock.unlock();
      asio::write(stream, asio::buffer(reply.body.data() + half, reply.body.size() - half), error);
    }
    return !error && keep_alive;
  }

  template <typename Stream>
  void converse(Stream& stream, tcp::socket& socket) {
    beast::flat_buffer buffer;
    for (;;) {
      http::request_parser<http::string_body> parser;
      parser.header_limit(kMaxHeader);
      parser.body_limit(kMaxPart);
      boost::system::error_code error;
      http::read_header(stream, buffer, parser, error);
      if (!error && view(parser.get()[http::field::authorization]).find("/s3/aws4_request") == std::string_view::npos) {
        parser.body_limit(kMaxBody);
        if (parser.content_length() && *parser.content_length() > kMaxBody) error = http::error::body_limit;
      }
      if (!error && view(parser.get()[http::field::expect]) == "100-continue")
        asio::write(stream, asio::buffer(std::string("HTTP/1.1 100 Continue\r\n\r\n")), error);
      if (!error) http::read(stream, buffer, parser, error);
      if (error == http::error::end_of_stream || error == asio::error::eof) return;
      if (error) {
        const bool ours = error == http::error::body_limit || error == http::error::header_limit;
        if (error.category() == http::make_error_code(http::error::bad_method).category())
          deliver(stream, socket, refuse(ours ? 413 : 400, error.message()), {}, false);
        return;
      }
      const bool keep_alive = parser.get().keep_alive();
      const Request request = from_beast(parser.get());
      Delivery delivery;
      const Reply reply = handler(request, delivery);
      if (!deliver(stream, socket, reply, delivery, keep_alive)) return;
    }
  }

  // Off the list before the descriptor is closed (declare it after the socket), so that stop() never touches a
  // descriptor that was given out again.
  struct Listed {
    Impl& impl;
    int fd;
    ~Listed() {
      const std::lock_guard lock(impl.mutex);
      impl.open.erase(fd);
    }
  };

  void talk(tcp::socket socket) {
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    const int fd = socket.native_handle();
    if (!tls) {
      const Listed listed{*this, fd};
      converse(socket, socket);
      return;
    }
    TlsStream stream(std::move(socket), *tls);
    const Listed listed{*this, fd};
    stream.handshake(asio::ssl::stream_base::server);
    converse(stream, stream.next_layer());
  }

  void connection(std::uint64_t id, tcp::socket socket) {
    try {
      talk(std::move(socket));
    } catch (const std::exception&) {
      // A broken handshake or a dead peer ends this connection only.
    }
    const std::lock_guard lock(mutex);
    finished.push_back(std::move(running.at(id)));
    running.erase(id);
    changed.notify_all();
  }

  // The caller holds the lock; so does a thread's start, which is why it is on the list before it can end.
  void start(tcp::socket socket) {
    const int fd = socket.native_handle();
    const std::uint64_t id = ++last_id;
    open.insert(fd);
    try {
      running[id] = std::thread([this, id, s = std::move(socket)]() mutable { connection(id, std::move(s)); });
    } catch (const std::system_error&) {
      open.erase(fd);  // no more threads: this one connection is dropped
      running.erase(id);
    }
  }

  // Joins what has ended, without the lock.
  void reap(std::unique_lock<std::mutex>& lock) {
    std::vector<std::thread> ended;
    ended.swap(finished);
    lock.unlock();
    for (std::thread& thread : ended) thread.join();
    lock.lock();
  }
};

Server::Server(const std::string& address, unsigned short port, const TlsFiles& tls, Handler handler) : impl_(std::make_unique<Impl>()) {
  boost::system::error_code error;
  const auto ip = asio::ip::make_address(address == "localhost" ? "127.0.0.1" : address, error);
  if (error || !ip.is_loopback()) throw std::runtime_error(address + " is not a loopback address; the lab is for this machine only");
  impl_->handler = std::move(handler);
  if (!tls.certificate.empty()) {
    impl_->tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
    impl_->tls->use_certificate_chain_file(tls.certificate);
    impl_->tls->use_private_key_file(tls.key, asio::ssl::context::pem);
  }
  const tcp::endpoint endpoint(ip, port);
  impl_->acceptor.open(endpoint.protocol());
  impl_->acceptor.set_option(asio::socket_base::reuse_address(true));
  impl_->acceptor.bind(endpoint, error);
  if (error) throw std::runtime_error(fmt::format("cannot listen on {}:{}: {}", address, port, error.message()));
  impl_->acceptor.listen();
}

Server::~Server() = default;

unsigned short Server::port() const { return impl_->acceptor.local_endpoint().port(); }

void Server::run() {
  Impl& impl = *impl_;
  for (;;) {
    boost::system::error_code error;
    tcp::socket socket(impl.io);
    impl.acceptor.accept(socket, error);
    std::unique_lock lock(impl.mutex);
    if (impl.stopping) break;
    if (error) {
      // Out of descriptors, most likely: give the connections that are open a moment to end.
      impl.changed.wait_for(lock, std::chrono::milliseconds(20));
      continue;
    }
    impl.reap(lock);
    impl.changed.wait(lock, [&] { return impl.running.size() < kMaxConnections || impl.stopping; });
    if (impl.stopping) break;
    impl.start(std::move(socket));
  }
  std::unique_lock lock(impl.mutex);
  impl.changed.wait(lock, [&] { return impl.running.empty(); });
  impl.reap(lock);
}

void Server::stop() {
  const std::lock_guard lock(impl_->mutex);
  impl_->stopping = true;
  impl_->changed.notify_all();
  // shutdown() wakes a thread that is blocked in accept or read; close() would not.
  ::shutdown(impl_->acceptor.native_handle(), SHUT_RDWR);
  for (const int fd : impl_->open) ::shutdown(fd, SHUT_RDWR);
}

}  // namespace icelab
