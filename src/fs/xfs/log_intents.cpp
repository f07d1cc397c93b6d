#include "fs/xfs/log_intents.h"

#include <algorithm>

namespace icecore::fs::xfs {
namespace {

// `mapping` without [begin, end): up to two pieces.
void append_outside(std::vector<Mapping>& out, const Mapping& mapping, std::uint64_t begin, std::uint64_t end) {
  if (mapping.file_block < begin) {
    Mapping left = mapping;
    left.count = static_cast<std::uint32_t>(std::min(begin, mapping.end()) - mapping.file_block);
    out.push_back(left);
  }
  if (mapping.end() > end) {
    Mapping right = mapping;
    right.file_block = std::max(end, mapping.file_block);
    right.fs_block += right.file_block - mapping.file_block;
    right.count = static_cast<std::uint32_t>(mapping.end() - right.file_block);
    out.push_back(right);
  }
}

}  // namespace

std::vector<Mapping> apply_pending(std::vector<Mapping> mappings, std::uint64_t inode, bool attribute_fork, std::span<const PendingMap> pending) {
  for (const PendingMap& update : pending) {
    if (update.inode != inode || update.attribute_fork != attribute_fork) continue;
    std::vector<Mapping> next;
    next.reserve(mappings.size() + 2);
    for (const Mapping& mapping : mappings) append_outside(next, mapping, update.mapping.file_block, update.mapping.end());
    if (!update.unmap) next.insert(std::ranges::upper_bound(next, update.mapping.file_block, {}, &Mapping::file_block), update.mapping);
    mappings = std::move(next);
  }
  return mappings;
}

}  // namespace icecore::fs::xfs
