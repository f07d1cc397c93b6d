// The few things that are done to image.raw, as an interface, so that a test can put a disk in its place that loses power.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "core/file.h"

namespace icecore::image {

/// Thread-safe.
class ImageFile {
 public:
  virtual ~ImageFile() = default;
  virtual Result<void> read(std::uint64_t offset, std::span<std::byte> out) const = 0;
  /// Says that a range will be read soon, so that the disk can begin. A hint: nothing is told of it.
  virtual void will_read(std::uint64_t offset, std::uint64_t length) const { (void)offset, (void)length; }
  virtual Result<void> write(std::uint64_t offset, ByteView bytes) = 0;
  /// The same for bytes that nobody reads soon: past the page cache where the filesystem and the alignment (4 KiB, of the memory too) allow it.
  virtual Result<void> write_past_cache(std::uint64_t offset, ByteView bytes) { return write(offset, bytes); }
  /// Lets a range share its blocks with the same range of another file of the same filesystem (XFS, btrfs); false where that cannot be, and nothing
  /// was changed.
  virtual bool share(int from, std::uint64_t offset, std::uint64_t length) {
    (void)from, (void)offset, (void)length;
    return false;
  }
  /// When it returns, everything written before the call survives a power loss.
  virtual Result<void> sync() = 0;
  /// Makes a range a hole: it reads as zeros.
  virtual Result<void> discard(std::uint64_t offset, std::uint64_t length) = 0;
  /// Calls `visit` for each range that is no hole, in order (the filesystem's view: it may hold zeros too).
  virtual Result<void> for_each_extent(const std::function<Result<void>(std::uint64_t offset, std::uint64_t length)>& visit) const = 0;
};

/// Opens or makes a sparse file of `size` bytes (0600); kIntegrity where it is there with another size.
Result<std::unique_ptr<ImageFile>> open_image_file(const Path& path, std::uint64_t size);
/// Read-only, for verification; any size. write, sync and discard are kInternal.
Result<std::unique_ptr<ImageFile>> open_image_file_read_only(const Path& path, std::uint64_t& size);

}  // namespace icecore::image
