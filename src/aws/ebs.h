// Amazon EBS direct APIs (REST-JSON, 2019-11-02): the blocks of a snapshot. A block is 512 KiB; only written blocks are listed, ascending; an
// unlisted block is zeros. Thread-safe: many threads fetch through one client.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/call.h"
#include "core/hash.h"

namespace icecore::aws {

inline constexpr std::size_t kBlockBytes = 524'288;

struct ListedBlock {
  std::uint64_t index = 0;
  std::string token = {};  ///< lives 7 days; every new listing gives another
};

struct BlockPage {
  std::vector<ListedBlock> blocks = {};        ///< ascending; may be empty although more follow
  std::optional<std::string> next_token = {};  ///< lives 60 minutes; absent: that was the last page
  std::uint64_t volume_size_gib = 0;
  std::uint64_t block_size = kBlockBytes;  ///< any other size is refused as kUnsupported
  std::optional<Timestamp> expiry = {};    ///< of the block tokens
};

struct ChangedBlock {
  std::uint64_t index = 0;
  std::string first_token = {}, second_token = {};  ///< empty: the block is not written in that snapshot
};

struct ChangedPage {
  std::vector<ChangedBlock> blocks = {};
  std::optional<std::string> next_token = {};
  std::uint64_t volume_size_gib = 0;
};

/// A block whose length and SHA-256 have been checked against the reply's headers.
struct VerifiedBlock {
  Bytes bytes = {};     ///< kBlockBytes of them
  Sha256Digest digest;  ///< computed here, equal to x-amz-Checksum
};

/// A block whose length has been checked, and what the service says its SHA-256 is. To be hashed before anything is used of it.
struct StatedBlock {
  Bytes bytes = {};
  Sha256Digest stated;
};

class Ebs {
 public:
  Ebs(CallExecutor& executor, std::string origin, std::string region) : executor_(executor), origin_(std::move(origin)), region_(std::move(region)) {}

  struct ListRequest {
    std::string snapshot = {};
    std::optional<std::uint64_t> starting_block = std::nullopt;  ///< ignored by AWS when a page token is given
    std::optional<std::string> page_token = std::nullopt;
    std::uint32_t max_results = 10'000;   ///< 100–10,000
    std::int64_t not_found_grace_ms = 0;  ///< for a snapshot that completed a moment ago
  };
  /// One page. kNotFound for a snapshot the EBS direct APIs do not show: pending, public, archived or of another account.
  CallResult<BlockPage> list_snapshot_blocks(const ListRequest& request);

  struct ChangedRequest {
    std::string first_snapshot = {}, second_snapshot = {};
    std::optional<std::uint64_t> starting_block = std::nullopt;
    std::optional<std::string> page_token = std::nullopt;
    std::uint32_t max_results = 10'000;
  };
  CallResult<ChangedPage> list_changed_blocks(const ChangedRequest& request);

  /// Length and SHA-256 are verified inside the retry loop: a damaged body is fetched again, and one that stays damaged is kIntegrity. An expired
  /// token is ServiceError::reason INVALID_BLOCK_TOKEN (list again). `buffer` lends memory; errors name snapshot and block.
  CallResult<VerifiedBlock> get_snapshot_block(const std::string& snapshot, std::uint64_t index, const std::string& token, Bytes buffer = {});

  /// The same without the SHA-256, for a caller that hashes every block anyway and asks again itself (the on-demand image): hashing twice would cost
  /// a third of the rate.
  CallResult<StatedBlock> get_unhashed_block(const std::string& snapshot, std::uint64_t index, const std::string& token, Bytes buffer = {});

  struct StartRequest {
    std::uint64_t volume_size_gib = 1;
    std::string description = {}, client_token = {};  ///< client_token is required: it makes the call repeatable
    std::string parent_snapshot = {};
    std::vector<NameValue> tags = {};
    std::uint32_t timeout_minutes = 60;  ///< 10–4,320: how long the snapshot waits for the next block before AWS gives it up
  };
  /// The new snapshot's id.
  CallResult<std::string> start_snapshot(const StartRequest& request);
  /// `bytes` is kBlockBytes long.
  CallResult<void> put_snapshot_block(const std::string& snapshot, std::uint64_t index, ByteView bytes);
  /// `linear` is the SHA-256 over the blocks' SHA-256s (raw bytes) by rising index: AWS holds it against what it has.
  CallResult<void> complete_snapshot(const std::string& snapshot, std::uint64_t changed_blocks, const std::optional<Sha256Digest>& linear = {});

  const std::string& region() const { return region_; }

 private:
  CallResult<CallReply> get_block(const std::string& snapshot, std::uint64_t index, const std::string& token, Bytes buffer,
                                  std::function<std::optional<std::string>(const HttpReply&)> damage);

  CallExecutor& executor_;
  std::string origin_, region_;
};

/// The reply of ListSnapshotBlocks and ListChangedBlocks; kCorrupt where it is not what the model says (order, sizes, types).
Result<BlockPage> parse_block_page(std::string_view body);
Result<ChangedPage> parse_changed_page(std::string_view body);

}  // namespace icecore::aws
