// RFC 3161 time-stamps by OpenSSL: proof that a checkpoint existed at a time, by someone who is not us. The transport is the caller's: POST the
// request as application/timestamp-query, keep query and reply beside the checkpoint (.tsq, .tsr), check with `openssl ts -verify`.
#pragma once

#include <optional>
#include <string>

#include "core/bytes.h"
#include "core/file.h"
#include "core/timestamp.h"

namespace icecore::evidence {

/// The DER TimeStampReq for the SHA-256 of `data`, with a nonce and the wish for the authority's certificate.
Result<std::string> make_timestamp_query(std::string_view data);

struct TimestampReply {
  Timestamp time;      ///< genTime
  std::string serial;  ///< hex
  std::string policy;  ///< dotted OID
};

/// Checks the reply's status, imprint, nonce and signature. With `ca_file` (PEM) the authority's certificate must chain to it; without, the signature
/// is checked against the certificate in the reply only. kIntegrity where it does not fit, kRemote where the authority refused.
Result<TimestampReply> check_timestamp_reply(std::string_view data, std::string_view query, std::string_view reply,
                                             const std::optional<Path>& ca_file);

}  // namespace icecore::evidence
