#include "world/block_image.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "util/digest.h"
#include "util/encoding.h"

namespace icelab {
namespace {

bool all_zero(std::string_view bytes) { return bytes.find_first_not_of('\0') == std::string_view::npos; }

[[noreturn]] void fail(const std::string& path, const char* what) {
  throw std::runtime_error(fmt::format("{}: {}: {}", path, what, std::strerror(errno)));
}

// Fills `out` from `offset`; what lies past the end of the file stays as it is.
void read_at(int fd, std::uint64_t offset, std::string& out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw std::runtime_error(fmt::format("cannot read an image at {}: {}", offset, std::strerror(errno)));
    if (got == 0) return;
    done += static_cast<std::size_t>(got);
  }
}

}  // namespace

BlockFile::BlockFile(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (fd_ < 0) fail(path, "cannot open image");
  struct stat status {};
  if (::fstat(fd_, &status) != 0) fail(path, "cannot stat image");
  size_ = static_cast<std::uint64_t>(status.st_size);
  block_count_ = static_cast<BlockIndex>((size_ + kBlockSize - 1) / kBlockSize);
  state_.resize(block_count_);
  off_t at = 0;
  while ((at = ::lseek(fd_, at, SEEK_DATA)) >= 0) {
    const off_t end = ::lseek(fd_, at, SEEK_HOLE);
    if (end <= at) break;
    const auto first = static_cast<BlockIndex>(static_cast<std::uint64_t>(at) / kBlockSize);
    const auto last = static_cast<BlockIndex>((static_cast<std::uint64_t>(end) - 1) / kBlockSize);
    if (!extents_.empty() && extents_.back().second + 1 >= first) {
      extents_.back().second = std::max(extents_.back().second, last);
    } else {
      extents_.emplace_back(first, last);
    }
    at = end;
  }
}

BlockFile::~BlockFile() {
  if (fd_ >= 0) ::close(fd_);
}

bool BlockFile::is_written(BlockIndex index) {
  {
    const std::lock_guard lock(mutex_);
    if (state_[index] != 0) return state_[index] == 2;
  }
  // Most blocks show a byte in their first page, so that a listing of a big disk reads little of it.
  std::string bytes(4096, '\0');
  read_at(fd_, std::uint64_t{index} * kBlockSize, bytes);
  const bool written = !all_zero(bytes) || !all_zero(read(index));
  const std::lock_guard lock(mutex_);
  state_[index] = written ? 2 : 1;
  return written;
}

std::optional<BlockIndex> BlockFile::next_written(BlockIndex from) {
  auto extent = std::lower_bound(extents_.begin(), extents_.end(), from, [](const auto& range, BlockIndex wanted) { return range.second < wanted; });
  for (; extent != extents_.end(); ++extent) {
    for (BlockIndex index = std::max(from, extent->first); index <= extent->second; ++index) {
      if (is_written(index)) return index;
    }
  }
  return std::nullopt;
}

std::string BlockFile::read(BlockIndex index) const {
  std::string bytes(kBlockSize, '\0');
  read_at(fd_, std::uint64_t{index} * kBlockSize, bytes);
  return bytes;
}

std::string BlockFile::checksum(BlockIndex index) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = checksums_.find(index); found != checksums_.end()) return found->second;
  }
  std::string sum = base64_encode(sha256(read(index)));
  const std::lock_guard lock(mutex_);
  return checksums_.emplace(index, std::move(sum)).first->second;
}

std::shared_ptr<const BlockPiece> piece_from_bytes(std::string bytes) {
  bytes.resize(kBlockSize, '\0');
  auto piece = std::make_shared<BlockPiece>();
  piece->checksum = base64_encode(sha256(bytes));
  piece->zero = all_zero(bytes);
  piece->bytes = std::move(bytes);
  return piece;
}

std::shared_ptr<const BlockPiece> piece_from_file(const std::string& path) {
  BlockFile file(path);
  auto piece = std::make_shared<BlockPiece>();
  const std::string bytes = file.read(0);
  piece->path = path;
  piece->checksum = base64_encode(sha256(bytes));
  piece->zero = all_zero(bytes);
  return piece;
}

std::optional<BlockIndex> BlockImage::next_written(BlockIndex from) const {
  auto piece = pieces_.lower_bound(from);
  std::optional<BlockIndex> in_base = base_ ? base_->next_written(from) : std::nullopt;
  for (;;) {
    const bool piece_first = piece != pieces_.end() && (!in_base || piece->first <= *in_base);
    if (!piece_first) return in_base;
    if (!piece->second->zero) return piece->first;
    // A piece of zeros hides the file's block.
    if (in_base == piece->first) in_base = base_->next_written(*in_base + 1);
    ++piece;
  }
}

std::string BlockImage::read(BlockIndex index) const {
  if (const auto piece = pieces_.find(index); piece != pieces_.end())
    return piece->second->path.empty() ? piece->second->bytes : BlockFile(piece->second->path).read(0);
  return base_ ? base_->read(index) : std::string(kBlockSize, '\0');
}

std::string BlockImage::checksum(BlockIndex index) const {
  if (const auto piece = pieces_.find(index); piece != pieces_.end()) return piece->second->checksum;
  return base_ ? base_->checksum(index) : base64_encode(sha256(std::string(kBlockSize, '\0')));
}

bool BlockImage::same_block(const BlockImage& other, BlockIndex index) const {
  const bool pieces = pieces_.contains(index) || other.pieces_.contains(index);
  if (!pieces && base_ == other.base_) return true;
  return checksum(index) == other.checksum(index);
}

std::shared_ptr<const BlockImage> BlockImage::with(BlockIndex index, std::string bytes) const {
  BlockPieces pieces = pieces_;
  pieces[index] = piece_from_bytes(std::move(bytes));
  return std::make_shared<BlockImage>(base_, std::move(pieces));
}

}  // namespace icelab
