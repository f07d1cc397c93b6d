// A remote snapshot, as the EBS direct APIs show one: numbered 512 KiB blocks, of which only the written ones are listed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/hash.h"
#include "core/result.h"

namespace icecore::image {

/// EBS direct APIs: BlockSize is always 524,288.
inline constexpr std::uint64_t kBlockSize = 524'288;

struct ListedBlock {
  std::uint64_t index = 0;
  std::string token;  ///< lets it be fetched, for a while
};

struct BlockPage {
  std::vector<ListedBlock> blocks;       ///< ascending; may be empty although `next_page` is set
  std::optional<std::string> next_page;  ///< absent: nothing is written behind the last block
};

struct BlockAnswer {
  Sha256Digest sha256{};   ///< the service's checksum (x-amz-Checksum), not ours
  std::string request_id;  ///< x-amzn-RequestId, kept in blocks.db; may be empty
};

/// All functions are thread-safe, block, and retry what is worth retrying (throttling, resets, 5xx) within their own time budget; an error given
/// back is final for the caller's run. They return promptly with kInterrupted once interrupted() is true.
class BlockStore {
 public:
  virtual ~BlockStore() = default;

  /// The snapshot's id.
  virtual std::string id() const = 0;

  /// Bytes; a multiple of kBlockSize (EBS volumes are whole GiB).
  virtual std::uint64_t volume_size() const = 0;

  /// The next page: after `page` where it is given, else of the written blocks from index `from` on. Pages hold what the service likes to put in
  /// them; ask for the most (10,000).
  virtual Result<BlockPage> list(std::uint64_t from, const std::optional<std::string>& page) = 0;

  /// Fills `out` (kBlockSize bytes) with a block. The length is checked here; the SHA-256 need not be: the image hashes every block, compares
  /// with the answer, and asks again on a difference (hashing twice would halve the rate on two cores). kConflict: the token is not valid any more
  /// (the image lists again). kIntegrity: the store checked it itself and gave up.
  virtual Result<BlockAnswer> get(std::uint64_t index, const std::string& token, std::span<std::byte> out) = 0;
};

}  // namespace icecore::image
