#include "engine/upload.h"

#include <fmt/format.h>
#include <algorithm>
#include <atomic>
#include <filesystem>

#include "aws/operations.h"
#include "core/interrupt.h"
#include "core/parallel.h"
#include "engine/evidence_calls.h"
#include "engine/snapshots.h"
#include "engine/upload_state.h"
#include "image/block_store.h"

namespace icecore::engine {
namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
constexpr std::uint32_t kPatienceMinutes = 4'320;  // the most that AWS waits for the next block: three days to resume in

using Digests = std::vector<std::pair<std::uint64_t, Sha256Digest>>;

std::string absolute(const std::string& image) {
  std::error_code error;
  const Path path = std::filesystem::absolute(image, error);
  return error ? image : path.lexically_normal().string();
}

/// One upload, or the plan of one.
class Upload {
 public:
  Upload(Workspace& workspace, const image::BlockSource& source, const UploadOptions& options)
      : workspace_(workspace), source_(source), options_(options), image_(absolute(options.image)) {}

  Result<UploadPlan> plan() {
    ICECORE_CHECK(prepare());
    ICECORE_CHECK(for_each_block("reading", [](std::uint64_t, ByteView, const Sha256Digest&) -> Result<void> { return {}; }));
    return UploadPlan{size_gib_, digests_.size(), price(digests_.size())};
  }

  Result<Uploaded> run() {
    ICECORE_CHECK(prepare());
    ICECORE_CHECK(find_or_start());
    const bool sent_before = is_collected(workspace_.folder(), record_file());
    if (!sent_before) {
      ICECORE_CHECK(send());
      ICECORE_CHECK(complete());
    }
    ICECORE_ASSIGN(auto ec2, session_->ec2());
    SnapshotRecord record;
    record.snapshot = snapshot_;
    ICECORE_CHECK(wait_for_snapshots(workspace_, ec2, {record}));
    ICECORE_ASSIGN(const std::string text, workspace_.folder().read(record_file()));
    ICECORE_ASSIGN(const Json json, parse_json(text, record_file()));
    if (sent_before) ICECORE_CHECK(check_unchanged(text_at(json, "linear_sha256")));
    return Uploaded{snapshot_, size_gib_, json.value("blocks", std::uint64_t{0}), sent_, text_at(json, "linear_sha256")};
  }

 private:
  using Visit = std::function<Result<void>(std::uint64_t block, ByteView bytes, const Sha256Digest& hash)>;

  std::string record_file() const { return fmt::format("uploads/{}.json", snapshot_); }
  static double price(std::uint64_t blocks) { return aws::cost_dollars(aws::operation("ebs", "PutSnapshotBlock"), blocks); }

  Result<void> prepare() {
    ICECORE_ASSIGN(session_, workspace_.aws());
    if (workspace_.has_case()) ICECORE_CHECK(workspace_.identity());
    const std::uint64_t needed = (source_.size() + kGiB - 1) / kGiB;
    if (options_.size_gib != 0 && options_.size_gib < needed)
      return fail(Code::kInvalidArgument, fmt::format("{} has {} bytes and does not fit into {} GiB", image_, source_.size(), options_.size_gib));
    size_gib_ = std::max(options_.size_gib, needed);
    if (!options_.parent.empty()) ICECORE_CHECK(look_at_parent());
    return {};
  }

  // What the parent has and the image has not must be written as zeros.
  Result<void> look_at_parent() {
    ICECORE_ASSIGN(auto ebs, session_->ebs());
    std::optional<std::string> page;
    do {
      auto reply = ebs.list_snapshot_blocks({.snapshot = options_.parent, .page_token = page});
      if (!reply) return Failure(static_cast<const Error&>(reply.error()));
      size_gib_ = std::max(size_gib_, reply->volume_size_gib);
      if (!in_parent_) in_parent_.emplace(reply->volume_size_gib * (kGiB / image::kBlockSize));
      for (const aws::ListedBlock& block : reply->blocks) in_parent_->set(block.index);
      page = std::move(reply->next_token);
    } while (page && !interrupted());
    return interrupted() ? Result<void>(interruption()) : Result<void>();
  }

