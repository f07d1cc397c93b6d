#include "engine/upload_state.h"

#include <filesystem>

namespace icecore::engine {
namespace {

constexpr std::size_t kBatch = 256;

Path cache_folder(const aws::Environment& environment) {
  const std::string cache = aws::non_empty(environment, "XDG_CACHE_HOME").value_or("");
  return (cache.empty() ? Path(aws::non_empty(environment, "HOME").value_or("/tmp")) / ".cache" : Path(cache)) / "icecore/uploads";
}

}  // namespace

Result<std::unique_ptr<UploadState>> UploadState::open(const aws::Environment& environment, const std::string& snapshot, std::uint64_t volume_size) {
  const Path folder = cache_folder(environment);
  std::error_code error;
  std::filesystem::create_directories(folder.parent_path(), error);
  ICECORE_CHECK(make_private_directory(folder));
  const Path file = folder / (snapshot + ".db");
  ICECORE_ASSIGN(auto database, image::BlockDatabase::open(file, {snapshot, volume_size}));
  std::unique_ptr<UploadState> state(new UploadState(file, std::move(database)));
  ICECORE_CHECK(state->load());
  return state;
}

UploadState::~UploadState() { (void)flush(); }

Result<void> UploadState::load() {
  return database_->for_each_in_order([&](const image::BlockRecord& record) -> Result<void> {
    confirmed_[record.index] = record.sha256;
    return {};
  });
}

std::optional<Sha256Digest> UploadState::confirmed(std::uint64_t block) const {
  const std::scoped_lock lock(mutex_);
  const auto found = confirmed_.find(block);
  return found == confirmed_.end() ? std::nullopt : std::optional(found->second);
}

Result<void> UploadState::confirm(std::uint64_t block, const Sha256Digest& sha256) {
  const std::scoped_lock lock(mutex_);
  if (!confirmed_.emplace(block, sha256).second) return {};
  waiting_.push_back({block, sha256, ""});
  if (waiting_.size() < kBatch) return {};
  ICECORE_CHECK(database_->record(waiting_, nullptr, {}));
  waiting_.clear();
  return {};
}

Result<void> UploadState::flush() {
  const std::scoped_lock lock(mutex_);
  if (!database_ || waiting_.empty()) return {};
  ICECORE_CHECK(database_->record(waiting_, nullptr, {}));
  waiting_.clear();
  return {};
}

void UploadState::remove() {
  const std::scoped_lock lock(mutex_);
  waiting_.clear();
  database_.reset();
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file_.string() + suffix, ignored);
}

}  // namespace icecore::engine
