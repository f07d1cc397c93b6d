// The layout: header; clusters as they come, packed ones side by side; then the L2 tables, the L1 table, the refcount blocks and their table. The
// header is written last, so that a half file is no qcow2 image.
#include <zstd.h>
#include <algorithm>
#include <map>

#include "container/disk_stream.h"
#include "container/qcow2_format.h"

namespace icecore::container {
namespace {

using namespace qcow2;

constexpr unsigned kBits = 19;
static_assert(kExportCluster == std::uint64_t{1} << kBits);
constexpr std::uint64_t kEntries = kExportCluster / 8;    // of an L2 table
constexpr std::uint64_t kRefcounts = kExportCluster / 2;  // 16-bit refcounts of a block
constexpr int kLevel = 3;

std::uint64_t up(std::uint64_t offset) { return (offset + kExportCluster - 1) / kExportCluster * kExportCluster; }

class Qcow2Writer {
 public:
  Qcow2Writer(const PartialFile& out, std::uint64_t disk_size) : out_(out), disk_size_(disk_size) {}

  Result<void> add(const DiskCluster& cluster, bool backed) {
    if (cluster.skip) return {};
    if (cluster.zeros) {
      if (backed) set(cluster.index, kZero);
      return {};
    }
    if (!cluster.packed.empty()) {
      const std::uint64_t sectors = (end_ + cluster.packed.size() - 1) / 512 - end_ / 512;
      set(cluster.index, kCompressed | sectors << compressed_shift(kBits) | end_);
      ICECORE_CHECK(out_.write(end_, cluster.packed));
      // QEMU counts whole sectors.
      const std::uint64_t first = end_ / 512 * 512, last = first + (sectors + 1) * 512 - 1;
      for (std::uint64_t host = first >> kBits; host <= last >> kBits; ++host) count(host);
      end_ += cluster.packed.size();
      return {};
    }
    end_ = up(end_);
    set(cluster.index, kCopied | end_);
    ICECORE_CHECK(out_.write(end_, cluster.bytes));
    count(end_ >> kBits);
    end_ += kExportCluster;  // the disk's end may be short; the file is not
    return {};
  }

  Result<void> finish(const std::optional<Qcow2Backing>& backing) {
    end_ = up(end_);
    const std::uint64_t l1_entries = std::max<std::uint64_t>(1, (disk_size_ + kExportCluster * kEntries - 1) / (kExportCluster * kEntries));
    Bytes l1(static_cast<std::size_t>(up(l1_entries * 8)));
    for (const auto& [index, table] : tables_) {
      store_be<std::uint64_t>(l1, static_cast<std::size_t>(index) * 8, kCopied | end_);
      Bytes bytes(kExportCluster);
      for (std::size_t i = 0; i < table.size(); ++i) store_be(bytes, i * 8, table[i]);
      ICECORE_CHECK(place(bytes));
    }
    const std::uint64_t l1_offset = end_;
    ICECORE_CHECK(place(l1));
    ICECORE_ASSIGN(const auto refcounts, write_refcounts());
    ICECORE_CHECK(out_.set_size(end_));
    return write_header(l1_offset, l1_entries, refcounts, backing);
  }

 private:
  void set(std::uint64_t cluster, std::uint64_t entry) {
    auto& table = tables_.try_emplace(cluster / kEntries, kEntries).first->second;
    table[static_cast<std::size_t>(cluster % kEntries)] = entry;
  }
  void count(std::uint64_t host) {
    if (counts_.size() <= host) counts_.resize(static_cast<std::size_t>(host) + 1);
    ++counts_[static_cast<std::size_t>(host)];
  }
  Result<void> place(ByteView bytes) {
    ICECORE_CHECK(out_.write(end_, bytes));
    for (std::uint64_t host = end_ >> kBits; host < (end_ + bytes.size()) >> kBits; ++host) count(host);
    end_ += bytes.size();
    return {};
  }

  struct Refcounts {
    std::uint64_t table_offset, table_clusters;
  };
  // They count themselves: how many blocks that takes is found by trying.
  Result<Refcounts> write_refcounts() {
    count(0);  // the header
    const std::uint64_t before = end_ >> kBits;
    std::uint64_t blocks = 0, table = 0;
    for (bool fits = false; !fits;) {
      const std::uint64_t all = before + blocks + table;
      const std::uint64_t need_blocks = (all + kRefcounts - 1) / kRefcounts, need_table = (need_blocks + kEntries - 1) / kEntries;
      fits = need_blocks == blocks && need_table == table;
      blocks = need_blocks;
      table = need_table;
    }
    for (std::uint64_t host = before; host < before + blocks + table; ++host) count(host);
    Bytes pointers(static_cast<std::size_t>(table * kExportCluster));
    for (std::uint64_t i = 0; i < blocks; ++i) {
      store_be(pointers, static_cast<std::size_t>(i) * 8, end_);
      Bytes bytes(kExportCluster);
      for (std::uint64_t j = 0; j < kRefcounts && i * kRefcounts + j < counts_.size(); ++j)
        store_be(bytes, static_cast<std::size_t>(j) * 2, counts_[static_cast<std::size_t>(i * kRefcounts + j)]);
      ICECORE_CHECK(out_.write(end_, bytes));
      end_ += kExportCluster;
    }
    const Refcounts result{end_, table};
    ICECORE_CHECK(out_.write(end_, pointers));
    end_ += pointers.size();
    return result;
  }

