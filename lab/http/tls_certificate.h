// A certificate authority made for one run, and a certificate of it for loopback names.
#pragma once

#include <string>

namespace icelab {

struct MadeCertificate {
  std::string authority;    // PEM file: what AWS_CA_BUNDLE wants
  std::string certificate;  // PEM file
  std::string key;          // PEM file, mode 0600
};

// Writes the three files into `directory`. Throws std::runtime_error.
MadeCertificate make_certificate(const std::string& directory);

}  // namespace icelab
