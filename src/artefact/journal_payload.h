// The content of a data object: unpacked, and checked against its hash.
#pragma once

#include <cstdint>
#include <string>

#include "core/bytes.h"
#include "core/result.h"

namespace icecore::artefact::journal {

/// At most `limit` bytes of what a payload packed with `flag` (journal_format.h, ObjectFlag; 0 for none) unpacks to. kCorrupt, kUnsupported.
Result<std::string> unpack(ByteView payload, std::uint8_t flag, std::size_t limit);

/// SipHash-2-4 with the file's id as key: the hash of data in files with keyed hashes (systemd 246 and later).
std::uint64_t keyed_hash(ByteView key16, ByteView data);

}  // namespace icecore::artefact::journal
