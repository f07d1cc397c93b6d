#include "fs/tsk/apfs_check.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <unordered_set>

#include "core/bytes.h"
#include "fs/tsk/apfs_record.h"

namespace icecore::fs::tsk {
namespace {

constexpr std::size_t kBlock = 4096;  // libtsk's blocks have no other size
constexpr std::size_t kMaximumLevel = 16;
constexpr std::uint32_t kMaximumCheckpointBlocks = 1 << 16;

using Block = std::array<std::byte, kBlock>;
using ObjectMap = std::map<std::uint64_t, std::uint64_t>;  // object id → block
using MapKey = std::pair<std::uint64_t, std::uint64_t>;    // object id, transaction

// Object types (obj_phys_t.o_type, low half).
enum : std::uint16_t { kSuperblock = 1, kRoot = 2, kNode = 3, kObjectMap = 11, kVolume = 13, kFileTree = 14 };

bool checksum_is_right(const Block& block) {  // Fletcher's, of 64 bits, over all but itself
  std::uint64_t low = 0, high = 0;
  for (std::size_t at = 8; at < kBlock; at += 4) {
    low = (low + load_le<std::uint32_t>(block, at)) % UINT32_MAX;
    high = (high + low) % UINT32_MAX;
  }
  const std::uint64_t first = UINT32_MAX - (low + high) % UINT32_MAX, second = UINT32_MAX - (low + first) % UINT32_MAX;
  return load_le<std::uint64_t>(block, 0) == (second << 32 | first);
}

std::uint16_t type_in(const Block& block) { return load_le<std::uint16_t>(block, 24); }

class Checker {
 public:
  explicit Checker(const image::BlockSource& source) : source_(source) {}

  Result<void> run() {
    ICECORE_ASSIGN(const Block super, newest_superblock());
    ObjectMap objects;
    ICECORE_CHECK(read_object_map(load_le<std::uint64_t>(super, 0xA0), objects));
    // libtsk takes all that is in the container's map for volumes, not what the superblock names.
    for (const auto& [id, block] : objects) ICECORE_CHECK(check_volume(block));
    return {};
  }

 private:
  Failure corrupt(std::uint64_t block, std::string_view what) const {
    return fail(Code::kCorrupt, fmt::format("APFS: {}", what), Location{source_.name(), block * kBlock});
  }

  Result<Block> read(std::uint64_t number) const {
    Block block;
    if (number >= source_.size() / kBlock) return corrupt(number, "a block beyond the end of the container's source");
    ICECORE_CHECK(source_.read(number * kBlock, block));
    return block;
  }

  Result<Block> read_object(std::uint64_t number, std::initializer_list<std::uint16_t> types) const {
    ICECORE_ASSIGN(const Block block, read(number));
    if (std::ranges::find(types, type_in(block)) == types.end()) return corrupt(number, fmt::format("an object of type {}", type_in(block)));
    if (!checksum_is_right(block)) return corrupt(number, "the object's checksum is wrong");
    return block;
  }

  // As libtsk chooses it: of the checkpoints' superblocks the one of the highest transaction, else that of block 0.
  Result<Block> newest_superblock() const {
    ICECORE_ASSIGN(const Block first, read_object(0, {kSuperblock}));
    if (const auto size = load_le<std::uint32_t>(first, 0x24); size != kBlock)
      return fail(Code::kUnsupported, fmt::format("an APFS container with blocks of {} bytes", size), Location{source_.name(), 0});
    Block newest = first;
    const auto count = load_le<std::uint32_t>(first, 0x68);
    const auto base = load_le<std::uint64_t>(first, 0x70);
    if (count > kMaximumCheckpointBlocks) return corrupt(0, fmt::format("a checkpoint area of {} blocks", count));
    std::optional<std::uint64_t> highest;
    for (std::uint64_t i = 0; i < count; ++i) {
      ICECORE_ASSIGN(const Block block, read(base + i));
      const auto transaction = load_le<std::uint64_t>(block, 16);
      if (type_in(block) != kSuperblock || load_le<std::uint64_t>(block, 8) != load_le<std::uint64_t>(first, 8)) continue;
      if (!checksum_is_right(block) || (highest && *highest >= transaction)) continue;
      highest = transaction;
      newest = block;
    }
    if (load_le<std::uint32_t>(newest, 0x24) != kBlock) return corrupt(0, "the newest superblock has another block size");
    return newest;
  }

  Result<void> read_object_map(std::uint64_t number, ObjectMap& objects) {
    ICECORE_ASSIGN(const Block map, read_object(number, {kObjectMap}));
    return walk_tree(load_le<std::uint64_t>(map, 0x30), nullptr, objects);
  }

