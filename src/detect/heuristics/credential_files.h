// Files in people's homes that hold credentials, and the access keys in them.
#pragma once

#include <string>
#include <vector>

#include "detect/scene.h"

namespace icecore::detect {

struct CredentialFile {
  machine::FileRef file;
  std::string name;  ///< within the home: ".aws/credentials"
  std::string user;
  std::string home;
  std::vector<std::string> keys;  ///< AWS access key ids (not the secrets)
};

/// Of every home. Only AWS's own formats are read for keys.
Result<std::vector<CredentialFile>> credential_files(const Scene& scene);

}  // namespace icecore::detect
