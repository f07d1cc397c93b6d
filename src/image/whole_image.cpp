// The two values that vouch for a complete image: what `sha256sum image.raw` prints, and the Merkle root over its blocks.
#include <fmt/format.h>

#include "core/interrupt.h"
#include "image/image_state.h"
#include "image/merkle.h"
#include "image/running_hash.h"
#include "image/whole_image.h"

namespace icecore::image {

Result<std::string> merkle_root_of(const BlockDatabase& database) {
  MerkleTree tree;
  std::uint64_t next = 0;
  ICECORE_CHECK(database.for_each_in_order([&](const BlockRecord& record) -> Result<void> {
    for (; next < record.index; ++next) tree.add(zero_block_sha256());
    tree.add(record.sha256);
    ++next;
    return {};
  }));
  for (; next < database.block_count(); ++next) tree.add(zero_block_sha256());
  return to_hex(tree.root());
}

Result<std::string> image_sha256_of(const ImageFile& file, const Bitmap& written, Progress& progress) {
  const Bytes zeros(kBlockSize);
  Bytes block(kBlockSize);
  Sha256 hash;
  progress.begin("hashing the image", written.size() * kBlockSize, "bytes");
  for (std::uint64_t index = 0; index < written.size(); ++index) {
    if (interrupted()) return interruption();
    const bool data = written.test(index);
    if (data) ICECORE_CHECK(file.read(index * kBlockSize, block));
    hash.update(data ? block : zeros);
    progress.update((index + 1) * kBlockSize);
  }
  progress.end();
  return to_hex(hash.finish());
}

Result<WholeImage> OnDemandImage::whole_image(Progress& progress) {
  if (const auto known = known_whole_image()) return *known;
  ICECORE_CHECK(flush());
  if (!this->progress().complete)
    return fail(Code::kConflict, fmt::format("the image of {} is not complete; `icecore acquire` fetches the rest", name()));
  RunningHash running(*state_);
  return keep_whole_image(running.finish(progress));
}

Result<WholeImage> OnDemandImage::acquire_and_hash(Progress& progress) {
  if (const auto known = known_whole_image()) return *known;
  if (state_->closed) return state_->closed_failure();
  RunningHash running(*state_);
  ICECORE_CHECK(acquire_all(progress));
  return keep_whole_image(running.finish(progress));
}

Result<WholeImage> OnDemandImage::keep_whole_image(Result<std::string> sha256) {
  ICECORE_ASSIGN(const std::string hash, std::move(sha256));
  ICECORE_ASSIGN(const std::string root, merkle_root());
  ICECORE_CHECK(state_->database->set_meta(kImageHashKey, hash));
  ICECORE_CHECK(state_->database->set_meta(kMerkleRootKey, root));
  return WholeImage{hash, root};
}

Result<std::string> OnDemandImage::merkle_root() const {
  ICECORE_CHECK(flush());
  if (!progress().complete) return fail(Code::kConflict, fmt::format("the image of {} is not complete; `icecore acquire` fetches the rest", name()));
  return merkle_root_of(*state_->database);
}

std::optional<WholeImage> OnDemandImage::known_whole_image() const {
  if (state_->closed) return std::nullopt;
  const auto hash = state_->database->meta(kImageHashKey);
  const auto root = state_->database->meta(kMerkleRootKey);
  if (!hash || !root || !*hash || !*root) return std::nullopt;
  return WholeImage{**hash, **root};
}

}  // namespace icecore::image
