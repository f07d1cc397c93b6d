// The trusted certificates, loaded once and shared by all connections: libcurl would parse the bundle anew for each of 64 handles.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>

#include "core/result.h"

namespace icecore::aws {

using TrustStore = std::shared_ptr<X509_STORE>;

/// The certificates of `ca_bundle` (PEM file, or a hashed folder), or the system's where it is empty. kInvalidArgument where none can be read.
Result<TrustStore> load_trust_store(const std::string& ca_bundle);

}  // namespace icecore::aws
