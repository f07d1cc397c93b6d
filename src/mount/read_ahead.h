// Reads that go through a file in order are met by what they will want next, fetched in the background.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "mount/tree.h"

namespace icecore::mount {

/// Where a reader of one open file has got to, and what to fetch for it. Thread-safe. What is announced ahead is never more than what was read in
/// order before, so a reader that stops wastes at most half; it starts after kStart bytes in order.
class ReadPattern {
 public:
  static constexpr std::uint64_t kStart = 1 << 20;
  static constexpr std::uint64_t kWindow = 32 << 20;
  static constexpr std::uint64_t kSlack = 1 << 20;  ///< the kernel's own read-ahead arrives out of order

  /// Tells of a read; gives the range to fetch in the background now, if any.
  std::optional<image::ByteRange> on_read(std::uint64_t offset, std::uint64_t length, std::uint64_t file_size);

 private:
  std::mutex mutex_;
  std::uint64_t begin_ = 0;  // of the run in order
  std::uint64_t next_ = 0;   // its end so far
  std::uint64_t ahead_ = 0;  // announced up to here
};

/// An open file of the mount.
class OpenFile {
 public:
  explicit OpenFile(Content content) : content_(content) {}
  const Content& content() const { return content_; }
  /// At most out.size() bytes from `offset`; fewer only at the end.
  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) const;
  /// Asks the source for a range of the file. Errors are dropped: the read that needs the bytes will meet them.
  void fetch(const image::ByteRange& range) const;
  ReadPattern pattern;

 private:
  const Content content_;
  mutable std::once_flag extents_once_;
  mutable std::vector<fs::Extent> extents_;
};

/// A few threads for OpenFile::fetch. Work that finds the queue full is dropped.
class ReadAhead {
 public:
  explicit ReadAhead(std::size_t threads);
  ~ReadAhead();
  void submit(std::shared_ptr<const OpenFile> file, image::ByteRange range);

 private:
  struct Task {
    std::shared_ptr<const OpenFile> file;
    image::ByteRange range;
  };
  void work();
  static constexpr std::size_t kMostWaiting = 64;
  std::mutex mutex_;
  std::condition_variable there_is_work_;
  std::deque<Task> tasks_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace icecore::mount