  bool parent_has(std::uint64_t block) const { return in_parent_ && block < in_parent_->size() && in_parent_->test(block); }

  // Every block of the volume that has to be in the snapshot, on many threads; their hashes are kept.
  Result<void> for_each_block(const std::string& what, const Visit& visit) {
    const std::uint64_t count = size_gib_ * (kGiB / image::kBlockSize);
    std::atomic<std::uint64_t> done{0};
    std::mutex mutex;
    digests_.clear();
    workspace_.progress().begin(what, count, "blocks");
    const Result<void> through = parallel_for(count, workspace_.options().fetch_threads, [&](std::size_t i) -> Result<void> {
      thread_local Bytes bytes(image::kBlockSize);
      ICECORE_ASSIGN(const bool wanted, read_block(i, bytes));
      if (wanted) {
        const Sha256Digest hash = sha256(bytes);
        ICECORE_CHECK(visit(i, bytes, hash));
        const std::scoped_lock lock(mutex);
        digests_.emplace_back(i, hash);
      }
      if (const std::uint64_t now = ++done; now % 64 == 0) {
        const std::scoped_lock lock(mutex);
        workspace_.progress().update(done);
      }
      return {};
    });
    workspace_.progress().end();
    ICECORE_CHECK(through);
    std::ranges::sort(digests_, {}, &Digests::value_type::first);
    return {};
  }

  // The image's last block is filled up with zeros, as a volume's is.
  Result<bool> read_block(std::uint64_t block, Bytes& bytes) const {
    const std::uint64_t offset = block * image::kBlockSize;
    const std::uint64_t length = offset >= source_.size() ? 0 : std::min<std::uint64_t>(image::kBlockSize, source_.size() - offset);
    const auto rest = std::span(bytes).subspan(length);
    std::ranges::fill(rest, std::byte{0});
    if (length != 0) ICECORE_CHECK(source_.read(offset, std::span(bytes).first(length)));
    return parent_has(block) || !is_all_zero(bytes);
  }

  Json identity_of(const std::string& id) const {
    return {{"kind", "snapshot"}, {"id", id}, {"evidence", true}, {"upload", image_}, {"size_gib", size_gib_}, {"parent", options_.parent}};
  }

  Result<void> find_or_start() {
    std::size_t given_up = 0;
    for (const evidence::ResourceRecord& made : workspace_.folder().ledger().summary().resources()) {
      if (made.detail != identity_of(made.id)) continue;
      ICECORE_ASSIGN(const bool alive, is_alive(made.id));
      if (alive) {
        snapshot_ = made.id;
        workspace_.say(fmt::format("going on with {}", snapshot_));
        return {};
      }
      ++given_up;
    }
    return start(given_up);
  }

  Result<bool> is_alive(const std::string& id) {
    ICECORE_ASSIGN(auto ec2, session_->ec2());
    const auto found = ec2.describe_snapshots({.ids = {id}});
    if (!found && found.error().code != Code::kNotFound) return Failure(static_cast<const Error&>(found.error()));
    if (found && !found->items.empty() && found->items.front().state != "error") return true;
    workspace_.say(fmt::format("{} was given up by AWS or removed; a new snapshot is begun", id));
    return false;
  }

  // The token is the same whenever this upload is begun anew: a run that was killed before it heard of the snapshot gets the same one.
  Result<void> start(std::size_t given_up) {
    const std::string description =
        options_.description.empty() ? "icecore upload of " + Path(options_.image).filename().string() : options_.description;
    const Json what = {workspace_.folder().identity().id, image_, size_gib_, options_.parent, description, options_.tags, given_up};
    const std::string token = to_hex(sha256(as_bytes(what.dump(-1, ' ', false, Json::error_handler_t::replace)))).substr(0, 32);
    aws::Ebs::StartRequest request{size_gib_, description, token, options_.parent, {}, kPatienceMinutes};
    request.tags = {{"icecore:case", workspace_.folder().identity().id}, {"icecore:subject", Path(options_.image).filename().string()}};
    for (const auto& [key, value] : options_.tags) request.tags.push_back({key, value});
    ICECORE_ASSIGN(auto ebs, session_->ebs());
    evidence::Ledger& ledger = workspace_.folder().ledger();
    ICECORE_ASSIGN(const std::uint64_t act,
                   ledger.intend({{"act", "start-upload"}, {"image", image_}, {"size_gib", size_gib_}, {"client_token", token}}));
    auto made = ebs.start_snapshot(request);
    if (!made) {
      ICECORE_CHECK(ledger.conclude(act, {{"ok", false}, {"error", to_string(made.error())}}));
      return Failure(static_cast<const Error&>(made.error()));
    }
    snapshot_ = *made;
    return ledger.conclude(act, {{"ok", true}, {"created", Json::array({identity_of(snapshot_)})}});
  }

