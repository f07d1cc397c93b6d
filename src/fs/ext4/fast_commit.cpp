#include "fs/ext4/fast_commit.h"

#include "core/hash.h"
#include "fs/ext4/sweep_parts.h"

namespace icecore::fs::ext4 {
namespace {

namespace fc = fast_commit;

class Scan {
 public:
  Scan(const Superblock& superblock, std::uint32_t expected) : sb_(superblock), expected_(expected) {}

  /// False where nothing behind counts.
  bool block(ByteView block, bool first) {
    if (first && load_le<std::uint16_t>(block, 0) != fc::kHead) return false;
    std::size_t at = 0;
    while (at + fc::kTagHeader <= block.size()) {
      const auto type = load_le<std::uint16_t>(block, at);
      const std::size_t length = load_le<std::uint16_t>(block, at + 2);
      if (length > block.size() - at - fc::kTagHeader || !fast_commit_length_is_valid(sb_, type, length)) return false;
      const ByteView tag = block.subspan(at, fc::kTagHeader + length);
      if (!take(type, tag)) return false;
      at += tag.size();
    }
    return true;
  }

  std::vector<FastCommitTag> whole() {
    tags_.resize(whole_);
    return std::move(tags_);
  }

 private:
  bool take(std::uint16_t type, ByteView tag) {
    const ByteView value = tag.subspan(fc::kTagHeader);
    if (type == fc::kTail) {
      crc_ = crc32c(crc_, tag.first(fc::kTagHeader + 4));
      if (load_le<std::uint32_t>(value, 0) != expected_ || load_le<std::uint32_t>(value, 4) != crc_) return false;
      crc_ = 0;
      whole_ = tags_.size();
      return true;
    }
    if (type == fc::kHead && (load_le<std::uint32_t>(value, 0) != 0 || load_le<std::uint32_t>(value, 4) != expected_)) return false;
    crc_ = crc32c(crc_, tag);
    if (type != fc::kHead && type != fc::kPad) tags_.push_back({type, Bytes(value.begin(), value.end())});
    return true;
  }

  const Superblock& sb_;
  const std::uint32_t expected_;
  std::uint32_t crc_ = 0;
  std::size_t whole_ = 0;
  std::vector<FastCommitTag> tags_;
};

}  // namespace

// ext4_fc_value_len_isvalid() of fs/ext4/fast_commit.c.
bool fast_commit_length_is_valid(const Superblock& sb, std::uint16_t type, std::size_t length) {
  switch (type) {
    case fc::kHead: return length == fc::kHeadSize;
    case fc::kTail: return length >= fc::kTailSize;
    case fc::kAddRange: return length == fc::kAddRangeSize;
    case fc::kDelRange: return length == fc::kDelRangeSize;
    case fc::kCreate:
    case fc::kLink:
    case fc::kUnlink: return length > fc::kEntrySize && length <= fc::kEntrySize + 255;
    case fc::kInode: return length >= fc::kInodeSize + kOldInodeSize && length <= fc::kInodeSize + sb.inode_size;
    default: return type == fc::kPad;
  }
}

Result<std::vector<FastCommitTag>> read_fast_commits(JournalLog& log, const Superblock& superblock, std::uint32_t next_sequence) {
  const JournalSuperblock sb = log.superblock();
  Scan scan(superblock, next_sequence);
  if (!sb.has(jbd2::kIncompatFastCommit)) return scan.whole();
  // journal_load(): the area begins one block behind the log's end.
  for (std::uint32_t at = sb.end + 1; at < sb.fast_commit_end; ++at) {
    const auto block = log.read(at);
    if (!block && !is_evidence_error(block.error())) return Failure(block.error());
    if (!block || !scan.block(*block, at == sb.end + 1)) break;
  }
  return scan.whole();
}

}  // namespace icecore::fs::ext4
