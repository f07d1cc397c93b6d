#include "fs/tsk/handle.h"

#include <fmt/format.h>
#include <algorithm>

#include "core/text.h"

namespace icecore::fs::tsk {
namespace {

constexpr std::uint64_t kBudgetFloor = std::uint64_t{64} << 20;

ssize_t read_source(TSK_IMG_INFO* info, TSK_OFF_T offset, char* out, size_t length) {
  auto& image = *static_cast<SourceImage*>(info);
  const std::uint64_t size = image.source->size();
  const auto refuse = [&](std::optional<Error> why) -> ssize_t {
    if (why && !image.failure) image.failure = std::move(why);
    tsk_error_set_errno(TSK_ERR_IMG_READ);
    return -1;
  };
  if (offset < 0 || static_cast<std::uint64_t>(offset) >= size) return refuse(std::nullopt);
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(length, size - static_cast<std::uint64_t>(offset)));
  if (count > image.budget)
    return refuse(Error{Code::kCorrupt, "one look-up reads the volume over and over: its structures lead in circles",
                        Location{image.source->name(), static_cast<std::uint64_t>(offset)}, nullptr});
  image.budget -= count;
  auto done = image.source->read(static_cast<std::uint64_t>(offset), std::as_writable_bytes(std::span(out, count)));
  if (!done) return refuse(std::move(done).error());
  return static_cast<ssize_t>(count);
}

void close_nothing(TSK_IMG_INFO*) {}
void describe_nothing(TSK_IMG_INFO*, FILE*) {}

// Two times the volume is more than any honest look-up reads; small volumes are read again through a small cache.
std::uint64_t budget_for(std::uint64_t size) { return size > UINT64_MAX / 4 ? UINT64_MAX : std::max(kBudgetFloor, size * 2); }

}  // namespace

Handle::Handle(image::SourcePtr source) : source_(std::move(source)), image_(std::make_unique<SourceImage>()) {
  image_->source = source_.get();
  const auto size = static_cast<TSK_OFF_T>(std::min<std::uint64_t>(source_->size(), INT64_MAX));
  tsk_img_open_external(static_cast<TSK_IMG_INFO*>(image_.get()), size, 512, read_source, close_nothing, describe_nothing);
}

Handle::~Handle() {
  if (fs_ != nullptr) tsk_fs_close(fs_);
  if (pool_image_ != nullptr) tsk_img_close(pool_image_);
  if (pool_ != nullptr) tsk_pool_close(pool_);
  tsk_img_close(image_.get());
}

void Handle::begin() {
  image_->failure.reset();
  image_->budget = budget_for(source_->size());
  tsk_error_reset();
}

Failure Handle::refused(std::string_view words) const {
  if (image_->failure) return Failure(*image_->failure);
  return fail(Code::kCorrupt, fmt::format("libtsk: {}", printable(words)), Location{source_->name()});
}

Failure Handle::refusal(std::string_view doing, std::optional<std::uint64_t> inode) const {
  if (image_->failure) return Failure(*image_->failure);
  const char* const words = tsk_error_get_errstr();
  const bool silent = words == nullptr || *words == '\0';
  return fail(Code::kCorrupt, fmt::format("libtsk cannot {}{}{}", doing, silent ? "" : ": ", silent ? std::string() : printable(words)),
              Location{source_->name(), std::nullopt, inode});
}

Result<void> Handle::open_with(TSK_FS_TYPE_ENUM type) {
  begin();
  try {
    fs_ = tsk_fs_open_img(image_.get(), 0, type);
  } catch (const std::exception& thrown) {
    return refused(thrown.what());
  }
  if (fs_ == nullptr) return refusal("open the filesystem");
  return {};
}

Result<void> Handle::open_pool(TSK_DADDR_T block) {
  begin();
  try {
    pool_ = tsk_pool_open_img_sing(image_.get(), 0, TSK_POOL_TYPE_APFS);
    if (pool_ != nullptr && block != 0) pool_image_ = pool_->get_img_info(pool_, block);
    if (pool_image_ != nullptr) fs_ = tsk_fs_open_img(pool_image_, 0, TSK_FS_TYPE_APFS);
  } catch (const std::exception& thrown) {
    return refused(thrown.what());
  }
  if (pool_ == nullptr) return refusal("open the APFS container");
  if (block != 0 && fs_ == nullptr) return refusal("open the APFS volume");
  return {};
}

Result<std::shared_ptr<Handle>> Handle::open(image::SourcePtr source, TSK_FS_TYPE_ENUM type) {
  std::shared_ptr<Handle> handle(new Handle(std::move(source)));
  ICECORE_CHECK(handle->open_with(type));
  return handle;
}

Result<std::shared_ptr<Handle>> Handle::open_in_pool(image::SourcePtr source, TSK_DADDR_T block) {
  std::shared_ptr<Handle> handle(new Handle(std::move(source)));
  ICECORE_CHECK(handle->open_pool(block));
  return handle;
}

Result<std::vector<PoolVolume>> pool_volumes(const image::SourcePtr& source) {
  constexpr std::size_t kMaximumVolumes = 100;  // Apple File System Reference: NX_MAX_FILE_SYSTEMS
  ICECORE_ASSIGN(const auto handle, Handle::open_in_pool(source, 0));
  std::vector<PoolVolume> volumes;
  for (const TSK_POOL_VOLUME_INFO* at = handle->pool()->vol_list; at != nullptr && volumes.size() < kMaximumVolumes; at = at->next)
    volumes.push_back({at->block, at->desc == nullptr ? "" : at->desc, (at->flags & TSK_POOL_VOLUME_FLAG_ENCRYPTED) != 0});
  return volumes;
}

}  // namespace icecore::fs::tsk
