// A snapshot behind the EBS direct APIs, as the on-demand image wants it.
#pragma once

#include <atomic>

#include "engine/workspace.h"
#include "image/block_store.h"

namespace icecore::engine {

/// Opens the AWS session only when the first block is missing, so that a filled image is read without credentials. Thread-safe.
class EbsStore final : public image::BlockStore {
 public:
  /// `workspace` outlives it. `region` empty: the configured one.
  EbsStore(Workspace& workspace, std::string snapshot, std::uint64_t volume_size, std::string region)
      : workspace_(workspace), snapshot_(std::move(snapshot)), volume_size_(volume_size), region_(std::move(region)) {}

  std::string id() const override { return snapshot_; }
  std::uint64_t volume_size() const override { return volume_size_; }
  Result<image::BlockPage> list(std::uint64_t from, const std::optional<std::string>& page) override;
  Result<image::BlockAnswer> get(std::uint64_t index, const std::string& token, std::span<std::byte> out) override;

 private:
  Result<aws::Ebs*> ebs();

  Workspace& workspace_;
  const std::string snapshot_;
  const std::uint64_t volume_size_;
  const std::string region_;
  std::mutex mutex_;
  std::optional<aws::Ebs> ebs_;
};

}  // namespace icecore::engine
