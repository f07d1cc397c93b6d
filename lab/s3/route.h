// Which S3 call a request means: path style, the bucket first.
#pragma once

#include <string>

#include "http/message.h"

namespace icelab {

// Decided by the credential's scope: every S3 request is signed for "s3".
bool is_s3(const Request& request);

// "PutObject" and so on; empty when it is none that the lab has.
std::string s3_action(const Request& request);

struct Call;
Reply serve_s3(Call& call);

}  // namespace icelab
