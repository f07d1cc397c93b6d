#include "container/disk_stream.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>

#include "core/interrupt.h"
#include "core/parallel.h"

namespace icecore::container {
namespace {

constexpr std::size_t kBatch = 32;

// Which clusters may hold something, asked in rising order.
class DataMap {
 public:
  explicit DataMap(const WriteOptions& options) : options_(options) {}
  Result<bool> may_hold(std::uint64_t begin, std::uint64_t end) {
    if (!options_.next_data) return true;
    if (!done_ && (!range_ || range_->offset + range_->length <= begin)) {
      ICECORE_ASSIGN(range_, options_.next_data(begin));
      done_ = !range_;
    }
    return range_ && range_->offset < end && range_->offset + range_->length > begin;
  }

 private:
  const WriteOptions& options_;
  std::optional<image::ByteRange> range_;
  bool done_ = false;
};

}  // namespace

Result<void> stream_disk(const image::BlockSource& disk, const WriteOptions& options, const std::function<Result<void>(DiskCluster&)>& pack,
                         const std::function<Result<void>(const DiskCluster&)>& store) {
  Progress& progress = options.progress != nullptr ? *options.progress : no_progress();
  progress.begin("writing", disk.size(), "bytes");
  const Bytes nothing(kExportCluster);
  std::vector<Bytes> buffers(kBatch, Bytes(kExportCluster));
  DataMap map(options);
  const std::uint64_t count = (disk.size() + kExportCluster - 1) / kExportCluster;
  for (std::uint64_t first = 0; first < count; first += kBatch) {
    if (interrupted()) return interruption();
    std::vector<DiskCluster> batch(static_cast<std::size_t>(std::min<std::uint64_t>(kBatch, count - first)));
    std::vector<image::ByteRange> wanted;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const std::uint64_t begin = (first + i) * kExportCluster, end = std::min(begin + kExportCluster, disk.size());
      ICECORE_ASSIGN(const bool holds, map.may_hold(begin, end));
      batch[i].index = first + i;
      batch[i].zeros = !holds;
      batch[i].bytes = ByteView(holds ? buffers[i] : nothing).first(static_cast<std::size_t>(end - begin));
      if (holds) wanted.push_back({begin, end - begin});
    }
    if (!wanted.empty()) ICECORE_CHECK(disk.prefetch(wanted));
    const auto fill = [&](std::size_t i) -> Result<void> {
      DiskCluster& cluster = batch[i];
      if (!cluster.zeros) {
        ICECORE_CHECK(disk.read(cluster.index * kExportCluster, std::span(buffers[i]).first(cluster.bytes.size())));
        cluster.zeros = is_all_zero(cluster.bytes);
      }
      return pack ? pack(cluster) : Result<void>();
    };
    ICECORE_CHECK(parallel_for(batch.size(), options.threads, fill));
    for (const DiskCluster& cluster : batch) ICECORE_CHECK(store(cluster));
    progress.update(std::min((first + batch.size()) * kExportCluster, disk.size()));
  }
  progress.end();
  return {};
}

Result<void> refuse_existing(const Path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::symlink_status(file, ignored))) return {};
  return fail(Code::kConflict, fmt::format("{} is there already and is not overwritten; name another file", file.string()));
}

Result<PartialFile> PartialFile::make(const Path& file) {
  ICECORE_CHECK(refuse_existing(file));
  const Path partial = file.string() + ".partial";
  ICECORE_ASSIGN(FileDescriptor opened, open_file(partial, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600));
  return PartialFile(file, partial, std::move(opened));
}

PartialFile::~PartialFile() {
  if (file_) ::unlink(partial_.c_str());
}

Result<void> PartialFile::set_size(std::uint64_t size) const {
  return ::ftruncate(file_.get(), static_cast<off_t>(size)) == 0 ? Result<void>() : Result<void>(errno_failure(errno, "size", partial_));
}

Result<void> PartialFile::commit() {
  if (::fsync(file_.get()) != 0) return errno_failure(errno, "flush", partial_);
  ICECORE_CHECK(refuse_existing(final_));
  if (::rename(partial_.c_str(), final_.c_str()) != 0) return errno_failure(errno, "name", final_);
  file_ = FileDescriptor();
  return {};
}

}  // namespace icecore::container