  Result<void> write_header(std::uint64_t l1_offset, std::uint64_t l1_entries, const Refcounts& refcounts,
                            const std::optional<Qcow2Backing>& backing) {
    Bytes header(4096);
    store_be(header, 0, kMagic);
    store_be<std::uint32_t>(header, kVersion, 3);
    store_be<std::uint32_t>(header, kClusterBits, kBits);
    store_be(header, kDiskSize, disk_size_);
    store_be(header, kL1Size, static_cast<std::uint32_t>(l1_entries));
    store_be(header, kL1Offset, l1_offset);
    store_be(header, kRefcountTableOffset, refcounts.table_offset);
    store_be(header, kRefcountTableClusters, static_cast<std::uint32_t>(refcounts.table_clusters));
    store_be(header, kIncompatible, kCompressionBit);
    store_be<std::uint32_t>(header, kRefcountOrder, 4);
    store_be<std::uint32_t>(header, kHeaderLength, kHeaderLength3);
    header[kCompressionType] = std::byte{kZstd};
    if (backing) {
      std::size_t at = kHeaderLength3;
      store_be(header, at, kBackingFormatExtension);
      store_be(header, at + 4, static_cast<std::uint32_t>(backing->format.size()));
      std::ranges::copy(as_bytes(backing->format), header.begin() + static_cast<std::ptrdiff_t>(at + 8));
      at += 8 + (backing->format.size() + 7) / 8 * 8 + 8;  // and the end of the extensions, which is zeros
      store_be(header, kBackingOffset, std::uint64_t{at});
      store_be(header, kBackingSize, static_cast<std::uint32_t>(backing->name.size()));
      std::ranges::copy(as_bytes(backing->name), header.begin() + static_cast<std::ptrdiff_t>(at));
    }
    return out_.write(0, header);
  }

  const PartialFile& out_;
  const std::uint64_t disk_size_;
  std::uint64_t end_ = kExportCluster;  // behind the header's cluster
  std::map<std::uint64_t, std::vector<std::uint64_t>> tables_;
  std::vector<std::uint16_t> counts_;  // of the file's clusters
};

// Whether the backing file holds the same; zeros beyond its end.
Result<bool> is_in_backing(const image::BlockSource& backing, const DiskCluster& cluster) {
  const std::uint64_t start = cluster.index * kExportCluster;
  Bytes below(cluster.bytes.size());
  if (start < backing.size()) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(below.size(), backing.size() - start));
    ICECORE_CHECK(backing.read(start, std::span(below).first(count)));
  }
  return std::ranges::equal(below, cluster.bytes);
}

void compress(DiskCluster& cluster) {
  Bytes whole;
  ByteView bytes = cluster.bytes;
  if (bytes.size() < kExportCluster) {  // a cluster unpacks to its whole size
    whole.assign(bytes.begin(), bytes.end());
    whole.resize(kExportCluster);
    bytes = whole;
  }
  cluster.packed.resize(ZSTD_compressBound(bytes.size()));
  const std::size_t size = ZSTD_compress(cluster.packed.data(), cluster.packed.size(), bytes.data(), bytes.size(), kLevel);
  const bool worth = ZSTD_isError(size) == 0 && size < kExportCluster - 4096;
  cluster.packed.resize(worth ? size : 0);
}

}  // namespace

Result<WrittenDisk> write_qcow2(const image::BlockSource& disk, const Path& file, const std::optional<Qcow2Backing>& backing,
                                const WriteOptions& options) {
  if (backing && (backing->name.empty() || backing->name.size() > 1023 || backing->name.find('/') != std::string::npos))
    return fail(Code::kInvalidArgument, "the backing file has to be in the same folder as the image");
  ICECORE_ASSIGN(PartialFile out, PartialFile::make(file));
  Qcow2Writer writer(out, disk.size());
  Sha256 hash;
  const auto pack = [&](DiskCluster& cluster) -> Result<void> {
    if (backing) {
      ICECORE_ASSIGN(cluster.skip, is_in_backing(*backing->source, cluster));
    }
    if (!cluster.skip && !cluster.zeros) compress(cluster);
    return {};
  };
  ICECORE_CHECK(stream_disk(disk, options, pack, [&](const DiskCluster& cluster) {
    hash.update(cluster.bytes);
    return writer.add(cluster, backing.has_value());
  }));
  ICECORE_CHECK(writer.finish(backing));
  ICECORE_CHECK(out.commit());
  return WrittenDisk{{file}, to_hex(hash.finish()), "", ""};
}

}  // namespace icecore::container
