// Errors of the AWS side: core's Error plus what the service said, so that callers can decide on codes instead of words.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>

#include "core/result.h"

namespace icecore::aws {

/// An Error (code, message, cause) with the facts of the call. Slices to Error without loss of the message, so ICECORE_CHECK and ICECORE_ASSIGN
/// work on a CallResult in functions that return Result.
struct ServiceError : Error {
  ServiceError() = default;
  ServiceError(Error error) : Error(std::move(error)) {}  // NOLINT: an Error is a ServiceError that no service sent
  std::string service = {};                               ///< "ec2"
  std::string action = {};                                ///< "CreateSnapshots"
  std::string aws_code = {};    ///< "InvalidSnapshot.NotFound", "ResourceNotFoundException"; empty where the service did not answer
  std::string reason = {};      ///< EBS direct's `Reason` ("INVALID_BLOCK_TOKEN"), else empty
  std::string request_id = {};  ///< of the last answer, for AWS support and the ledger
  int http_status = 0;          ///< 0 where nothing was answered
  int attempts = 0;
  /// The request may or may not have been carried out (time-out, reset or 5xx after it was sent). For calls that change the account: look for the
  /// run's tag before sending again.
  bool outcome_unknown = false;
};

/// A value or a ServiceError; converts to Result<T>.
template <typename T>
class [[nodiscard]] CallResult : public tl::expected<T, ServiceError> {
 public:
  using Base = tl::expected<T, ServiceError>;
  using Base::Base;
  CallResult(Base base) : Base(std::move(base)) {}                                 // NOLINT: `return f().map(…)` shall compile
  CallResult(Failure failure) : Base(tl::unexpect, std::move(failure).value()) {}  // NOLINT: `return fail(…)` shall compile
};

using CallFailure = tl::unexpected<ServiceError>;

/// Whether a DryRun call was refused only because it was one: the caller may do it.
inline bool is_dry_run_success(const ServiceError& error) { return error.aws_code == "DryRunOperation"; }

}  // namespace icecore::aws

#define ICECORE_CALL_INNER(RESULT, DECL, EXPR)                                \
  auto RESULT = (EXPR);                                                       \
  if (!RESULT) return ::icecore::aws::CallFailure(std::move(RESULT).error()); \
  DECL = std::move(*RESULT)

/// ICECORE_ASSIGN for functions that return CallResult: keeps the service's facts.
#define ICECORE_CALL(DECL, EXPR) ICECORE_CALL_INNER(ICECORE_CONCAT(icecore_call_, __LINE__), DECL, EXPR)
