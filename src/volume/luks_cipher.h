// Sectors of dm-crypt, decrypted. Source: Linux drivers/md/dm-crypt.c.
#pragma once

#include <string>

#include "image/block_source.h"

namespace icecore::volume {

struct CryptParameters {
  std::string cipher;  ///< "aes"
  std::string mode;    ///< "xts-plain64", "cbc-essiv:sha256", …
  Bytes key;
  std::uint32_t sector_size = 512;
  std::uint64_t data_offset = 0;  ///< bytes: where the encrypted sectors begin
  std::uint64_t iv_offset = 0;    ///< 512-byte sectors added to the sector's number
};

/// The part of `source` from data_offset, decrypted as it is read. kUnsupported for another cipher or key size.
Result<image::SourcePtr> open_crypt(image::SourcePtr source, CryptParameters parameters, const std::string& name);

}  // namespace icecore::volume