  Result<void> check_volume(std::uint64_t number) {
    ICECORE_ASSIGN(const Block volume, read_object(number, {kVolume}));
    if (load_le<std::uint32_t>(volume, 0x20) != 0x42535041) return corrupt(number, "a volume without its magic number");
    if (std::ranges::count(ByteView(volume).subspan(0x2C0, 256), std::byte{0}) == 0) return corrupt(number, "a volume's name without an end");
    if ((load_le<std::uint64_t>(volume, 0x108) & 1) == 0) return {};  // encrypted: nothing of it is read
    if ((load_le<std::uint64_t>(volume, 0x38) & 9) == 0)  // neither case nor normalisation is folded: names have no hash, which libtsk expects
      return fail(Code::kUnsupported, "an APFS volume that tells Unicode's normal forms apart", Location{source_.name(), number * kBlock});
    ObjectMap objects;
    ICECORE_CHECK(read_object_map(load_le<std::uint64_t>(volume, 0x80), objects));
    const auto root = objects.find(load_le<std::uint64_t>(volume, 0x88));
    if (root == objects.end()) return corrupt(number, "the object map does not have the root of the tree");
    ObjectMap none;
    return walk_tree(root->second, &objects, none);
  }

  Result<void> walk_tree(std::uint64_t root, const ObjectMap* names, ObjectMap& out) {
    seen_.clear();
    last_.reset();
    least_ = {};
    ICECORE_ASSIGN(const Block node, read(root));
    newest_ = load_le<std::uint64_t>(node, 16);
    return walk(root, std::nullopt, names, out);
  }

  // libtsk finds an object only where the map is in order and knows nothing newer than its root; what it does not find it takes for found.
  bool in_order(ByteView key, bool leaf) {
    const MapKey now{load_le<std::uint64_t>(key, 0), load_le<std::uint64_t>(key, 8)};
    if (now.first > INT64_MAX || now.second > newest_ || now < least_ || (last_ && now <= *last_)) return false;
    (leaf ? last_.emplace() : least_) = now;
    return true;
  }

  // A tree's node and all below it. With `names` it is a file system tree, whose children are object ids; without, an object map, read into `out`.
  Result<void> walk(std::uint64_t number, std::optional<std::size_t> expected, const ObjectMap* names, ObjectMap& out) {
    if (!seen_.insert(number).second) return corrupt(number, "two parents have this node");
    ICECORE_ASSIGN(const Block node, read_object(number, {kRoot, kNode}));
    const auto flags = load_le<std::uint16_t>(node, 0x20);
    const std::size_t level = load_le<std::uint16_t>(node, 0x22), count = load_le<std::uint32_t>(node, 0x24);
    const bool fixed = (flags & 4) != 0, leaf = (flags & 2) != 0;
    if (load_le<std::uint16_t>(node, 28) != (names == nullptr ? kObjectMap : kFileTree)) return corrupt(number, "a node of another kind of tree");
    if (level > kMaximumLevel || leaf != (level == 0) || fixed != (names == nullptr) || level != expected.value_or(level))
      return corrupt(number, "a node that is not of its tree");
    const std::size_t table = 56U + load_le<std::uint16_t>(node, 0x28), keys = table + load_le<std::uint16_t>(node, 0x2A);
    const std::size_t end = kBlock - ((flags & 1) != 0 ? 40 : 0), entry_size = fixed ? 4 : 8;
    if (count == 0 && (expected || !leaf)) return corrupt(number, "a node without entries");
    if (keys > end || count > (keys - table) / entry_size) return corrupt(number, "a node's table is larger than the node");
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = table + i * entry_size;
      const std::size_t key_at = keys + load_le<std::uint16_t>(node, at), value_back = load_le<std::uint16_t>(node, at + (fixed ? 2 : 4));
      const std::size_t key_size = fixed ? 16 : load_le<std::uint16_t>(node, at + 2);
      const std::size_t value_size = fixed ? (leaf ? 16 : 8) : load_le<std::uint16_t>(node, at + 6);
      if (key_at + key_size > end || value_back > end || value_size > value_back || key_size < 8 || (!leaf && value_size < 8))
        return corrupt(number, "an entry leads out of its node");
      const ByteView key = ByteView(node).subspan(key_at, key_size), value = ByteView(node).subspan(end - value_back, value_size);
      if (fixed && !in_order(key, leaf)) return corrupt(number, "an object map that is out of order");
      if (leaf && fixed) out[load_le<std::uint64_t>(key, 0)] = load_le<std::uint64_t>(value, 8);  // the last one is the newest
      if (leaf && !fixed) ICECORE_CHECK(check_apfs_record(key, value, source_.size(), Location{source_.name(), number * kBlock}));
      if (leaf) continue;
      std::uint64_t child = load_le<std::uint64_t>(value, 0);
      if (names != nullptr) {
        const auto found = names->find(child);
        if (found == names->end()) return corrupt(number, fmt::format("the object map does not have the node {}", child));
        child = found->second;
      }
      ICECORE_CHECK(walk(child, level - 1, names, out));
    }
    return {};
  }

  const image::BlockSource& source_;
  std::unordered_set<std::uint64_t> seen_;  // nodes of the present tree
  std::optional<MapKey> last_;              // the last leaf's key
  MapKey least_;                            // the last inner key: what is below it is not less
  std::uint64_t newest_ = 0;
};

}  // namespace

Result<void> check_apfs(const image::BlockSource& source) { return Checker(source).run(); }

}  // namespace icecore::fs::tsk
