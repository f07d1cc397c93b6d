// First pass: the used part of every inode table.
#include <algorithm>
#include <atomic>

#include "core/parallel.h"
#include "fs/ext4/block_map.h"
#include "fs/ext4/content.h"
#include "fs/ext4/directory.h"
#include "fs/ext4/sweep_parts.h"

namespace icecore::fs::ext4 {
namespace {

constexpr std::uint64_t kChunkBytes = std::uint64_t{1} << 20;

struct TablePart {
  std::uint64_t first_inode, offset, count;
};

// Hostile descriptors can name one table many times; each byte of the disk is read for its first owner only.
std::vector<TablePart> without_shared(const SweepContext& context, std::vector<TablePart> parts) {
  std::ranges::sort(parts, {}, &TablePart::offset);
  std::uint64_t free_from = 0;
  std::erase_if(parts, [&](const TablePart& part) {
    if (part.offset < free_from) {
      context.anomalies.add("ext4.group", Error{Code::kCorrupt, "two groups share one inode table; the second was left out",
                                                Location{context.disk.source->name(), part.offset, part.first_inode}, nullptr});
      return true;
    }
    free_from = part.offset + part.count * context.disk.superblock.inode_size;
    return false;
  });
  return parts;
}

std::vector<TablePart> used_parts(const SweepContext& context) {
  const Superblock& sb = context.disk.superblock;
  const std::uint64_t per_chunk = std::max<std::uint64_t>(1, kChunkBytes / sb.inode_size);
  std::vector<TablePart> parts;
  for (std::uint64_t group = 0; group < context.disk.groups.size(); ++group) {
    const Group& here = context.disk.groups[group];
    // Without group checksums nothing tells which part of a table was ever used; a group that is all free holds at most deleted files.
    if (!context.options.deleted && here.inodes_free == sb.inodes_per_group) continue;
    const std::uint64_t first = group * sb.inodes_per_group + 1;
    const std::uint64_t used = first > sb.inodes ? 0 : std::min<std::uint64_t>(here.inodes_used_part, sb.inodes - first + 1);
    for (std::uint64_t done = 0; done < used; done += per_chunk)
      parts.push_back({first + done, here.inode_table * sb.block_size + done * sb.inode_size, std::min(per_chunk, used - done)});
  }
  return without_shared(context, std::move(parts));
}

class PartReader {
 public:
  explicit PartReader(const SweepContext& context) : context_(context), disk_(context.disk) {}

  Result<void> read(const TablePart& part, InodeChunk& out) {
    const std::size_t inode_size = disk_.superblock.inode_size;
    buffer_.resize(static_cast<std::size_t>(part.count) * inode_size);
    if (const auto read = disk_.source->read(part.offset, buffer_); !read) {
      if (!is_evidence_error(read.error())) return read;
      context_.anomalies.add("ext4.inode-table", read.error());
      return {};
    }
    out.files.reserve(static_cast<std::size_t>(part.count));
    for (std::uint64_t i = 0; i < part.count; ++i) {
      const InodeView inode(part.first_inode + i, ByteView(buffer_).subspan(static_cast<std::size_t>(i) * inode_size, inode_size));
      if (!inode.blank() && !disk_.superblock.is_internal(inode.number())) take(inode, part.offset + i * inode_size, out);
    }
    return {};
  }

 private:
  void take(const InodeView& inode, std::uint64_t offset, InodeChunk& out) {
    const bool orphan = !inode.linked() && !context_.kept_orphans.empty() && std::ranges::binary_search(context_.kept_orphans, inode.number());
    const bool allocated = inode.linked() || orphan;
    if (!allocated && !context_.options.deleted) return;
    if (!inode.checksum_ok(disk_.superblock)) {
      if (allocated)
        context_.anomalies.add("ext4.inode-checksum", Error{Code::kCorrupt, "the inode's checksum is wrong",
                                                            Location{disk_.source->name(), offset, inode.number()}, nullptr});
      if (inode.type() == FileType::kUnknown) return;  // not even a file: noise
    }
    if (allocated && inode.has(inode_flag::kEaInode)) return;  // holds an attribute's value; it has no name and is no file
    out.files.push_back(inode.info(disk_.superblock, offset));
    out.files.back().allocated = allocated;
    if (allocated && inode.type() == FileType::kDirectory) take_directory(inode, offset, out);
  }

