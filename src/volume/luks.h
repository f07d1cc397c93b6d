// LUKS1 and LUKS2 volumes opened with a key that the user gives. The header and the key derivation are libcryptsetup's; the sectors are decrypted
// here with OpenSSL, because libcryptsetup itself only reads through the kernel's device-mapper.
#pragma once

#include <string>
#include <vector>

#include "core/bytes.h"
#include "image/block_source.h"

namespace icecore::volume {

/// A passphrase or the content of a key file, as cryptsetup takes them.
struct LuksKey {
  std::string secret;
  std::string origin;  ///< for messages: the file it was read from
};

/// What the volume says of itself before any key.
struct LuksHeader {
  int version = 0;
  std::string uuid;
  std::string label;  ///< of LUKS2
};
/// kNotFound where there is no header of either version.
Result<LuksHeader> read_luks_header(const image::BlockSource& source);

/// The decrypted volume. kPermission where no key fits; kUnsupported for a cipher other than aes-xts-plain64, aes-xts-plain, aes-cbc-essiv:sha256 and
/// aes-cbc-plain64, and for LUKS2 segments that are no plain encryption; kCorrupt for a damaged header.
Result<image::SourcePtr> open_luks(image::SourcePtr source, const std::vector<LuksKey>& keys);

}  // namespace icecore::volume
