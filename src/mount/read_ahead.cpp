#include "mount/read_ahead.h"

#include <algorithm>

namespace icecore::mount {

std::optional<image::ByteRange> ReadPattern::on_read(std::uint64_t offset, std::uint64_t length, std::uint64_t file_size) {
  const std::scoped_lock lock(mutex_);
  const bool in_order = offset + kSlack >= next_ && offset <= next_ + kSlack && offset + length > begin_;
  if (!in_order) {
    begin_ = offset;
    next_ = ahead_ = offset + length;
    return std::nullopt;
  }
  next_ = std::max(next_, offset + length);
  ahead_ = std::max(ahead_, next_);
  const std::uint64_t run = next_ - begin_;
  if (run < kStart) return std::nullopt;
  const std::uint64_t wanted = std::min(next_ + std::min(run, kWindow), file_size);
  // In rounds of half a window: one by one they would each be too short to be fetched side by side.
  if (wanted <= ahead_ || (wanted - ahead_ < std::min(run, kWindow) / 2 && wanted != file_size)) return std::nullopt;
  const image::ByteRange range{ahead_, wanted - ahead_};
  ahead_ = wanted;
  return range;
}

Result<std::size_t> OpenFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  if (offset >= content_.size) return std::size_t{0};
  const auto piece = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), content_.size - offset)));
  if (content_.filesystem != nullptr) return content_.filesystem->read(content_.inode, offset, piece);
  ICECORE_CHECK(content_.source->read(offset, piece));
  return piece.size();
}

void OpenFile::fetch(const image::ByteRange& range) const {
  if (content_.source != nullptr) {
    (void)content_.source->prefetch({&range, 1});
    return;
  }
  std::call_once(extents_once_, [this] { extents_ = content_.filesystem->extents(content_.inode).value_or(std::vector<fs::Extent>()); });
  std::vector<image::ByteRange> wanted;
  const std::uint64_t end = range.offset + range.length;
  for (const fs::Extent& extent : extents_) {
    const std::uint64_t from = std::max(range.offset, extent.file_offset);
    const std::uint64_t to = std::min(end, extent.file_offset + extent.length);
    if (from < to && !extent.unwritten) wanted.push_back({extent.source_offset + (from - extent.file_offset), to - from});
  }
  if (!wanted.empty()) (void)content_.filesystem->source().prefetch(wanted);
}

ReadAhead::ReadAhead(std::size_t threads) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

ReadAhead::~ReadAhead() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    tasks_.clear();
  }
  there_is_work_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ReadAhead::submit(std::shared_ptr<const OpenFile> file, image::ByteRange range) {
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_ || tasks_.size() >= kMostWaiting) return;
    tasks_.push_back({std::move(file), range});
  }
  there_is_work_.notify_one();
}

void ReadAhead::work() {
  for (;;) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      there_is_work_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (stopping_) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    try {
      task.file->fetch(task.range);
    } catch (const std::exception&) {  // bad_alloc: the reader will meet it
    }
  }
}

}  // namespace icecore::mount
