#include "engine/lineage.h"

#include <fmt/format.h>

#include "core/interrupt.h"
#include "engine/evidence_calls.h"
#include "image/block_store.h"

namespace icecore::engine {
namespace {

std::uint64_t blocks_of(const SnapshotRecord& record) { return record.size_gib * ((std::uint64_t{1} << 30) / image::kBlockSize); }

void invert(image::Bitmap& bits) {
  for (std::uint64_t& word : bits.words()) word = ~word;
  if (const std::uint64_t rest = bits.size() % 64; rest != 0) bits.words().back() &= (std::uint64_t{1} << rest) - 1;
}

void unite(image::Bitmap& bits, const image::Bitmap& other) {
  for (std::uint64_t block = 0; block < std::min(bits.size(), other.size()); block += 64) bits.words()[block / 64] |= other.words()[block / 64];
  // What the other does not have cannot be the same there.
  if (other.size() < bits.size()) bits.set_range(other.size(), bits.size());
}

}  // namespace

Result<Lineage::Changed> Lineage::changed(const std::string& first, const SnapshotRecord& second, std::string& reason) {
  const auto key = std::pair(first, second.snapshot);
  if (const auto known = changed_.find(key); known != changed_.end()) return known->second;
  ICECORE_ASSIGN(aws::Session* const session, workspace_.aws());
  ICECORE_ASSIGN(auto ebs, session->ebs(region_));
  image::Bitmap bits(blocks_of(second));
  std::optional<std::string> page;
  do {
    if (interrupted()) return interruption();
    auto reply = ebs.list_changed_blocks({.first_snapshot = first, .second_snapshot = second.snapshot, .page_token = page});
    if (!reply) {
      // Unrelated, not shown, not allowed: nothing is known, and everything is fetched.
      const bool refused = reply.error().reason == "UNRELATED_SNAPSHOTS" || collection_goes_on(reply.error().code);
      if (!refused) return Failure(static_cast<const Error&>(reply.error()));
      reason = reply.error().reason == "UNRELATED_SNAPSHOTS" ? fmt::format("{} and {} are not of one lineage", first, second.snapshot)
                                                             : reply.error().message;
      return changed_[key] = std::nullopt;
    }
    for (const aws::ChangedBlock& block : reply->blocks)
      if (block.index < bits.size()) bits.set(block.index);
    page = std::move(reply->next_token);
  } while (page);
  return changed_[key] = std::move(bits);
}

Result<std::string> Lineage::origin(const std::string& volume) {
  if (const auto known = origins_.find(volume); known != origins_.end()) return known->second;
  ICECORE_ASSIGN(aws::Session* const session, workspace_.aws());
  ICECORE_ASSIGN(auto ec2, session->ec2(region_));
  // By filter: a volume that is gone is no error then.
  const auto listed = ec2.describe_volumes({.filters = {{"volume-id", {volume}}}});
  if (!listed && !collection_goes_on(listed.error().code)) return Failure(static_cast<const Error&>(listed.error()));
  return origins_[volume] = listed && !listed->items.empty() ? listed->items.front().snapshot_id : "";
}

Result<std::optional<Kinship>> Lineage::compare(const SnapshotRecord& first, const SnapshotRecord& second, std::string& reason) {
  ICECORE_ASSIGN(Changed direct, changed(first.snapshot, second, reason));
  if (direct) {
    invert(*direct);
    return std::optional(Kinship{std::move(*direct), ""});
  }
  ICECORE_ASSIGN(const std::string from, origin(first.volume));
  ICECORE_ASSIGN(const std::string to, origin(second.volume));
  if (from.empty() || from != to) return std::optional<Kinship>();
  std::string why;
  ICECORE_ASSIGN(Changed ours, changed(to, second, why));
  ICECORE_ASSIGN(const Changed theirs, changed(from, first, why));
  if (!ours || !theirs) {
    reason = fmt::format("{}, nor can they be compared through {}, from which both volumes were made: {}", reason, from, why);
    return std::optional<Kinship>();
  }
  unite(*ours, *theirs);
  invert(*ours);
  return std::optional(Kinship{std::move(*ours), from});
}

}  // namespace icecore::engine
