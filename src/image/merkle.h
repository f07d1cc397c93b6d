// Merkle tree over an image's blocks, as RFC 6962 (section 2.1) builds it: one short value vouches for every block, and any one block can be proved
// against it with a handful of hashes.
#pragma once

#include <vector>

#include "core/hash.h"

namespace icecore::image {

/// Leaves in order; the leaf of a block is SHA-256(0x00 ‖ SHA-256(block)), a node SHA-256(0x01 ‖ left ‖ right). Holds log2(n) hashes. Not
/// thread-safe.
class MerkleTree {
 public:
  void add(const Sha256Digest& block_sha256);
  /// SHA-256 of nothing for an empty tree.
  Sha256Digest root() const;

 private:
  struct Node {
    Sha256Digest hash;
    std::uint64_t leaves;
  };
  std::vector<Node> stack_;  // complete subtrees, larger first
};

/// SHA-256 of a block of zeros.
const Sha256Digest& zero_block_sha256();

}  // namespace icecore::image
