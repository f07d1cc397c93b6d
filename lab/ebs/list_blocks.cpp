// ListSnapshotBlocks and ListChangedBlocks: ascending, in pages, with tokens that are new each time.
#include <algorithm>
#include <set>

#include "ebs/call.h"
#include "ebs/tokens.h"
#include "ec2/call.h"
#include "util/digest.h"

namespace icelab {
namespace {

struct Listing {
  std::string name;   // what a page token is good for
  std::string nonce;  // makes this listing's tokens differ from the last one's
  PagePosition position;
  std::size_t size = 0;
};

Listing read_listing(const EbsCall& ebs, const std::string& name) {
  Listing out;
  out.name = name;
  out.nonce = random_hex(12);
  const LabOptions& options = ebs.call.lab.options;
  const std::string most = ebs.text("maxResults");
  out.size = most.empty() ? 10'000 : static_cast<std::size_t>(ebs.number(most, "maxResults", 100, 10'000));
  if (options.page_size > 0) out.size = std::min(out.size, options.page_size);
  const std::string start = ebs.text("startingBlockIndex");
  if (!start.empty()) out.position.next = static_cast<BlockIndex>(ebs.number(start, "startingBlockIndex", 0, 0x7fffffff));
  // A token wins over a start.
  if (const std::string token = ebs.text("pageToken"); !token.empty()) out.position = open_page_token(ebs.call.lab, token, name);
  return out;
}

// Lists with `next(from)`, which gives the first index at or after `from`.
template <typename Next, typename Describe>
Reply list(EbsCall& ebs, const Listing& listing, const char* member, const char* shape, std::int64_t volume_size, Next next, Describe describe) {
  const Lab& lab = ebs.call.lab;
  json blocks = json::array();
  std::optional<BlockIndex> index = next(listing.position.next);
  const bool empty = lab.options.empty_pages && !listing.position.after_empty && index.has_value();
  while (!empty && index && blocks.size() < listing.size) {
    blocks.push_back(describe(*index));
    index = next(*index + 1);
  }
  json out = {{member, std::move(blocks)},
              {"ExpiryTime", iso8601(lab.clock.now() + lab.options.block_token_ms)},
              {"VolumeSize", volume_size},
              {"BlockSize", kBlockSize}};
  if (index) out["NextToken"] = page_token(lab, listing.name, {*index, empty});
  return ebs_json(shape, out);
}

// A snapshot, its volume, the snapshot that this was made from, and so on: two of one lineage end in the same.
std::vector<std::string> ancestry(Region& region, std::string id) {
  std::vector<std::string> line;
  while (std::ranges::find(line, id) == line.end()) {
    line.push_back(id);
    const auto found = region["snapshots"].find(id);
    if (found == region["snapshots"].end()) return line;
    const json& snapshot = found->second;
    if (snapshot.contains("_parent")) {
      id = snapshot["_parent"];
      continue;
    }
    const std::string volume = snapshot.value("VolumeId", "");
    if (volume == "vol-ffffffff") return line;  // a copy starts afresh
    line.push_back(volume);
    const auto source = region["volumes"].find(volume);
    const std::string parent = source == region["volumes"].end() ? "" : source->second.value("SnapshotId", "");
    if (parent.empty()) return line;
    id = parent;
  }
  return line;
}

bool related(const Lab& lab, Region& region, const std::string& first, const std::string& second) {
  const std::vector<std::string> one = ancestry(region, first), other = ancestry(region, second);
  if (!lab.options.strangers) return one.back() == other.back();
  // AWS does not say whether siblings are of one lineage: here they are not. One has to stand in the other's line, or both are of one volume.
  return std::ranges::find(one, second) != one.end() || std::ranges::find(other, first) != other.end() ||
         (one.size() > 1 && other.size() > 1 && one[1] == other[1] && one[1].starts_with("vol-"));
}

}  // namespace

Reply list_snapshot_blocks(EbsCall& ebs) {
  const ReadableSnapshot snapshot = open_snapshot(ebs, ebs.part(2));
  const Listing listing = read_listing(ebs, snapshot.id);
  const Lab& lab = ebs.call.lab;
  return list(
      ebs, listing, "Blocks", "ListSnapshotBlocksResponse", snapshot.volume_size, [&](BlockIndex from) { return snapshot.image->next_written(from); },
      [&](BlockIndex index) {
        return json{{"BlockIndex", index}, {"BlockToken", block_token(lab, snapshot.id, index, listing.nonce)}};
      });
}

Reply list_changed_blocks(EbsCall& ebs) {
  const ReadableSnapshot second = open_snapshot(ebs, ebs.part(2));
  const std::string first_id = ebs.text("firstSnapshotId");
  const ReadableSnapshot first = first_id.empty() ? ReadableSnapshot{} : open_snapshot(ebs, first_id);
  {
    World& world = *ebs.call.lab.world;
    const std::lock_guard lock(world.mutex);
    if (!first_id.empty() && !related(ebs.call.lab, *ebs.call.region, first.id, second.id))
      ebs_invalid("The snapshots '" + first.id + "' and '" + second.id + "' are not of the same lineage.", "UNRELATED_SNAPSHOTS");
  }
  const Listing listing = read_listing(ebs, first_id + ">" + second.id);
  const auto next = [&](BlockIndex from) -> std::optional<BlockIndex> {
    for (;;) {
      auto index = second.image->next_written(from);
      if (!first.image) return index;
      const auto in_first = first.image->next_written(from);
      if (!index || (in_first && *in_first < *index)) index = in_first;
      if (!index || !first.image->same_block(*second.image, *index)) return index;
      from = *index + 1;
    }
  };
  const Lab& lab = ebs.call.lab;
  const auto describe = [&](BlockIndex index) {
    json block = {{"BlockIndex", index}};
    if (first.image && first.image->is_written(index)) block["FirstBlockToken"] = block_token(lab, first.id, index, listing.nonce);
    if (second.image->is_written(index)) block["SecondBlockToken"] = block_token(lab, second.id, index, listing.nonce);
    return block;
  };
  return list(ebs, listing, "ChangedBlocks", "ListChangedBlocksResponse", second.volume_size, next, describe);
}

}  // namespace icelab
