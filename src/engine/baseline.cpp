#include "engine/baseline.h"

#include <fmt/format.h>
#include <algorithm>

#include "core/file.h"
#include "engine/lineage.h"

namespace icecore::engine {
namespace {

struct Candidate {
  SnapshotRecord record;
  Path folder;  ///< of image.raw and blocks.db
};

Result<std::optional<Candidate>> candidate_in(const Path& folder) {
  std::error_code ignored;
  if (!std::filesystem::exists(folder / "blocks.db", ignored) || !std::filesystem::exists(folder / "image.raw", ignored))
    return std::optional<Candidate>();
  ICECORE_ASSIGN(const std::string text, read_text_file(folder / "snapshot.json"));
  ICECORE_ASSIGN(SnapshotRecord record, parse_snapshot_record(text));
  return std::optional(Candidate{std::move(record), folder});
}

Result<std::vector<Candidate>> candidates_in(const Path& case_folder) {
  std::error_code error;
  std::vector<Candidate> found;
  for (const auto& entry : std::filesystem::directory_iterator(case_folder / "snapshots", error)) {
    ICECORE_ASSIGN(auto candidate, candidate_in(entry.path()));
    if (candidate) found.push_back(std::move(*candidate));
  }
  std::ranges::sort(found, {}, [](const Candidate& one) { return one.record.snapshot; });
  return found;
}

/// The baselines of one snapshot.
class Adoption {
 public:
  Adoption(Workspace& workspace, Disk& disk, const SnapshotRecord& record, Lineage& lineage)
      : workspace_(workspace), disk_(disk), record_(record), lineage_(lineage), written_(disk.on_demand->written_blocks()) {}

  Result<void> consider(const Candidate& candidate) {
    if (candidate.record.snapshot == record_.snapshot) return use(candidate, {all(), ""});
    if (candidate.record.region != record_.region) return {};
    std::string reason;
    ICECORE_ASSIGN(auto kinship, lineage_.compare(candidate.record, record_, reason));
    if (kinship) return use(candidate, std::move(*kinship));
    // The data volume of a sibling is no news; a baseline of which nothing is of use is.
    refusals_.push_back(std::move(reason));
    return {};
  }

  void finish() {
    std::ranges::stable_sort(donors_, std::greater(), [](const image::DonorPtr& donor) { return donor->usable_blocks(); });
    if (donors_.empty() && !refusals_.empty())
      workspace_.say(fmt::format("no baseline helps with {}: {}; everything is fetched", record_.snapshot, refusals_.front()));
    disk_.on_demand->use_donors(std::move(donors_));
  }

 private:
  image::Bitmap all() const {
    image::Bitmap bits(written_.size());
    bits.set_range(0, bits.size());
    return bits;
  }

  Result<void> use(const Candidate& candidate, Kinship kinship) {
    // Only what the snapshot is known to hold: the rest is zeros, and stays a hole.
    for (std::size_t i = 0; i < kinship.same.words().size(); ++i) kinship.same.words()[i] &= written_.words()[i];
    ICECORE_ASSIGN(const auto donor, image::Donor::open(candidate.folder));
    ICECORE_CHECK(donor->mark_same(kinship.same));
    if (donor->usable_blocks() == 0) return {};
    workspace_.say(fmt::format("{}: {} of its {} written blocks are the same in {}{} and are taken from {}", record_.snapshot, donor->usable_blocks(),
                               written_.count(), donor->snapshot(), kinship.via.empty() ? "" : " (through " + kinship.via + ")",
                               candidate.folder.string()));
    ICECORE_CHECK(workspace_.folder().ledger().note({{"note", "baseline"},
                                                     {"snapshot", record_.snapshot},
                                                     {"baseline", donor->snapshot()},
                                                     {"via", kinship.via},
                                                     {"image", candidate.folder.string()},
                                                     {"blocks", donor->usable_blocks()}}));
    donors_.push_back(donor);
    return {};
  }

  Workspace& workspace_;
  Disk& disk_;
  const SnapshotRecord& record_;
  Lineage& lineage_;
  const image::Bitmap written_;
  std::vector<image::DonorPtr> donors_;
  std::vector<std::string> refusals_;
};

}  // namespace

Result<void> check_baselines(const std::vector<Path>& cases) {
  std::error_code error;
  for (const Path& folder : cases)
    if (!std::filesystem::exists(folder / "case.json", error))
      return fail(Code::kInvalidArgument, fmt::format("the baseline {} is no case folder (it has no case.json)", folder.string()));
  return {};
}

Result<void> use_baselines(Workspace& workspace, Target& target, const std::vector<Path>& cases) {
  std::vector<Candidate> candidates;
  for (const Path& folder : cases) {
    ICECORE_ASSIGN(auto found, candidates_in(folder));
    std::ranges::move(found, std::back_inserter(candidates));
  }
  ICECORE_ASSIGN(const auto records, snapshots_of(workspace.folder()));
  ICECORE_ASSIGN(const auto own, candidates_in(workspace.folder().path()));
  for (Disk& disk : target.disks) {
    const auto record = std::ranges::find(records, disk.snapshot, &SnapshotRecord::snapshot);
    if (!disk.on_demand || record == records.end()) continue;
    ICECORE_CHECK(disk.on_demand->list_all());
    if (disk.on_demand->progress().complete) continue;
    Lineage lineage(workspace, record->region);
    Adoption adoption(workspace, disk, *record, lineage);
    for (const Candidate& candidate : candidates) ICECORE_CHECK(adoption.consider(candidate));
    // In its own case: earlier snapshots of the same volume.
    for (const Candidate& candidate : own)
      if (candidate.record.volume == record->volume && candidate.record.snapshot != record->snapshot) ICECORE_CHECK(adoption.consider(candidate));
    adoption.finish();
  }
  return {};
}

}  // namespace icecore::engine
