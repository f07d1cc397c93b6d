#include "volume/thin.h"

#include <fmt/format.h>
#include <algorithm>
#include <functional>
#include <set>

#include "core/hash.h"

namespace icecore::volume {
namespace {

constexpr std::size_t kBlock = 4096;
constexpr std::uint64_t kMagic = 27022010;
constexpr std::uint32_t kSuperblockXor = 160774, kNodeXor = 121107;
constexpr std::size_t kNodeHeader = 32;
constexpr int kMaximumDepth = 16;
constexpr std::size_t kMaximumRuns = 4'000'000;
constexpr unsigned kTimeBits = 24;  // a mapping's low bits say when it was made

struct Mapping {
  std::uint64_t from = 0, to = 0, count = 0;  // chunks
};

class Metadata {
 public:
  explicit Metadata(const image::BlockSource& source) : source_(source) {}

  Result<void> open() {
    ICECORE_ASSIGN(const Bytes block, read_block(0, kSuperblockXor));
    if (load_le<std::uint64_t>(block, 32) != kMagic) return refuse("no superblock of a thin pool", 0);
    mapping_root_ = load_le<std::uint64_t>(block, 320);
    chunk_ = std::uint64_t{load_le<std::uint32_t>(block, 336)} * 512;
    if (chunk_ == 0 || chunk_ > (std::uint64_t{1} << 30)) return refuse(fmt::format("chunks of {} bytes", chunk_), 0);
    return {};
  }

  std::uint64_t chunk() const { return chunk_; }

  Result<std::vector<Mapping>> mappings_of(std::uint64_t device) {
    std::optional<std::uint64_t> root;
    ICECORE_CHECK(walk(mapping_root_, 0, [&](std::uint64_t key, std::uint64_t value) -> Result<void> {
      if (key == device) root = value;
      return {};
    }));
    if (!root) return fail(Code::kNotFound, fmt::format("the thin pool knows no device {}", device), Location{source_.name()});
    std::vector<Mapping> runs;
    ICECORE_CHECK(walk(*root, 0, [&](std::uint64_t key, std::uint64_t value) -> Result<void> {
      const std::uint64_t to = value >> kTimeBits;
      if (!runs.empty() && key < runs.back().from + runs.back().count) return refuse("mappings are not in order", *root);
      if (!runs.empty() && runs.back().from + runs.back().count == key && runs.back().to + runs.back().count == to) {
        ++runs.back().count;
      } else if (runs.size() < kMaximumRuns) {
        runs.push_back({key, to, 1});
      } else {
        return fail(Code::kUnsupported, "a thin device in more than 4 million pieces", Location{source_.name()});
      }
      return {};
    }));
    return runs;
  }

 private:
  Failure refuse(std::string why, std::uint64_t block) const {
    return fail(Code::kCorrupt, "thin pool metadata: " + std::move(why), Location{source_.name(), block * kBlock});
  }

  Result<Bytes> read_block(std::uint64_t number, std::uint32_t mask) {
    if (number >= source_.size() / kBlock) return refuse(fmt::format("block {} lies outside it", number), 0);
    Bytes block(kBlock);
    ICECORE_CHECK(source_.read(number * kBlock, block));
    const std::uint32_t sum = crc32c(~std::uint32_t{0}, ByteView(block).subspan(4)) ^ mask;
    if (sum != load_le<std::uint32_t>(block, 0)) return refuse("a block's checksum is wrong", number);
    if (load_le<std::uint64_t>(block, 8) != number) return refuse("a block names another place as its own", number);
    return block;
  }

  // Leaves from left to right. Each block of a tree is met once, so a loop is an error and the work is bounded by the metadata's size.
  Result<void> walk(std::uint64_t root, int depth, const std::function<Result<void>(std::uint64_t, std::uint64_t)>& visit) {
    if (depth == 0) met_.clear();
    if (depth > kMaximumDepth || !met_.insert(root).second) return refuse("its tree leads in circles", root);
    ICECORE_ASSIGN(const Bytes block, read_block(root, kNodeXor));
    const ByteView view(block);
    const std::uint32_t flags = load_le<std::uint32_t>(view, 4), entries = load_le<std::uint32_t>(view, 16), most = load_le<std::uint32_t>(view, 20),
                        value_size = load_le<std::uint32_t>(view, 24);
    const bool leaf = flags == 2;
    if ((!leaf && flags != 1) || value_size != 8 || entries > most || most > (kBlock - kNodeHeader) / 16)
      return refuse("a node that cannot be", root);
    for (std::uint32_t i = 0; i < entries; ++i) {
      const auto key = load_le<std::uint64_t>(view, kNodeHeader + 8 * std::size_t{i});
      const auto value = load_le<std::uint64_t>(view, kNodeHeader + 8 * (std::size_t{most} + i));
      ICECORE_CHECK(leaf ? visit(key, value) : walk(value, depth + 1, visit));
    }
    return {};
  }

  const image::BlockSource& source_;
  std::uint64_t mapping_root_ = 0, chunk_ = 0;
  std::set<std::uint64_t> met_;
};

}  // namespace

Result<image::SourcePtr> open_thin(const ThinPool& pool, std::uint64_t id, std::uint64_t size, const image::SourcePtr& origin,
                                   const std::string& name) {
  Metadata metadata(*pool.metadata);
  ICECORE_CHECK(metadata.open());
  ICECORE_ASSIGN(const auto mappings, metadata.mappings_of(id));
  const std::uint64_t chunk = metadata.chunk();
  std::vector<MapRun> runs;
  std::uint64_t done = 0;
  const auto gap_to = [&](std::uint64_t end) {
    if (origin && done < std::min(end, origin->size())) {
      const std::uint64_t length = std::min(end, origin->size()) - done;
      runs.push_back({done, length, {{origin, done, ""}}, 0, 0});
      done += length;
    }
    if (done < end) runs.push_back({done, end - done, {}, 0, 0});
    done = std::max(done, end);
  };
  for (const Mapping& mapping : mappings) {
    if (mapping.from >= size / chunk + 1) break;
    const std::uint64_t begin = mapping.from * chunk;
    if (begin >= size) break;
    if (mapping.to > pool.data->size() / chunk || mapping.count > pool.data->size() / chunk - mapping.to)
      return fail(Code::kCorrupt, fmt::format("chunk {} of the thin device lies outside the pool's data", mapping.from), Location{name});
    gap_to(begin);
    const std::uint64_t length = std::min(mapping.count * chunk, size - begin);
    runs.push_back({begin, length, {{pool.data, mapping.to * chunk, ""}}, 0, 0});
    done = begin + length;
  }
  gap_to(size);
  return image::SourcePtr(std::make_shared<MapSource>(std::move(runs), name));
}

}  // namespace icecore::volume
