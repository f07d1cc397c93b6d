#include "image/verify_image.h"

#include <fmt/format.h>
#include <algorithm>
#include <mutex>

#include "core/parallel.h"
#include "image/merkle.h"
#include "image/whole_image.h"

namespace icecore::image {
namespace {

constexpr std::size_t kBatch = 4096;  // blocks hashed side by side before the next rows are read

class ImageVerification {
 public:
  ImageVerification(const Path& folder, std::span<const ImageLogState> seals, bool unfinished, std::size_t threads, Progress& progress)
      : folder_(folder), seals_(seals.begin(), seals.end()), unfinished_(unfinished), threads_(threads), progress_(progress) {}

  Result<ImageCheck> run() {
    std::ranges::sort(seals_, {}, &ImageLogState::blocks);
    const Result<void> done = check();
    // Damage that stops the reading is a problem of the evidence; the local disk's errors are not.
    if (!done && (done.error().code == Code::kIo || done.error().code == Code::kPermission || done.error().code == Code::kInterrupted))
      return Failure(done.error());
    if (!done) problem("blocks.db", std::nullopt, to_string(done.error()));
    std::ranges::stable_sort(check_.problems, {}, [](const ImageProblem& one) { return std::pair(one.file, one.block); });
    return std::move(check_);
  }

 private:
  Result<void> check() {
    if (!std::filesystem::exists(folder_ / "blocks.db")) return fail(Code::kIntegrity, "blocks.db is missing");
    if (!std::filesystem::exists(folder_ / "image.raw")) return fail(Code::kIntegrity, "image.raw is missing");
    ICECORE_ASSIGN(database_, BlockDatabase::open_read_only(folder_ / "blocks.db"));
    std::uint64_t size = 0;
    ICECORE_ASSIGN(file_, open_image_file_read_only(folder_ / "image.raw", size));
    if (size != database_->identity().volume_size)
      problem("image.raw", std::nullopt, fmt::format("it has {} bytes, and the volume {}", size, database_->identity().volume_size));
    size_ = std::min(size, database_->identity().volume_size);
    recorded_.emplace(database_->block_count());
    ICECORE_CHECK(check_recorded());
    check_seals_are_met();
    ICECORE_CHECK(check_unrecorded());
    return check_whole();
  }

  Result<void> check_recorded() {
    progress_.begin("checking blocks", database_->log().blocks, "blocks");
    std::vector<BlockRecord> batch;
    ICECORE_CHECK(database_->for_each_recorded([&](std::uint64_t sequence, const BlockRecord& record) -> Result<void> {
      log_.add(record);
      if (sequence != log_.blocks && !sequence_told_) {
        sequence_told_ = true;
        problem("blocks.db", record.index, fmt::format("row {} stands where row {} was: rows were removed, added or moved", sequence, log_.blocks));
      }
      check_seal();
      if (!recorded_->set(record.index)) problem("blocks.db", record.index, "the block is recorded twice");
      batch.push_back(record);
      return batch.size() < kBatch ? Result<void>() : hash_blocks(batch);
    }));
    ICECORE_CHECK(hash_blocks(batch));
    progress_.end();
    if (log_.blocks != database_->log().blocks || log_.hash != database_->log().hash)
      problem("blocks.db", std::nullopt, "its rows do not hash to the value it keeps of them: rows were changed, removed or added");
    return {};
  }

  Result<void> hash_blocks(std::vector<BlockRecord>& batch) {
    ICECORE_CHECK(parallel_for(batch.size(), threads_, [&](std::size_t i) { return hash_block(batch[i]); }));
    check_.blocks += batch.size();
    progress_.update(check_.blocks);
    batch.clear();
    return {};
  }

  Result<void> hash_block(const BlockRecord& record) {
    const std::uint64_t offset = record.index * kBlockSize;
    if (offset + kBlockSize > size_) {
      problem("image.raw", record.index, "the block is missing: the file ends before it");
      return {};
    }
    Bytes bytes(kBlockSize);
    ICECORE_CHECK(file_->read(offset, bytes));
    const Sha256Digest found = sha256(bytes);
    if (found != record.sha256)
      problem("image.raw", record.index, fmt::format("its SHA-256 is {}, and blocks.db says {}", to_hex(found), to_hex(record.sha256)));
    return {};
  }

