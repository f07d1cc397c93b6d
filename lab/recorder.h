// Every request and reply, one JSON object each: for the tests, and for the check against botocore's models.
#pragma once

#include <cstdio>
#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

#include "http/message.h"

namespace icelab {

struct Exchange {
  std::string time;
  std::string request_id;
  std::string service;
  std::string action;
  std::string principal;  // ARN; empty when the signature was refused
  std::string fault;      // how the reply was spoiled, if it was
};

class Recorder {
 public:
  // Throws std::runtime_error when the file cannot be written. An empty name: memory only.
  explicit Recorder(const std::string& file);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  void record(const Exchange& exchange, const Request& request, const Reply& reply);

  // The newest ones, oldest first.
  nlohmann::json recent() const;
  void clear();

 private:
  mutable std::mutex mutex_;
  std::FILE* file_ = nullptr;
  std::deque<std::string> recent_;  // lines of JSON
  std::size_t recent_bytes_ = 0;
};

}  // namespace icelab