  void take_directory(const InodeView& inode, std::uint64_t offset, InodeChunk& out) {
    if (inode.has(inode_flag::kInlineData)) return take_inline(inode, out);
    std::vector<image::ByteRange> index_blocks;
    append_index_blocks(disk_, inode, index_blocks);
    if (index_blocks.empty()) {
      append_pieces(disk_, inode, out.pieces, context_.anomalies);
      return;
    }
    const ByteView raw =
        ByteView(buffer_).subspan(static_cast<std::size_t>(&inode.block()[0] - buffer_.data()) - inode_field::kBlock, disk_.superblock.inode_size);
    out.mapped_elsewhere.emplace_back(inode.number(), Bytes(raw.begin(), raw.end()), offset);
  }

  void take_inline(const InodeView& inode, InodeChunk& out) {
    const auto content = inline_content(disk_, inode);
    if (!content) return context_.anomalies.add("ext4.directory", content.error());
    const DirentOptions options{disk_.superblock.incompat(incompat::kFiletype), context_.options.deleted, disk_.superblock.inodes};
    const bool encrypted = inode.has(inode_flag::kEncrypt);
    for (const ByteView part : inline_directory_parts(*content)) {
      const auto problem = for_each_dirent(part, options, [&](const Dirent& entry) {
        out.inline_names.add(inode.number(), entry.inode, shown_name(entry.name, encrypted), entry.deleted);
      });
      if (problem) context_.anomalies.add("ext4.directory", disk_.corrupt("inline directory: " + *problem, inode.number()).value());
    }
  }

  const SweepContext& context_;
  const Disk& disk_;
  Bytes buffer_;
};

}  // namespace

std::uint64_t append_pieces(const Disk& disk, const InodeView& inode, std::vector<DirectoryPiece>& pieces, Anomalies& anomalies) {
  constexpr std::uint64_t kLongest = 256;  // blocks read at once
  const Superblock& sb = disk.superblock;
  const std::uint64_t size = inode.size(sb);
  const BlockMap map = map_blocks(disk, inode, 0, size / sb.block_size + (size % sb.block_size != 0 ? 1U : 0U));
  if (map.damage) anomalies.add("ext4.extent", *map.damage);
  const std::uint32_t seed = sb.checksums() ? inode.checksum_seed(sb) : 0;
  for (const Run& run : map.runs) {
    if (run.unwritten) continue;
    for (std::uint64_t done = 0; done < run.length; done += kLongest)
      pieces.push_back({run.physical + done, static_cast<std::uint32_t>(std::min(kLongest, run.length - done)),
                        static_cast<std::uint32_t>(inode.number()), seed, inode.has(inode_flag::kEncrypt)});
  }
  return map.index_blocks;
}

Result<std::vector<InodeChunk>> sweep_inode_tables(const SweepContext& context, Progress& progress) {
  const std::vector<TablePart> parts = used_parts(context);
  std::vector<image::ByteRange> ranges;
  for (const TablePart& part : parts) ranges.push_back({part.offset, part.count * context.disk.superblock.inode_size});
  ICECORE_CHECK(context.disk.source->prefetch(ranges));

  progress.begin("reading inode tables", parts.size(), "parts");
  std::vector<InodeChunk> chunks(parts.size());
  std::atomic<std::size_t> next{0}, done{0};
  const std::size_t workers = std::min(cpu_count(), std::max<std::size_t>(parts.size(), 1));
  const auto result = parallel_for(workers, workers, [&](std::size_t) -> Result<void> {
    PartReader reader(context);
    for (std::size_t i = next++; i < parts.size(); i = next++) {
      ICECORE_CHECK(reader.read(parts[i], chunks[i]));
      progress.update(++done);
    }
    return {};
  });
  progress.end();
  ICECORE_CHECK(result);
  return chunks;
}

Result<void> map_remaining(const SweepContext& context, std::vector<Inode> directories, std::vector<DirectoryPiece>& pieces) {
  std::vector<image::ByteRange> ranges;
  for (const Inode& inode : directories) append_index_blocks(context.disk, inode.view(), ranges);
  std::ranges::sort(ranges, {}, &image::ByteRange::offset);
  ICECORE_CHECK(context.disk.source->prefetch(ranges));
  // Index blocks belong to one file each, so all maps together never need more of them than the disk has; past that they are shared on purpose.
  const std::uint64_t most = context.disk.source->size() / context.disk.superblock.block_size;
  std::uint64_t used = 0;
  for (const Inode& inode : directories) {
    if (used > most) {
      context.anomalies.add(
          "ext4.extent",
          context.disk.corrupt("directories share index blocks; this and the following ones were left out", inode.view().number()).value());
      break;
    }
    used += append_pieces(context.disk, inode.view(), pieces, context.anomalies);
  }
  return {};
}

}  // namespace icecore::fs::ext4
