#include "aws/curl_transport.h"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <limits>

#include "aws/curl_pool.h"
#include "aws/tls_trust.h"
#include "core/interrupt.h"
#include "core/text.h"

namespace icecore::aws {
namespace {

constexpr std::uint64_t kHeaderBytes = 256 * 1024;

/// One transfer, seen by libcurl's callbacks. They are C: nothing may be thrown through them.
struct Transfer {
  HttpReply reply;
  std::uint64_t limit = 0;
  std::uint64_t header_bytes = 0;
  bool too_large = false;
  X509_STORE* trust = nullptr;
  // Stalls are watched here: CURLOPT_LOW_SPEED_TIME judges a speed smoothed over five seconds, so it comes late.
  CURL* handle = nullptr;
  std::int64_t stall_ms = 0;
  curl_off_t moved_bytes = -1;
  std::chrono::steady_clock::time_point moved_at;
  bool stalled = false;
};

struct HeaderList {
  ~HeaderList() { curl_slist_free_all(list); }
  curl_slist* list = nullptr;
  bool append(const std::string& line) {
    curl_slist* longer = curl_slist_append(list, line.c_str());
    if (longer != nullptr) list = longer;
    return longer != nullptr;
  }
};

std::size_t refuse(Transfer& transfer) {
  transfer.too_large = true;
  return 0;
}

/// Body memory is reserved once, from Content-Length, so that a 512 KiB block is copied exactly once out of libcurl's buffer.
void note_length(Transfer& transfer, std::string_view value) {
  std::uint64_t length = 0;
  const auto parsed = std::from_chars(value.data(), value.data() + value.size(), length);
  if (parsed.ec == std::errc{} && length <= transfer.limit) transfer.reply.body.reserve(static_cast<std::size_t>(length));
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* user) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  const std::size_t bytes = size * count;
  transfer.header_bytes += bytes;
  if (transfer.header_bytes > kHeaderBytes) return refuse(transfer);
  try {
    const std::string_view line = trim(std::string_view(data, bytes).substr(0, std::string_view(data, bytes).find_last_not_of("\r\n") + 1));
    if (line.starts_with("HTTP/")) {
      transfer.reply.headers.clear();  // after a 100 Continue the real headers begin
      return bytes;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return bytes;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trim(line.substr(colon + 1));
    if (to_lower(name) == "content-length") note_length(transfer, value);
    transfer.reply.headers.push_back({std::string(name), std::string(value)});
    return bytes;
  } catch (...) {
    return refuse(transfer);
  }
}

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  const std::size_t bytes = size * count;
  if (transfer.reply.body.size() + bytes > transfer.limit) return refuse(transfer);
  try {
    const ByteView piece = as_bytes({data, bytes});
    transfer.reply.body.insert(transfer.reply.body.end(), piece.begin(), piece.end());
    return bytes;
  } catch (...) {
    return refuse(transfer);
  }
}

/// libcurl calls this with every piece, and once a second while nothing comes.
int on_progress(void* user, curl_off_t, curl_off_t received, curl_off_t, curl_off_t sent) {
  if (interrupted()) return 1;
  Transfer& transfer = *static_cast<Transfer*>(user);
  const auto now = std::chrono::steady_clock::now();
  curl_off_t connected_us = 0;
  curl_easy_getinfo(transfer.handle, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
  if (connected_us == 0 || received + sent != transfer.moved_bytes) {
    transfer.moved_bytes = connected_us == 0 ? -1 : received + sent;
    transfer.moved_at = now;
    return 0;
  }
  transfer.stalled = now - transfer.moved_at >= std::chrono::milliseconds(transfer.stall_ms);
  return transfer.stalled ? 1 : 0;
}

CURLcode on_tls_context(CURL*, void* context, void* user) {
  SSL_CTX_set1_cert_store(static_cast<SSL_CTX*>(context), static_cast<Transfer*>(user)->trust);
  return CURLE_OK;
}

HttpResult transport_error(TransportError::Kind kind, Code code, std::string message, std::uint64_t bytes = 0) {
  TransportError error;
  error.code = code;
  error.message = std::move(message);
  error.kind = kind;
  error.body_bytes = bytes;
  return tl::unexpected<TransportError>(std::move(error));
}

bool is_one_line(std::string_view text) { return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos; }

bool add_headers(HeaderList& list, const HttpRequest& request) {
  for (const NameValue& one : request.headers) {
    if (!is_one_line(one.name) || !is_one_line(one.value)) return false;
    // libcurl's own spelling for a header that is there and empty is "Name;".
    if (!list.append(one.value.empty() ? one.name + ";" : one.name + ": " + one.value)) return false;
  }
  if (header(request.headers, "content-type").empty() && !list.append("Content-Type:")) return false;
  if (header(request.headers, "accept").empty() && !list.append("Accept:")) return false;
  return list.append("Expect:");  // a round trip for nothing
}

bool request_left(CURL* handle) {
  long sent = 0;
  curl_easy_getinfo(handle, CURLINFO_REQUEST_SIZE, &sent);
  return sent > 0;
}

class CurlTransport : public HttpTransport {
 public:
  explicit CurlTransport(CurlOptions options) : options_(std::move(options)), trust_(load_trust_store(options_.ca_bundle)) {}

  HttpResult send(const HttpRequest& request, Bytes buffer) override {
    using Kind = TransportError::Kind;
    if (!trust_) return transport_error(Kind::kUntrusted, trust_.error().code, trust_.error().message);
    CurlHandle handle = pool_.take();
    HeaderList headers;
    if (!handle) return transport_error(Kind::kInternal, Code::kInternal, "libcurl cannot be started");
    if (!add_headers(headers, request)) {
      return transport_error(Kind::kInternal, Code::kInvalidArgument, "a request header holds a line break, which is refused");
    }
    Transfer transfer;
    buffer.clear();
    transfer.reply.body = std::move(buffer);
    transfer.limit = request.limits.body_bytes;
    transfer.trust = trust_->get();
    transfer.handle = handle.get();
    transfer.stall_ms = request.limits.stall_ms;
    std::array<char, CURL_ERROR_SIZE> words{};
    configure(handle.get(), request, headers, transfer);
    curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, words.data());
    const CURLcode code = curl_easy_perform(handle.get());
    HttpResult result = code == CURLE_OK ? finish(handle.get(), std::move(transfer)) : broken(handle.get(), code, words.data(), request, transfer);
    pool_.give_back(std::move(handle));
    return result;
  }

 private:
  void configure(CURL* handle, const HttpRequest& request, const HeaderList& headers, Transfer& transfer) const {
    curl_easy_setopt(handle, CURLOPT_URL, request_url(request).c_str());
    curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);  // the path is signed as it stands
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(handle, CURLOPT_BUFFERSIZE, 256L * 1024L);
    curl_easy_setopt(handle, CURLOPT_USERAGENT, options_.user_agent.c_str());
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.list);
    if (request.send_once) curl_easy_setopt(handle, CURLOPT_FRESH_CONNECT, 1L);
    set_method(handle, request);
    set_limits(handle, request.limits);
    set_trust(handle, transfer);
    set_proxy(handle, request);
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &on_header);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, &transfer);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &on_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &on_progress);
    curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &transfer);
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  }

  static void set_method(CURL* handle, const HttpRequest& request) {
    if (request.method == "GET") {
      curl_easy_setopt(handle, CURLOPT_HTTPGET, 1L);
      return;
    }
    if (request.method == "HEAD") {
      curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
      return;
    }
    curl_easy_setopt(handle, CURLOPT_POST, 1L);
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }

  static void set_limits(CURL* handle, const HttpLimits& limits) {
    const auto positive = [](std::int64_t value) {
      return static_cast<long>(std::clamp<std::int64_t>(value, 1, std::numeric_limits<std::int32_t>::max()));
    };
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, positive(limits.connect_ms));
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, positive(limits.total_ms));
  }

  static void set_trust(CURL* handle, Transfer& transfer) {
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    // The shared store takes the place of libcurl's own loading; verification itself stays on.
    curl_easy_setopt(handle, CURLOPT_CAINFO, nullptr);
    curl_easy_setopt(handle, CURLOPT_CAPATH, nullptr);
    curl_easy_setopt(handle, CURLOPT_SSL_CTX_FUNCTION, &on_tls_context);
    curl_easy_setopt(handle, CURLOPT_SSL_CTX_DATA, &transfer);
  }

  void set_proxy(CURL* handle, const HttpRequest& request) const {
    const std::string& proxy = request.origin.starts_with("https:") ? options_.https_proxy : options_.http_proxy;
    curl_easy_setopt(handle, CURLOPT_PROXY, proxy.c_str());  // "" also stops libcurl from looking at the environment
    if (!proxy.empty()) curl_easy_setopt(handle, CURLOPT_NOPROXY, options_.no_proxy.c_str());
  }

  static HttpResult finish(CURL* handle, Transfer transfer) {
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    transfer.reply.status = static_cast<int>(status);
    return std::move(transfer.reply);
  }

  static HttpResult broken(CURL* handle, CURLcode code, const char* words, const HttpRequest& request, const Transfer& transfer) {
    using Kind = TransportError::Kind;
    const std::uint64_t bytes = transfer.reply.body.size();
    std::string reason = *words != '\0' ? words : curl_easy_strerror(code);
    if (transfer.stalled) reason = fmt::format("no byte for {:.1f} s", static_cast<double>(transfer.stall_ms) / 1000.0);
    if (code == CURLE_ABORTED_BY_CALLBACK && !transfer.stalled)
      return transport_error(Kind::kInterrupted, Code::kInterrupted, interruption().value().message, bytes);
    if (transfer.too_large) {
      return transport_error(Kind::kTooLarge, Code::kRemote,
                             fmt::format("the reply of {} is larger than the {} that it may have", request.origin, human_size(transfer.limit)),
                             bytes);
    }
    if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_ISSUER_ERROR) {
      return transport_error(Kind::kUntrusted, Code::kNetwork,
                             fmt::format("the certificate of {} is not trusted ({}); if a proxy or a private endpoint signs it, name its CA with "
                                         "--ca-bundle or AWS_CA_BUNDLE",
                                         request.origin, reason));
    }
    const bool left = request_left(handle);
    return transport_error(left ? Kind::kBroken : Kind::kNotSent, Code::kNetwork,
                           left ? fmt::format("lost the connection to {}: {}", request.origin, reason)
                                : fmt::format("cannot reach {}: {}; is the network there, and are the region and the endpoint (--endpoint-url, "
                                              "AWS_ENDPOINT_URL) right?",
                                              request.origin, reason),
                           bytes);
  }

  CurlOptions options_;
  Result<TrustStore> trust_;
  CurlPool pool_;
};

}  // namespace

std::unique_ptr<HttpTransport> make_curl_transport(CurlOptions options) { return std::make_unique<CurlTransport>(std::move(options)); }

}  // namespace icecore::aws
