#include "recorder.h"

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "util/digest.h"
#include "util/encoding.h"

namespace icelab {
namespace {

using nlohmann::json;

constexpr std::size_t kKept = 20'000;
constexpr std::size_t kKeptBytes = 64U << 20U;
constexpr std::size_t kLargeBody = 1U << 20U;

bool is_text(const std::string& body) { return body.find('\0') == std::string::npos; }

// Text as it is, small binary as base64, and of what is large the length and SHA-256.
void describe_body(json& out, const std::string& body, std::string_view checksum) {
  out["length"] = body.size();
  if (body.size() < kLargeBody && checksum.empty() && is_text(body)) {
    out["body"] = body;
  } else if (body.size() < 4096 && checksum.empty()) {
    out["body_base64"] = base64_encode(body);
  } else {
    const auto known = base64_decode(checksum);
    out["sha256"] = hex_encode(known && !checksum.empty() ? *known : sha256(body));
  }
}

json headers_of(const Headers& headers) {
  json out = json::array();
  for (const auto& [name, value] : headers) {
    const bool secret = lowercase(name) == "x-amz-security-token";
    out.push_back({name, secret ? "(left out)" : value});
  }
  return out;
}

}  // namespace

Recorder::Recorder(const std::string& file) {
  if (file.empty()) return;
  file_ = std::fopen(file.c_str(), "ae");
  if (file_ == nullptr) throw std::runtime_error(file + ": cannot be written: " + std::strerror(errno));
}

Recorder::~Recorder() {
  if (file_ != nullptr) std::fclose(file_);
}

void Recorder::record(const Exchange& exchange, const Request& request, const Reply& reply) {
  json line = {{"time", exchange.time},     {"request_id", exchange.request_id}, {"service", exchange.service},
               {"action", exchange.action}, {"principal", exchange.principal},   {"fault", exchange.fault}};
  json& sent = line["request"];
  sent = {{"method", request.method}, {"path", request.path}, {"query", request.query}, {"headers", headers_of(request.headers)}};
  describe_body(sent, request.body, "");
  json& answered = line["reply"];
  answered = {{"status", reply.status}, {"headers", headers_of(reply.headers)}};
  // A spoiled body has another sum than the header says.
  describe_body(answered, reply.body, exchange.fault.empty() ? reply.header("x-amz-Checksum") : std::string_view());
  // Names in an evidence disk or a hostile request need not be UTF-8.
  std::string text = line.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  const std::lock_guard lock(mutex_);
  if (file_ != nullptr) {
    std::fwrite(text.data(), 1, text.size(), file_);
    std::fflush(file_);
  }
  recent_bytes_ += text.size();
  recent_.push_back(std::move(text));
  while (recent_.size() > kKept || recent_bytes_ > kKeptBytes) {
    recent_bytes_ -= recent_.front().size();
    recent_.pop_front();
  }
}

json Recorder::recent() const {
  const std::lock_guard lock(mutex_);
  json out = json::array();
  for (const std::string& line : recent_) out.push_back(json::parse(line));
  return out;
}

void Recorder::clear() {
  const std::lock_guard lock(mutex_);
  recent_.clear();
  recent_bytes_ = 0;
}

}  // namespace icelab
