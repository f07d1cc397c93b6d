#include "image/merkle.h"

#include <algorithm>
#include <array>

#include "image/block_store.h"

namespace icecore::image {
namespace {

Sha256Digest join(const Sha256Digest& left, const Sha256Digest& right) {
  std::array<std::byte, 65> bytes{std::byte{1}};
  std::ranges::copy(left, bytes.begin() + 1);
  std::ranges::copy(right, bytes.begin() + 33);
  return sha256(bytes);
}

}  // namespace

void MerkleTree::add(const Sha256Digest& block_sha256) {
  std::array<std::byte, 33> leaf{};
  std::ranges::copy(block_sha256, leaf.begin() + 1);
  Node node{sha256(leaf), 1};
  while (!stack_.empty() && stack_.back().leaves == node.leaves) {
    node = {join(stack_.back().hash, node.hash), 2 * node.leaves};
    stack_.pop_back();
  }
  stack_.push_back(node);
}

// RFC 6962 splits at the largest power of two below n, so the smaller subtrees join from the right.
Sha256Digest MerkleTree::root() const {
  if (stack_.empty()) return sha256({});
  Sha256Digest hash = stack_.back().hash;
  for (auto node = stack_.rbegin() + 1; node != stack_.rend(); ++node) hash = join(node->hash, hash);
  return hash;
}

const Sha256Digest& zero_block_sha256() {
  static const Sha256Digest digest = sha256(Bytes(kBlockSize));
  return digest;
}

}  // namespace icecore::image
