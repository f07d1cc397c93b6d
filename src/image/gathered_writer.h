// Whole blocks past the page cache, in as few and as long writes as the threads that bring them allow. Internal to image/.
#pragma once

#include <condition_variable>
#include <mutex>
#include <span>
#include <vector>

#include "core/file.h"

namespace icecore::image {

/// Filesystems let one thread at a time write into a file's holes, for as long as the disk takes. So who finds the file busy leaves his block to the
/// thread that writes next, which takes all that wait, and those that lie side by side as one (a group commit). Thread-safe.
class GatheredWriter {
 public:
  /// What every disk's and filesystem's O_DIRECT is content with: of offset, length and memory.
  static constexpr std::uint64_t kAlignment = 4096;

  /// `file` is opened with O_DIRECT, or is nothing: then nothing is ever written.
  explicit GatheredWriter(FileDescriptor file) : file_(std::move(file)) {}

  /// Returns when the bytes are written: by this thread or by another. False where they are not (no O_DIRECT here, not aligned, or any error): the
  /// caller writes them through the page cache, and hears from there what is wrong.
  bool write(std::uint64_t offset, ByteView bytes);

 private:
  struct Piece {
    std::uint64_t offset;
    ByteView bytes;
    bool done = false, written = false;
  };
  void write_all(std::vector<Piece*> pieces) const;
  bool write_run(std::span<Piece* const> run) const;

  const FileDescriptor file_;
  std::mutex mutex_;
  std::condition_variable written_;
  std::vector<Piece*> waiting_;
  bool busy_ = false;
};

}  // namespace icecore::image
