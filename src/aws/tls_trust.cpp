#include "aws/tls_trust.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <filesystem>

namespace icecore::aws {

Result<TrustStore> load_trust_store(const std::string& ca_bundle) {
  TrustStore store(X509_STORE_new(), &X509_STORE_free);
  if (!store) return fail(Code::kInternal, "out of memory for certificates");
  std::error_code ignored;
  int loaded = 0;
  if (ca_bundle.empty()) {
    loaded = X509_STORE_set_default_paths(store.get());
  } else if (std::filesystem::is_directory(ca_bundle, ignored)) {
    loaded = X509_STORE_load_path(store.get(), ca_bundle.c_str());
  } else {
    loaded = X509_STORE_load_file(store.get(), ca_bundle.c_str());
  }
  if (loaded == 1) return store;
  ERR_clear_error();
  return fail(Code::kInvalidArgument, fmt::format("the CA bundle '{}' cannot be read as PEM certificates; check --ca-bundle, AWS_CA_BUNDLE and the "
                                                  "profile's ca_bundle",
                                                  ca_bundle));
}

}  // namespace icecore::aws
