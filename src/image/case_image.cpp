#include "image/case_image.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <algorithm>
#include <filesystem>

#include "image/block_database.h"
#include "image/block_store.h"

namespace icecore::image {
namespace {

constexpr std::string_view kImage = "image.raw", kDatabase = "blocks.db";

class CaseImage final : public BlockSource {
 public:
  CaseImage(Path path, FileDescriptor file, std::unique_ptr<BlockDatabase> database, Bitmap written)
      : path_(std::move(path)),
        file_(std::move(file)),
        database_(std::move(database)),
        written_(std::move(written)),
        checked_(database_->block_count()) {}

  std::uint64_t size() const override { return database_->identity().volume_size; }
  std::string name() const override { return path_.string(); }

  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
    ICECORE_CHECK(check_range(offset, out.size(), size(), name()));
    while (!out.empty()) {
      const std::uint64_t block = offset / kBlockSize;
      const auto part = out.first(std::min<std::uint64_t>(out.size(), kBlockSize - offset % kBlockSize));
      if (written_.test(block)) {
        ICECORE_CHECK(check(block));
        ICECORE_CHECK(read_exactly(file_.get(), part, offset, path_));
      } else {
        std::ranges::fill(part, std::byte{0});
      }
      offset += part.size();
      out = out.subspan(part.size());
    }
    return {};
  }

 private:
  Result<void> check(std::uint64_t block) const {
    if (checked_.test(block)) return {};
    Bytes bytes(kBlockSize);
    ICECORE_CHECK(read_exactly(file_.get(), bytes, block * kBlockSize, path_));
    ICECORE_ASSIGN(const auto record, database_->find(block));
    if (!record || record->sha256 != sha256(bytes))
      return fail(Code::kIntegrity,
                  fmt::format("block {} is not what was fetched for {}: the image was changed since", block, database_->identity().snapshot),
                  Location{name(), block * kBlockSize});
    checked_.set(block);
    return {};
  }

  const Path path_;
  const FileDescriptor file_;
  const std::unique_ptr<BlockDatabase> database_;
  const Bitmap written_;
  mutable AtomicBitmap checked_;
};

}  // namespace

bool is_case_image(const Path& path) {
  std::error_code ignored;
  return path.filename() == kImage && std::filesystem::is_regular_file(path.parent_path() / kDatabase, ignored);
}

Result<SourcePtr> open_case_image(const Path& folder) {
  const Path path = folder / kImage;
  ICECORE_ASSIGN(auto database, BlockDatabase::open_read_only(folder / kDatabase));
  ICECORE_ASSIGN(FileDescriptor file, open_file(path, O_RDONLY | O_NOFOLLOW));
  Listing listing(database->block_count());
  ICECORE_CHECK(database->load_listing(listing));
  const std::uint64_t here = database->log().blocks, unlisted = database->block_count() - listing.listed.count();
  if (unlisted != 0 || here != listing.written.count())
    return fail(
        Code::kConflict,
        fmt::format("{} is still being filled ({} of {} blocks are here), and what is missing would look like zeros; name its case or {} "
                    "instead of the file, or icecore acquire the rest first",
                    path.string(), here, unlisted == 0 ? std::to_string(listing.written.count()) : "so far unlisted", database->identity().snapshot));
  return std::make_shared<CaseImage>(path, std::move(file), std::move(database), std::move(listing.written));
}

}  // namespace icecore::image
