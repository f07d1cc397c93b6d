// One hostile inode record.
#include "fs/xfs/extent_map.h"
#include "fs/xfs/inode.h"
#include "xfs_parts.h"

using namespace icecore;
using fuzz::xfs::require;

namespace {

void check_time(const Timestamp& time) { require(time.nanoseconds < 1'000'000'000, "a time has less than a second of nanoseconds"); }

void check_fork(ByteView record, const fs::xfs::Fork& fork) {
  require(fork.bytes.empty() || (fork.bytes.data() >= record.data() && fork.bytes.data() + fork.bytes.size() <= record.data() + record.size()),
          "a fork lies in its record");
}

}  // namespace

// Views of the record, and of a free inode the mappings that its fork still holds: 24 bytes for each 16, thrice while a vector grows.
const icecore::fuzz::Budget icecore::fuzz::kBudget{.times = 2, .base = 4 << 10, .seconds = 1};

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  const auto input = fuzz::xfs::input_of(fuzz::view_of(data, size));
  if (!input) return;
  for (const bool bigtime : {false, true}) check_time(fs::xfs::decode_time(input->number, bigtime));
  const auto record = fuzz::xfs::record_of(*input);
  if (!record) return;
  const fs::xfs::Superblock& super = input->reader.super;
  const auto inode = fs::xfs::parse_inode(super, input->number, *record, "fuzz");
  if (!inode) return;
  check_fork(*record, inode->data);
  check_fork(*record, inode->attributes);
  const fs::FileInfo info = fs::xfs::finished_info(super, *inode);
  for (const Timestamp& time : {info.accessed, info.modified, info.changed, info.born.value_or(Timestamp{}), info.deleted.value_or(Timestamp{})})
    check_time(time);
  require(info.inode == input->number, "an inode is the one that was asked for");
  std::uint64_t next = 0;
  for (const fs::xfs::Mapping& mapping : fs::xfs::remnant_mappings(super, inode->data)) {
    require(mapping.file_block >= next && super.contains_block(mapping.fs_block, mapping.count), "remnants are in order and on the disk");
    next = mapping.end();
  }
}
