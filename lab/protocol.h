// How each service writes its errors and names its problems.
#pragma once

#include <string>

#include "auth/authenticator.h"
#include "http/message.h"
#include "util/api_error.h"

namespace icelab {

// Services: "ec2" (EC2 Query), "sts" and "iam" (Query), "cloudtrail" (JSON 1.1), "ebs" (REST-JSON).
Reply error_reply(const std::string& service, const ApiError& error, const std::string& request_id);

ApiError auth_error(const std::string& service, const AuthFailure& failure);
ApiError throttle_error(const std::string& service);
ApiError server_error(const std::string& service);

}  // namespace icelab
