// Second pass: all directory blocks in disk order.
#include <algorithm>
#include <atomic>

#include "core/parallel.h"
#include "fs/ext4/directory.h"
#include "fs/ext4/sweep_parts.h"

namespace icecore::fs::ext4 {
namespace {

constexpr std::uint64_t kBatchBytes = std::uint64_t{1} << 20;

/// Pieces [first, last) that are read and parsed by one worker.
struct Batch {
  std::size_t first, last;
};

// A block that two directories claim is parsed for the first only: so the work is never more than the disk.
std::vector<DirectoryPiece> without_overlaps(const SweepContext& context, std::vector<DirectoryPiece> pieces) {
  std::ranges::sort(pieces, {}, &DirectoryPiece::physical);
  std::uint64_t free_from = 0;
  std::size_t kept = 0;
  for (DirectoryPiece piece : pieces) {
    if (piece.physical < free_from) {
      context.anomalies.add("ext4.directory",
                            context.disk.corrupt("a directory's block belongs to another one too", piece.inode, piece.physical).value());
      const std::uint64_t end = piece.physical + piece.length;
      if (end <= free_from) continue;
      piece.length = static_cast<std::uint32_t>(end - free_from);
      piece.physical = free_from;
    }
    free_from = piece.physical + piece.length;
    pieces[kept++] = piece;
  }
  pieces.resize(kept);
  return pieces;
}

std::vector<Batch> make_batches(const std::vector<DirectoryPiece>& pieces, std::uint32_t block_size) {
  std::vector<Batch> batches;
  std::uint64_t bytes = kBatchBytes;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (bytes >= kBatchBytes) {
      batches.push_back({i, i});
      bytes = 0;
    }
    bytes += std::uint64_t{pieces[i].length} * block_size;
    batches.back().last = i + 1;
  }
  return batches;
}

class BatchReader {
 public:
  BatchReader(const SweepContext& context, const std::vector<DirectoryPiece>& pieces)
      : context_(context),
        disk_(context.disk),
        pieces_(pieces),
        options_{disk_.superblock.incompat(incompat::kFiletype), context.options.deleted, disk_.superblock.inodes} {}

  Result<void> read(const Batch& batch, NameList& out) {
    for (std::size_t first = batch.first; first < batch.last;) {
      std::size_t last = first + 1;
      std::uint64_t blocks = pieces_[first].length;
      while (last < batch.last && pieces_[last].physical == pieces_[first].physical + blocks) blocks += pieces_[last++].length;
      ICECORE_CHECK(read_together(first, last, blocks, out));
      first = last;
    }
    return {};
  }

 private:
  Result<void> read_together(std::size_t first, std::size_t last, std::uint64_t blocks, NameList& out) {
    const std::size_t block_size = disk_.superblock.block_size;
    buffer_.resize(static_cast<std::size_t>(blocks) * block_size);
    if (const auto read = disk_.source->read(pieces_[first].physical * block_size, buffer_); !read) {
      if (!is_evidence_error(read.error())) return read;
      context_.anomalies.add("ext4.directory", read.error());
      return {};
    }
    std::size_t at = 0;
    for (std::size_t i = first; i < last; ++i)
      for (std::uint64_t j = 0; j < pieces_[i].length; ++j, at += block_size)
        parse(pieces_[i], pieces_[i].physical + j, ByteView(buffer_).subspan(at, block_size), out);
    return {};
  }

  void parse(const DirectoryPiece& piece, std::uint64_t physical, ByteView block, NameList& out) {
    if (!directory_checksum_ok(disk_.superblock, piece.checksum_seed, block))
      context_.anomalies.add("ext4.directory-checksum", disk_.corrupt("a directory block's checksum is wrong", piece.inode, physical).value());
    DirentOptions options = options_;
    options.slack = options.slack && !is_tree_node(block);
    const auto problem = for_each_dirent(block, options, [&](const Dirent& entry) {
      if (piece.encrypted)
        out.add(piece.inode, entry.inode, shown_name(entry.name, true), entry.deleted);
      else
        out.add(piece.inode, entry.inode, entry.name, entry.deleted);
    });
    if (problem) context_.anomalies.add("ext4.directory", disk_.corrupt("directory: " + *problem, piece.inode, physical).value());
  }

  const SweepContext& context_;
  const Disk& disk_;
  const std::vector<DirectoryPiece>& pieces_;
  const DirentOptions options_;
  Bytes buffer_;
};

}  // namespace

void NameList::add(std::uint64_t parent, std::uint64_t inode, std::string_view name, bool deleted) {
  names.push_back({parent, inode, text.size(), static_cast<std::uint16_t>(name.size()), deleted});
  text += name;
}

Result<std::vector<NameList>> sweep_directories(const SweepContext& context, std::vector<DirectoryPiece> unsorted, Progress& progress) {
  const std::vector<DirectoryPiece> pieces = without_overlaps(context, std::move(unsorted));
  const std::uint32_t block_size = context.disk.superblock.block_size;
  std::vector<image::ByteRange> ranges;
  for (const DirectoryPiece& piece : pieces) ranges.push_back({piece.physical * block_size, std::uint64_t{piece.length} * block_size});
  ICECORE_CHECK(context.disk.source->prefetch(ranges));

  const std::vector<Batch> batches = make_batches(pieces, block_size);
  progress.begin("reading directories", batches.size(), "parts");
  std::vector<NameList> lists(batches.size());
  std::atomic<std::size_t> next{0}, done{0};
  const std::size_t workers = std::min(cpu_count(), std::max<std::size_t>(batches.size(), 1));
  const auto result = parallel_for(workers, workers, [&](std::size_t) -> Result<void> {
    BatchReader reader(context, pieces);
    for (std::size_t i = next++; i < batches.size(); i = next++) {
      ICECORE_CHECK(reader.read(batches[i], lists[i]));
      progress.update(++done);
    }
    return {};
  });
  progress.end();
  ICECORE_CHECK(result);
  return lists;
}

}  // namespace icecore::fs::ext4
