// Bytes in memory as a disk: for tests and for small things that were unpacked.
#pragma once

#include "image/block_source.h"

namespace icecore::image {

class MemorySource : public BlockSource {
 public:
  MemorySource(Bytes bytes, std::string name) : bytes_(std::move(bytes)), name_(std::move(name)) {}

  std::uint64_t size() const override { return bytes_.size(); }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override;
  std::string name() const override { return name_; }

 private:
  const Bytes bytes_;
  const std::string name_;
};

}  // namespace icecore::image
