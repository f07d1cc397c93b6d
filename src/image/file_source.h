// A raw image file or a block device.
#pragma once

#include <memory>

#include "core/file.h"
#include "image/block_source.h"

namespace icecore::image {

class FileSource : public BlockSource {
 public:
  /// Opened read-only. A folder, an empty file, a fifo or socket, and what may not be read are refused, each with its own words.
  static Result<std::shared_ptr<const FileSource>> open(const Path& path);

  std::uint64_t size() const override { return size_; }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override;
  std::string name() const override { return path_.string(); }

 private:
  FileSource(Path path, FileDescriptor file, std::uint64_t size) : path_(std::move(path)), file_(std::move(file)), size_(size) {}
  const Path path_;
  const FileDescriptor file_;
  const std::uint64_t size_;
};

}  // namespace icecore::image
