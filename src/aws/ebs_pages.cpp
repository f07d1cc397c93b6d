// The listings of the EBS direct APIs, JSON → pages.
#include <fmt/format.h>

#include "aws/ebs.h"
#include "aws/json_values.h"

namespace icecore::aws {
namespace {

constexpr std::uint64_t kMaximumGib = 64 * 1024;  // EBS volumes end at 64 TiB

struct PageHead {
  std::uint64_t volume_size_gib;
  std::uint64_t block_size;
};

Result<PageHead> read_head(const Json& page) {
  const auto gib = number_at(page, "VolumeSize");
  const auto block = number_at(page, "BlockSize");
  if (!gib || *gib == 0 || *gib > kMaximumGib) return fail(Code::kCorrupt, "the listing names no sensible volume size");
  if (!block) return fail(Code::kCorrupt, "the listing names no block size");
  if (*block != kBlockBytes)
    return fail(Code::kUnsupported, fmt::format("the listing has blocks of {} bytes, only {} are read", *block, kBlockBytes));
  return PageHead{*gib, *block};
}

/// The next index must be past the last and inside the volume: order is what the on-demand image relies on.
Result<std::uint64_t> read_index(const Json& item, std::optional<std::uint64_t> last, std::uint64_t gib) {
  const auto index = number_at(item, "BlockIndex");
  if (!index) return fail(Code::kCorrupt, "the listing holds a block without an index");
  if (last && *index <= *last) return fail(Code::kCorrupt, fmt::format("the listing is not ascending: block {} after {}", *index, *last));
  if (*index >= gib * (std::uint64_t{1} << 30) / kBlockBytes) {
    return fail(Code::kCorrupt, fmt::format("block {} lies outside the volume of {} GiB", *index, gib));
  }
  return *index;
}

const Json& items_of(const Json& page, std::string_view member) {
  static const Json none = Json::array();
  const Json& items = json_at(page, {member});
  return items.is_array() ? items : none;
}

}  // namespace

Result<BlockPage> parse_block_page(std::string_view body) {
  ICECORE_ASSIGN(const Json page, parse_json(body, "the reply of ListSnapshotBlocks"));
  ICECORE_ASSIGN(const PageHead head, read_head(page));
  BlockPage out{{}, filled_text_at(page, "NextToken"), head.volume_size_gib, head.block_size, epoch_at(page, "ExpiryTime")};
  const Json& items = items_of(page, "Blocks");
  out.blocks.reserve(items.size());
  std::optional<std::uint64_t> last;
  for (const Json& item : items) {
    ICECORE_ASSIGN(last, read_index(item, last, head.volume_size_gib));
    auto token = filled_text_at(item, "BlockToken");
    if (!token) return fail(Code::kCorrupt, fmt::format("the listing has no token for block {}", *last));
    out.blocks.push_back({*last, std::move(*token)});
  }
  return out;
}

Result<ChangedPage> parse_changed_page(std::string_view body) {
  ICECORE_ASSIGN(const Json page, parse_json(body, "the reply of ListChangedBlocks"));
  ICECORE_ASSIGN(const PageHead head, read_head(page));
  ChangedPage out{{}, filled_text_at(page, "NextToken"), head.volume_size_gib};
  std::optional<std::uint64_t> last;
  for (const Json& item : items_of(page, "ChangedBlocks")) {
    ICECORE_ASSIGN(last, read_index(item, last, head.volume_size_gib));
    out.blocks.push_back({*last, text_at(item, "FirstBlockToken"), text_at(item, "SecondBlockToken")});
  }
  return out;
}

}  // namespace icecore::aws
