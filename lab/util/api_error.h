// An error of an AWS API. Handlers throw it: every call ends in a reply or in exactly one of these, and
// there is one place that catches (front.cpp) and writes it in the protocol of the service.
#pragma once

#include <exception>
#include <string>
#include <utility>

namespace icelab {

struct ApiError : std::exception {
  ApiError(std::string code_in, std::string message_in, int status_in = 400, std::string reason_in = {})
      : code(std::move(code_in)), message(std::move(message_in)), status(status_in), reason(std::move(reason_in)) {}

  const char* what() const noexcept override { return message.c_str(); }

  std::string code;
  std::string message;
  int status;
  std::string reason;  // EBS direct says more in "Reason"
};

}  // namespace icelab
