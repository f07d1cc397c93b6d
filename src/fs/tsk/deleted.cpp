// Deleted files: libtsk says which blocks are free, so a whole file can be told from one whose blocks others have by now.
#include <algorithm>

#include "core/interrupt.h"
#include "fs/block_set.h"
#include "fs/tsk/exfat_set.h"
#include "fs/tsk/tsk_filesystem.h"

namespace icecore::fs::tsk {
namespace {

constexpr std::uint64_t kMostBlocksAsked = std::uint64_t{1} << 26;  // over all files: hostile records may all claim the whole volume
constexpr std::uint64_t kLargestInside = 4096;                      // the largest NTFS record

struct Claim {
  std::uint64_t start, end;
  std::size_t file;
};

// Of two deleted files that had one block it is not known which was the last.
std::vector<bool> sharing(const std::vector<DeletedFile>& files) {
  std::vector<Claim> claims;
  for (std::size_t i = 0; i < files.size(); ++i)
    for (const DeletedExtent& extent : files[i].extents) claims.push_back({extent.source_offset, extent.source_offset + extent.length, i});
  std::ranges::sort(claims, {}, &Claim::start);
  std::vector<bool> shared(files.size(), false);
  std::size_t furthest = 0;  // the claim so far that reaches furthest
  for (std::size_t i = 1; i < claims.size(); ++i) {
    if (claims[i].start < claims[furthest].end) {
      shared[claims[i].file] = true;
      shared[claims[furthest].file] = true;
    }
    if (claims[i].end > claims[furthest].end) furthest = i;
  }
  return shared;
}

bool covers_all(const DeletedFile& file) {
  std::uint64_t end = 0;
  for (const DeletedExtent& extent : file.extents) {
    if (extent.file_offset != end) return false;
    end += extent.length;
  }
  return end >= file.info.size;
}

}  // namespace

class DeletedContents {
 public:
  DeletedContents(const TskFilesystem& filesystem, TSK_FS_INFO& fs) : filesystem_(filesystem), fs_(fs) {}

  Result<void> look_at(std::vector<DeletedFile>& files) {
    std::vector<bool> exact;
    for (DeletedFile& file : files) {
      if (interrupted()) return interruption();
      ICECORE_ASSIGN(const bool known, is_exact(file));
      exact.push_back(known);
      std::vector<DeletedExtent> pieces;
      for (const DeletedExtent& extent : file.extents) append_pieces(extent, used_in(extent), pieces);
      file.extents = std::move(pieces);
    }
    const std::vector<bool> shared = sharing(files);
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (files[i].info.type == FileType::kRegular && files[i].extents.empty() && files[i].info.size > 0) read_record(files[i]);
      files[i].content = judge_content(files[i], exact[i] && (files[i].info.size == 0 || (!shared[i] && covers_all(files[i]))));
    }
    return {};
  }

 private:
  // Bytes of the source. What is not asked any more counts as used: nobody is given another's content.
  std::vector<BlockSpan> used_in(const DeletedExtent& extent) {
    const std::uint64_t size = fs_.block_size, base = static_cast<std::uint64_t>(fs_.offset);
    const std::uint64_t first = (extent.source_offset - base) / size, end = (extent.source_offset - base + extent.length + size - 1) / size;
    if (end - first > kMostBlocksAsked - asked_) return {{extent.source_offset, extent.source_offset + extent.length}};
    asked_ += end - first;
    std::vector<BlockSpan> used;
    for (std::uint64_t block = first; block < end; ++block) {
      const bool free = block <= fs_.last_block && (fs_.block_getflags(&fs_, block) & TSK_FS_BLOCK_FLAG_UNALLOC) != 0;
      if (free) continue;
      const std::uint64_t at = base + block * size;
      if (!used.empty() && used.back().end == at) {
        used.back().end += size;
      } else {
        used.push_back({at, at + size});
      }
    }
    return used;
  }

  // Whether it is known where all of the content was. An NTFS record keeps its runs when it is freed. FAT frees the chain with the file: of the
  // clusters only the first is known, and libtsk guesses that the others were the next free ones.
  Result<bool> is_exact(DeletedFile& file) const {
    const auto& fat = filesystem_.fat_;
    if (fat && fat->exfat) return is_exact_on_exfat(*fat, file);
    return file.info.size == 0 || filesystem_.ntfs_ || (fat && file.info.size <= fat->cluster_size);
  }

  // What had no chain to lose is exact whatever its size, and lay where its own entries say, not where libtsk guesses.
  Result<bool> is_exact_on_exfat(const FatGeometry& fat, DeletedFile& file) const {
    ICECORE_ASSIGN(const auto set, read_exfat_set(filesystem_.source(), fat, file.info.inode));
    if (!set || set->size != file.info.size) return false;
    if (set->checked) file.sureness = Sureness::kSure;
    if (set->size == 0) return true;
    if (!set->contiguous && set->size > fat.cluster_size) return false;
    file.extents.clear();
    for (const Extent& extent : extents_in_one_piece(fat, *set)) file.extents.push_back({extent, true});
    return true;
  }

  // Small content lies in the NTFS record itself, which is free and has not been given away, or its file would be another.
  void read_record(DeletedFile& file) {
    if (!filesystem_.ntfs_ || file.info.size > kLargestInside) return;
    const auto opened = filesystem_.file(file.info.inode);
    if (!opened) return;
    const auto content = filesystem_.content_of(**opened, file.info.inode);
    if (!content || ((*content)->flags & TSK_FS_ATTR_RES) == 0 || (*content)->size < 0) return;
    if (static_cast<std::uint64_t>((*content)->size) != file.info.size) return;
    std::string inside(static_cast<std::size_t>(file.info.size), '\0');
    if (tsk_fs_attr_read(*content, 0, inside.data(), inside.size(), TSK_FS_FILE_READ_FLAG_NONE) == static_cast<ssize_t>(inside.size()))
      file.inside = std::move(inside);
  }

  const TskFilesystem& filesystem_;
  TSK_FS_INFO& fs_;
  std::uint64_t asked_ = 0;
};

Result<DeletedFiles> TskFilesystem::deleted_files(const FileTable& table, const PathIndex& paths, Anomalies& anomalies, Progress& progress) const {
  ICECORE_ASSIGN(auto deleted, Filesystem::deleted_files(table, paths, anomalies, progress));
  ICECORE_CHECK(handle_->run<void>([&](TSK_FS_INFO& fs) -> Result<void> { return DeletedContents(*this, fs).look_at(deleted.files); }));
  return deleted;
}

}  // namespace icecore::fs::tsk
