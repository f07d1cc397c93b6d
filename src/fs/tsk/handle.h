// libtsk's handles on one of our sources, closed with the object, and the way its errors become ours.
#pragma once

#include <tsk/libtsk.h>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "image/block_source.h"

namespace icecore::fs::tsk {

/// What libtsk reads from. Its read callback goes to the source; the first error of the source is kept, because libtsk may go on after it.
struct SourceImage : TSK_IMG_INFO {
  const image::BlockSource* source = nullptr;
  std::uint64_t budget = 0;  ///< bytes that the present call may still read
  std::optional<Error> failure;
};

/// Volume of a container (APFS), or the filesystem on the source itself.
class Handle {
 public:
  /// kCorrupt where libtsk cannot open it.
  static Result<std::shared_ptr<Handle>> open(image::SourcePtr source, TSK_FS_TYPE_ENUM type);
  /// The same for the volume of an APFS container that begins at `block`.
  static Result<std::shared_ptr<Handle>> open_in_pool(image::SourcePtr source, TSK_DADDR_T block);
  ~Handle();
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  const image::SourcePtr& source() const { return source_; }
  const TSK_POOL_INFO* pool() const { return pool_; }

  /// Does `work(TSK_FS_INFO&)`, which gives a Result<T>, under the lock. An error of the source beats what libtsk made of it; exceptions of its C++
  /// parts become kCorrupt.
  template <typename T, typename Work>
  Result<T> run(Work&& work) {
    const std::lock_guard lock(mutex_);
    begin();
    try {
      Result<T> result = work(*fs_);
      if (image_->failure) return Failure(*image_->failure);
      return result;
    } catch (const std::exception& thrown) {
      return refused(thrown.what());
    }
  }

  /// For use inside run().
  TSK_FS_INFO& filesystem() const { return *fs_; }

  /// "libtsk: DOING: its own words", for use inside run().
  Failure refusal(std::string_view doing, std::optional<std::uint64_t> inode = std::nullopt) const;

 private:
  explicit Handle(image::SourcePtr source);
  Result<void> open_with(TSK_FS_TYPE_ENUM type);
  Result<void> open_pool(TSK_DADDR_T block);
  void begin();
  Failure refused(std::string_view words) const;

  const image::SourcePtr source_;
  std::unique_ptr<SourceImage> image_;
  const TSK_POOL_INFO* pool_ = nullptr;
  TSK_IMG_INFO* pool_image_ = nullptr;  // the container as one volume of it sees it
  TSK_FS_INFO* fs_ = nullptr;
  std::mutex mutex_;
};

/// A container's volumes: where each begins, what it is called, whether it is encrypted.
struct PoolVolume {
  TSK_DADDR_T block = 0;
  std::string name;
  bool encrypted = false;
};
Result<std::vector<PoolVolume>> pool_volumes(const image::SourcePtr& source);

struct CloseFile {
  void operator()(TSK_FS_FILE* file) const { tsk_fs_file_close(file); }
};
using FilePtr = std::unique_ptr<TSK_FS_FILE, CloseFile>;

struct CloseDirectory {
  void operator()(TSK_FS_DIR* directory) const { tsk_fs_dir_close(directory); }
};
using DirectoryPtr = std::unique_ptr<TSK_FS_DIR, CloseDirectory>;

}  // namespace icecore::fs::tsk
