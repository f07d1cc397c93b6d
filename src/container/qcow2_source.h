// A qcow2 image as a disk. Our own reader: libqcow (2020) takes zstd clusters for damage, and raw backing files not at all.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "image/block_source.h"

namespace icecore::container {

/// What the header says, checked against the file.
struct Qcow2Header {
  unsigned cluster_bits = 16;
  std::uint64_t disk_size = 0;
  std::uint64_t l1_offset = 0;
  std::uint32_t l1_entries = 0;
  std::uint8_t compression = 0;
  std::string backing;         ///< name of the backing file as written; empty: none
  std::string backing_format;  ///< "raw", "qcow2"; empty: not said
};

/// kCorrupt, or kUnsupported for encryption, external data files, subclusters, and what is newer than this. Reads the first cluster at most.
Result<Qcow2Header> read_qcow2_header(const image::BlockSource& file);

/// Thread-safe. Memory is bounded: 40 clusters (of 2 MiB at most) and the L1 table (32 MiB at most).
class Qcow2Source final : public image::BlockSource {
 public:
  /// `backing` may be null; what lies beyond its end reads as zeros. Reads the L1 table.
  static Result<std::shared_ptr<const Qcow2Source>> make(image::SourcePtr file, Qcow2Header header, image::SourcePtr backing);

  std::uint64_t size() const override { return header_.disk_size; }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override;
  std::string name() const override { return file_->name(); }

 private:
  using Table = std::shared_ptr<const std::vector<std::uint64_t>>;
  using Cluster = std::shared_ptr<const Bytes>;
  Qcow2Source(image::SourcePtr file, Qcow2Header header, image::SourcePtr backing);
  std::uint64_t cluster_size() const { return std::uint64_t{1} << header_.cluster_bits; }
  Result<std::uint64_t> entry_of(std::uint64_t cluster) const;
  Result<Table> table_at(std::uint64_t offset) const;
  Result<Cluster> unpacked(std::uint64_t entry) const;
  Result<void> read_cluster(std::uint64_t cluster, std::uint64_t within, std::span<std::byte> out) const;
  Result<void> read_file(std::uint64_t offset, std::span<std::byte> out) const;
  Failure corrupt(std::string message, std::uint64_t offset) const;

  const image::SourcePtr file_;
  const Qcow2Header header_;
  const image::SourcePtr backing_;
  std::vector<std::uint64_t> l1_;
  mutable std::mutex mutex_;                                       // guards the caches
  mutable std::list<std::pair<std::uint64_t, Table>> tables_;      // newest first
  mutable std::list<std::pair<std::uint64_t, Cluster>> clusters_;  // unpacked lately
};

}  // namespace icecore::container
