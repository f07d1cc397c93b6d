// A disk read in order by clusters of 512 KiB, several at a time. Internal to container/.
#pragma once

#include "container/disk_writer.h"
#include "core/hash.h"

namespace icecore::container {

inline constexpr std::uint64_t kExportCluster = 512 << 10;

struct DiskCluster {
  std::uint64_t index = 0;
  ByteView bytes;      ///< short only at the disk's end
  bool zeros = false;  ///< every byte of it
  Bytes packed;        ///< what `pack` made of it
  bool skip = false;   ///< set by `pack`: nothing to store
};

/// Calls `pack` (may be null) on several threads, then `store` in order. Progress counts bytes. Stops on interruption.
Result<void> stream_disk(const image::BlockSource& disk, const WriteOptions& options, const std::function<Result<void>(DiskCluster&)>& pack,
                         const std::function<Result<void>(const DiskCluster&)>& store);

/// A file that has its name only after commit().
class PartialFile {
 public:
  /// kConflict where `file` is there already.
  static Result<PartialFile> make(const Path& file);
  PartialFile(PartialFile&&) = default;
  ~PartialFile();
  Result<void> write(std::uint64_t offset, ByteView bytes) const { return write_exactly(file_.get(), bytes, offset, partial_); }
  Result<void> set_size(std::uint64_t size) const;
  Result<void> commit();

 private:
  PartialFile(Path final_path, Path partial, FileDescriptor file)
      : final_(std::move(final_path)), partial_(std::move(partial)), file_(std::move(file)) {}
  Path final_, partial_;
  FileDescriptor file_;
};

Result<void> refuse_existing(const Path& file);

}  // namespace icecore::container
