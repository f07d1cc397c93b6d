#include "image/donor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <algorithm>

#include "image/block_store.h"

namespace icecore::image {

Result<std::shared_ptr<Donor>> Donor::open(const Path& folder) {
  ICECORE_ASSIGN(auto database, BlockDatabase::open_read_only(folder / "blocks.db"));
  ICECORE_ASSIGN(FileDescriptor file, open_file(folder / "image.raw", O_RDONLY | O_NOFOLLOW));
  return std::shared_ptr<Donor>(new Donor(folder, std::move(file), std::move(database)));
}

Result<void> Donor::mark_same(const Bitmap& same) {
  Bitmap usable(std::min(same.size(), block_count()));
  ICECORE_CHECK(database_->for_each_in_order([&](const BlockRecord& record) -> Result<void> {
    if (record.index < usable.size() && same.test(record.index)) usable.set(record.index);
    return {};
  }));
  usable_ = std::move(usable);
  return {};
}

Result<Sha256Digest> Donor::read(std::uint64_t block, std::span<std::byte> out) const {
  const Path image = folder_ / "image.raw";
  ICECORE_ASSIGN(const auto record, database_->find(block));
  if (!record) return fail(Code::kIntegrity, fmt::format("{} lost block {}", (folder_ / "blocks.db").string(), block));
  ICECORE_CHECK(read_exactly(file_.get(), out, block * kBlockSize, image));
  const Sha256Digest hash = sha256(out);
  if (hash != record->sha256)
    return fail(Code::kIntegrity,
                fmt::format("block {} of {} is not what was fetched for {}: the baseline was changed since. `icecore verify` on its case says what "
                            "else was; go on without it",
                            block, image.string(), snapshot()),
                Location{snapshot(), block * kBlockSize});
  return hash;
}

}  // namespace icecore::image
