#include "image/gathered_writer.h"

#include <sys/uio.h>
#include <algorithm>
#include <array>

namespace icecore::image {
namespace {

// Of 512 KiB each; far below IOV_MAX.
constexpr std::size_t kLongestRun = 32;

bool aligned(std::uint64_t value) { return value % GatheredWriter::kAlignment == 0; }

}  // namespace

bool GatheredWriter::write(std::uint64_t offset, ByteView bytes) {
  if (!file_ || !aligned(offset) || !aligned(bytes.size()) || !aligned(reinterpret_cast<std::uintptr_t>(bytes.data()))) return false;
  Piece mine{.offset = offset, .bytes = bytes};
  std::unique_lock lock(mutex_);
  waiting_.push_back(&mine);
  while (!mine.done) {
    if (busy_) {
      written_.wait(lock);
      continue;
    }
    busy_ = true;
    const std::vector<Piece*> pieces = std::exchange(waiting_, {});
    lock.unlock();
    write_all(pieces);
    lock.lock();
    for (Piece* piece : pieces) piece->done = true;
    busy_ = false;
    written_.notify_all();
  }
  return mine.written;
}

void GatheredWriter::write_all(std::vector<Piece*> pieces) const {
  std::ranges::sort(pieces, {}, &Piece::offset);
  for (std::size_t first = 0, end = 0; first < pieces.size(); first = end) {
    end = first + 1;
    while (end < pieces.size() && end - first < kLongestRun && pieces[end]->offset == pieces[end - 1]->offset + pieces[end - 1]->bytes.size()) ++end;
    const std::span<Piece* const> run(pieces.data() + first, end - first);
    const bool written = write_run(run);
    for (Piece* piece : run) piece->written = written;
  }
}

bool GatheredWriter::write_run(std::span<Piece* const> run) const {
  std::array<iovec, kLongestRun> vectors{};
  std::size_t length = 0;
  for (std::size_t i = 0; i < run.size(); ++i) {
    vectors[i] = {.iov_base = const_cast<std::byte*>(run[i]->bytes.data()), .iov_len = run[i]->bytes.size()};  // an iovec serves reading too
    length += run[i]->bytes.size();
  }
  const ssize_t written = ::pwritev(file_.get(), vectors.data(), static_cast<int>(run.size()), static_cast<off_t>(run.front()->offset));
  return written == static_cast<ssize_t>(length);
}

}  // namespace icecore::image
