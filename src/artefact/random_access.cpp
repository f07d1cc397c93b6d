#include "artefact/random_access.h"

#include <algorithm>
#include <cstring>

namespace icecore::artefact {
namespace {

constexpr std::uint64_t kPiece = 256 << 10;
constexpr std::size_t kKept = 32;

Result<void> check(std::uint64_t offset, std::size_t length, std::uint64_t size) {
  if (offset > size || length > size - offset) return fail(Code::kCorrupt, "a reference beyond the end of the file", Location{"", offset});
  return {};
}

}  // namespace

Result<void> MemoryAccess::read(std::uint64_t offset, std::span<std::byte> out) {
  ICECORE_CHECK(check(offset, out.size(), bytes_.size()));
  if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
  return {};
}

Result<const Bytes*> FileAccess::piece(std::uint64_t index) {
  if (const auto found = by_index_.find(index); found != by_index_.end()) {
    pieces_.splice(pieces_.begin(), pieces_, found->second);
    return &pieces_.front().bytes;
  }
  Piece piece{index, Bytes(std::min(kPiece, size() - index * kPiece))};
  ICECORE_ASSIGN(const std::size_t count, machine_.read_at(file_, index * kPiece, piece.bytes));
  piece.bytes.resize(count);
  if (pieces_.size() == kKept) {
    by_index_.erase(pieces_.back().index);
    pieces_.pop_back();
  }
  pieces_.push_front(std::move(piece));
  by_index_[index] = pieces_.begin();
  return &pieces_.front().bytes;
}

Result<void> FileAccess::read(std::uint64_t offset, std::span<std::byte> out) {
  ICECORE_CHECK(check(offset, out.size(), size()));
  while (!out.empty()) {
    ICECORE_ASSIGN(const Bytes* bytes, piece(offset / kPiece));
    const std::size_t start = offset % kPiece;
    if (start >= bytes->size()) return fail(Code::kCorrupt, "the file ends before its size", Location{"", offset});
    const std::size_t count = std::min(out.size(), bytes->size() - start);
    std::memcpy(out.data(), bytes->data() + start, count);
    out = out.subspan(count);
    offset += count;
  }
  return {};
}

}  // namespace icecore::artefact