  // The ledger sealed the first n rows; what came behind them does not matter.
  void check_seal() {
    for (; next_seal_ < seals_.size() && seals_[next_seal_].blocks <= log_.blocks; ++next_seal_)
      if (seals_[next_seal_].blocks == log_.blocks && seals_[next_seal_].sha256 != to_hex(log_.hash))
        problem("blocks.db", std::nullopt, fmt::format("its first {} rows are not those that the ledger sealed", log_.blocks));
  }

  void check_seals_are_met() {
    check_seal();
    for (; next_seal_ < seals_.size(); ++next_seal_)
      problem("blocks.db", std::nullopt,
              fmt::format("the ledger sealed {} rows, and only {} are there: rows were removed", seals_[next_seal_].blocks, log_.blocks));
  }

  Result<void> check_unrecorded() {
    std::uint64_t stray = 0;
    std::uint64_t next = 0;
    Bytes bytes(kBlockSize);
    const auto look = [&](std::uint64_t offset, std::uint64_t length) -> Result<void> {
      const std::uint64_t end = std::min(recorded_->size(), (offset + length + kBlockSize - 1) / kBlockSize);
      for (std::uint64_t block = std::max(next, offset / kBlockSize); block < end; ++block) {
        next = block + 1;
        if (recorded_->test(block) || block * kBlockSize >= size_) continue;
        const std::uint64_t here = std::min(kBlockSize, size_ - block * kBlockSize);
        ICECORE_CHECK(file_->read(block * kBlockSize, std::span(bytes).first(here)));
        const auto first = std::ranges::find_if(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(here),
                                                [](std::byte byte) { return byte != std::byte{0}; });
        if (first == bytes.begin() + static_cast<std::ptrdiff_t>(here)) continue;
        ++stray;
        const auto at = static_cast<std::uint64_t>(first - bytes.begin());
        if (!unfinished_) problem("image.raw", block, fmt::format("it holds data (from its byte {}) and is not recorded: it was added", at), at);
      }
      return {};
    };
    ICECORE_CHECK(file_->for_each_extent(look));
    if (stray != 0 && unfinished_)
      check_.notes.push_back(
          fmt::format("{} blocks hold data that was not recorded when the run was killed; they are fetched again when needed", stray));
    return {};
  }

  Result<void> check_whole() {
    ICECORE_ASSIGN(const auto hash, database_->meta(kImageHashKey));
    ICECORE_ASSIGN(const auto root, database_->meta(kMerkleRootKey));
    if (!hash && !root) return {};
    ICECORE_ASSIGN(const std::string found, merkle_root_of(*database_));
    if (!root || *root != found) problem("blocks.db", std::nullopt, "the Merkle root it keeps is not that of its rows");
    if (!hash || size_ != database_->identity().volume_size || !check_.problems.empty()) {
      if (!hash) problem("blocks.db", std::nullopt, "the image's SHA-256 is missing beside its Merkle root");
      return {};
    }
    ICECORE_ASSIGN(const std::string whole, image_sha256_of(*file_, *recorded_, progress_));
    if (whole != *hash) problem("blocks.db", std::nullopt, fmt::format("the image's SHA-256 is {}, and blocks.db keeps {}", whole, *hash));
    return {};
  }

  void problem(std::string file, std::optional<std::uint64_t> block, std::string message, std::uint64_t within = 0) {
    const std::scoped_lock lock(mutex_);
    std::optional<std::uint64_t> offset;
    if (block) offset = *block * kBlockSize + within;
    check_.problems.push_back({std::move(file), block, offset, std::move(message)});
  }

  const Path& folder_;
  std::vector<ImageLogState> seals_;
  const bool unfinished_;
  const std::size_t threads_;
  Progress& progress_;
  std::unique_ptr<BlockDatabase> database_;
  std::unique_ptr<ImageFile> file_;
  std::uint64_t size_ = 0;
  std::optional<Bitmap> recorded_;
  BlockLog log_;
  std::size_t next_seal_ = 0;
  bool sequence_told_ = false;
  std::mutex mutex_;  // guards check_.problems
  ImageCheck check_;
};

}  // namespace

Result<ImageCheck> verify_image(const Path& folder, const std::vector<ImageLogState>& seals, bool unfinished, std::size_t threads,
                                Progress& progress) {
  return ImageVerification(folder, seals, unfinished, threads == 0 ? cpu_count() : threads, progress).run();
}

}  // namespace icecore::image
