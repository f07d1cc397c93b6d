// blocks.db: which blocks of a snapshot are here, with their SHA-256, and which are known to exist (docs/image.md). SQLite, one connection.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/hash.h"
#include "image/bitmap.h"
#include "image/sqlite.h"

namespace icecore::image {

struct BlockRecord {
  std::uint64_t index = 0;
  Sha256Digest sha256{};
  std::string request_id;
};

/// A running hash over the rows of blocks.db in the order in which they were recorded: rows only ever come behind, so what was sealed once can be
/// checked for ever. H(0) is 32 zero bytes, H(n) = SHA-256(H(n-1) ‖ index as 8 bytes little-endian ‖ sha256 ‖ request id).
struct BlockLog {
  std::uint64_t blocks = 0;
  Sha256Digest hash{};
  void add(const BlockRecord& record);
};

/// Which blocks the snapshot has, as far as it was listed.
struct Listing {
  explicit Listing(std::uint64_t blocks) : listed(blocks), written(blocks) {}
  Bitmap listed;   ///< it is known whether the block is written
  Bitmap written;  ///< it is
};

/// Thread-safe.
class BlockDatabase {
 public:
  struct Identity {
    std::string snapshot;
    std::uint64_t volume_size = 0;
  };

  /// Opens or makes it. kConflict where it is of another snapshot or size, kIntegrity where SQLite finds it damaged, kUnsupported for a newer format.
  static Result<std::unique_ptr<BlockDatabase>> open(const Path& path, const Identity& identity);
  /// Opens what is there.
  static Result<std::unique_ptr<BlockDatabase>> open_existing(const Path& path);
  /// Reads without writing beside it: with a journal of a killed run it is copied first (to the system's temporary folder).
  static Result<std::unique_ptr<BlockDatabase>> open_read_only(const Path& path);
  ~BlockDatabase();

  const Identity& identity() const { return identity_; }
  std::uint64_t block_count() const;

  /// Adds rows and the changed parts of the listing, in one transaction. Rows must not be there yet.
  Result<void> record(std::span<const BlockRecord> records, const Listing* listing, std::span<const std::uint64_t> changed_chunks);

  Result<std::optional<BlockRecord>> find(std::uint64_t index) const;
  /// Rows in the order of recording; `visit` gets the row's number too.
  Result<void> for_each_recorded(const std::function<Result<void>(std::uint64_t sequence, const BlockRecord&)>& visit) const;
  /// Rows in the order of the image.
  Result<void> for_each_in_order(const std::function<Result<void>(const BlockRecord&)>& visit) const;
  Result<void> load_listing(Listing& listing) const;

  BlockLog log() const;
  Result<std::optional<std::string>> meta(std::string_view key) const;
  Result<void> set_meta(std::string_view key, std::string_view value);

  /// Folds the write-ahead log in and closes: one file remains. Nothing may be called afterwards.
  Result<void> close();

  /// Blocks in one row of the listing.
  static constexpr std::uint64_t kChunk = 8192;

 private:
  explicit BlockDatabase(Connection connection) : connection_(std::move(connection)) {}
  Result<void> initialise(const Identity& identity);
  Result<void> load_identity();
  Result<void> load_log();
  Result<void> visit_rows(std::string_view sql, const std::function<Result<void>(std::uint64_t, const BlockRecord&)>& visit) const;
  Result<void> insert(std::span<const BlockRecord> records, BlockLog& log) const;
  Result<void> store_listing(const Listing& listing, std::span<const std::uint64_t> chunks) const;

  mutable std::recursive_mutex mutex_;  // visitors may call back
  Connection connection_;
  Path copy_;  // of a database with a journal, removed with the object
  Identity identity_;
  BlockLog log_;
};

}  // namespace icecore::image
