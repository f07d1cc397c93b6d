// Fast commits: the tags are taken from the input as they are, past the checksum that would stop most inputs, and applied to its disk. An input: the
// length of the tags (u16), tags as they lie on disk (type, length, value), then options, inode table and disk as in ext4_parts.h.
#include "ext4_parts.h"
#include "fs/ext4/fast_commit_replay.h"

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  namespace e = fs::ext4;
  const ByteView in = view_of(data, size);
  if (in.size() < 2) return;
  const std::size_t length = std::min<std::size_t>(load_le<std::uint16_t>(in, 0), in.size() - 2);
  auto disk = ext4_parts(data + 2 + length, size - 2 - length);
  if (!disk) return;
  std::vector<e::FastCommitTag> tags;
  for (ByteView left = in.subspan(2, length); left.size() >= e::fast_commit::kTagHeader;) {
    const std::size_t bytes = std::min<std::size_t>(load_le<std::uint16_t>(left, 2), left.size() - e::fast_commit::kTagHeader);
    const ByteView value = left.subspan(e::fast_commit::kTagHeader, bytes);
    if (e::fast_commit_length_is_valid(disk->superblock, load_le<std::uint16_t>(left, 0), bytes))
      tags.push_back({load_le<std::uint16_t>(left, 0), Bytes(value.begin(), value.end())});
    left = left.subspan(e::fast_commit::kTagHeader + bytes);
  }
  Anomalies anomalies;
  (void)e::replay_fast_commits(*disk, tags, anomalies);
}
