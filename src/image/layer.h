// A copy-on-write layer: a disk that can be written to, over a source that never is. Changes go to one sparse file, by blocks of 4 KiB.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <vector>

#include "core/file.h"
#include "image/block_source.h"

namespace icecore::image {

/// The file: a header; a map of the blocks that were changed, as of now; the same as of the last flush; the changed blocks at their own offset.
/// docs/mount.md says what is promised: after the program was killed every write that returned is there; after the machine has lost power every write
/// before the last flush is, as on a disk with a write cache. Thread-safe; writes go one after the other.
class Layer final : public BlockSource {
 public:
  static constexpr std::uint64_t kBlock = 4096;

  /// Opens or makes the layer. `identity` names what `base` is: kConflict where the layer was made over something else. kBusy where another program
  /// has it open. kIntegrity where the file was cut short, kInvalidArgument where it is no layer. `boot` names this start of the machine (tests give
  /// their own); empty: the kernel's.
  static Result<std::shared_ptr<Layer>> open(const Path& file, SourcePtr base, const std::string& identity, std::string boot = "");
  /// Removes a layer's file: kNotFound, kBusy while it is mounted, kInvalidArgument where the file is no layer. Gives how many bytes were changed.
  static Result<std::uint64_t> discard_file(const Path& file);

  /// Flushes and marks the layer as closed in order.
  ~Layer() override;

  std::uint64_t size() const override { return base_->size(); }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override;
  Result<void> prefetch(std::span<const ByteRange> ranges) const override { return base_->prefetch(ranges); }
  std::string name() const override { return base_->name() + " (changed copy)"; }

  /// The whole range lies inside, or it is kInvalidArgument.
  Result<void> write(std::uint64_t offset, ByteView bytes);
  /// Makes a range zeros and gives its space back.
  Result<void> write_zeros(std::uint64_t offset, std::uint64_t length);
  /// When it returns, every write that returned before survives a power loss.
  Result<void> flush();
  std::uint64_t changed_bytes() const;

 private:
  // Bits of 64 MiB of the disk.
  static constexpr std::uint64_t kChunkBlocks = 16384;
  static constexpr std::uint64_t kChunkBytes = kChunkBlocks / 8;
  using Bits = std::vector<std::byte>;

  Layer(Path path, FileDescriptor file, SourcePtr base);
  Result<void> create(const std::string& identity);
  Result<void> load(const std::string& identity);
  Result<void> load_map(std::uint64_t offset);
  Result<void> mark_open(bool clean);
  Result<void> check_inside(std::uint64_t offset, std::uint64_t length) const;
  bool is_changed(std::uint64_t block) const;
  Result<void> mark_changed(std::uint64_t first, std::uint64_t end);
  Result<void> write_through(std::uint64_t offset, ByteView bytes);
  Result<void> write_part(std::uint64_t block, std::uint64_t within, ByteView bytes);
  Result<void> store_chunk(std::uint64_t chunk, std::uint64_t map_offset) const;
  Result<void> sync() const;
  std::uint64_t map_bytes() const;
  std::uint64_t safe_map() const;
  std::uint64_t data() const;

  const Path path_;
  const FileDescriptor file_;
  const SourcePtr base_;
  std::string boot_;
  bool opened_ = false;
  std::mutex write_mutex_;
  mutable std::shared_mutex map_mutex_;  // guards map_
  std::map<std::uint64_t, Bits> map_;
  std::set<std::uint64_t> unsafe_chunks_;  // changed since the last flush; under write_mutex_
  bool dirty_ = false;
};

}  // namespace icecore::image