  Result<void> send() {
    ICECORE_ASSIGN(state_, UploadState::open(workspace_.options().environment, snapshot_, size_gib_ * kGiB));
    ICECORE_ASSIGN(auto ebs, session_->ebs());
    const Result<void> done = for_each_block("uploading", [&](std::uint64_t block, ByteView bytes, const Sha256Digest& hash) -> Result<void> {
      if (const auto known = state_->confirmed(block)) {
        if (*known == hash) return {};
        return fail(Code::kConflict, fmt::format("block {} of {} is not what was uploaded to {} before: the image was changed. Remove that "
                                                 "snapshot, and upload into a new case",
                                                 block, image_, snapshot_));
      }
      auto put = ebs.put_snapshot_block(snapshot_, block, bytes);
      if (!put) return Failure(static_cast<const Error&>(put.error()));
      ++sent_;
      return state_->confirm(block, hash);
    });
    ICECORE_CHECK(state_->flush());
    return done;
  }

  Sha256Digest linear_hash() const {
    Sha256 all;
    for (const auto& [block, hash] : digests_) all.update(hash);
    return all.finish();
  }

  // A later run on an upload that is through: the image may have become another.
  Result<void> check_unchanged(const std::string& linear) {
    ICECORE_CHECK(for_each_block("checking", [](std::uint64_t, ByteView, const Sha256Digest&) -> Result<void> { return {}; }));
    if (to_hex(linear_hash()) == linear) return {};
    return fail(Code::kConflict,
                fmt::format("{} was uploaded as {}, and the image was changed since; --case NEW_FOLDER uploads it anew", image_, snapshot_));
  }

  Result<void> complete() {
    const Sha256Digest linear = linear_hash();
    ICECORE_ASSIGN(auto ebs, session_->ebs());
    auto completed = ebs.complete_snapshot(snapshot_, digests_.size(), linear);
    // A run that was killed after the call, and before it wrote the record below, has completed it already.
    const bool before = !completed && completed.error().code == Code::kConflict && sent_ == 0;
    if (!completed && !before) return Failure(static_cast<const Error&>(completed.error()));
    const Json record = {{"format", "icecore-upload/1"}, {"snapshot", snapshot_},     {"image", image_},           {"image_bytes", source_.size()},
                         {"size_gib", size_gib_},        {"parent", options_.parent}, {"blocks", digests_.size()}, {"linear_sha256", to_hex(linear)}};
    ICECORE_CHECK(workspace_.folder().write_evidence(record_file(), record.dump(2) + '\n', "what was uploaded, hashed here"));
    state_->remove();
    return {};
  }

  Workspace& workspace_;
  const image::BlockSource& source_;
  const UploadOptions& options_;
  const std::string image_;
  aws::Session* session_ = nullptr;
  std::uint64_t size_gib_ = 0;
  std::optional<image::Bitmap> in_parent_;
  std::string snapshot_;
  std::unique_ptr<UploadState> state_;
  Digests digests_;
  std::atomic<std::uint64_t> sent_{0};
};

}  // namespace

Result<UploadPlan> plan_upload(Workspace& workspace, const image::BlockSource& source, const UploadOptions& options) {
  return Upload(workspace, source, options).plan();
}

Result<Uploaded> upload(Workspace& workspace, const image::BlockSource& source, const UploadOptions& options) {
  return Upload(workspace, source, options).run();
}

}  // namespace icecore::engine
