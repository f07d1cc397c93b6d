// What a reply means: done, try again, or an error in our words. Pure functions, so that every retry rule can be tested on values.
#pragma once

#include <string>

#include "aws/error.h"
#include "aws/http.h"
#include "aws/operations.h"

namespace icecore::aws {

/// How errors are spelled in replies.
enum class Protocol { kEc2Query, kQuery, kJson, kRestJson };

enum class Next {
  kDone,
  kRetry,               ///< passing trouble: 5xx, a broken connection
  kThrottled,           ///< too fast; certainly not carried out
  kFixClock,            ///< the signature's time is off: correct the clock from the Date header and sign again
  kRefreshCredentials,  ///< the session token has expired
  kNotFound,            ///< final, save right after creation
  kFail
};

struct Verdict {
  Next next = Next::kFail;
  bool not_sent = false;         ///< the service has certainly not seen it
  bool outcome_unknown = false;  ///< it may have been carried out
  ServiceError error;            ///< unless kDone
};

/// The error that a reply spells, whatever the protocol; empty members where it does not.
struct AwsError {
  std::string code = {}, message = {}, reason = {}, request_id = {};
};
AwsError read_error(Protocol protocol, const HttpReply& reply);

/// From the headers, or from the body of EC2's and STS's XML.
std::string request_id(const HttpReply& reply);

Verdict judge(const Operation& operation, Protocol protocol, const HttpResult& result);

}  // namespace icecore::aws
