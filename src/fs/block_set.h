// Sets of blocks (or bytes) as spans, and the cutting of old extents along what is in use now.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "fs/deleted_file.h"

namespace icecore::fs {

/// [start, end).
struct BlockSpan {
  std::uint64_t start = 0, end = 0;
};

/// Disjoint spans that grow together.
class BlockSet {
 public:
  void add(std::uint64_t start, std::uint64_t end);
  /// The parts of [start, end) that are in the set, appended ascending.
  void append_within(std::uint64_t start, std::uint64_t end, std::vector<BlockSpan>& out) const;
  bool overlaps(std::uint64_t start, std::uint64_t end) const;
  bool empty() const { return spans_.empty(); }
  /// Start → end, ascending.
  const std::map<std::uint64_t, std::uint64_t>& spans() const { return spans_; }

 private:
  std::map<std::uint64_t, std::uint64_t> spans_;
};

/// Cuts `extent` into pieces that are all free or all in use, appended to `out`. `used`: bytes of the source, in any order, may overlap and reach
/// beyond. Gives the number of pieces.
std::size_t append_pieces(const Extent& extent, std::vector<BlockSpan> used, std::vector<DeletedExtent>& out);

}  // namespace icecore::fs
