#include "volume/md_superblock.h"

#include <fmt/format.h>
#include <algorithm>

#include "core/text.h"

namespace icecore::volume {
namespace {

constexpr std::uint32_t kMagic = 0xa92b4efc;
constexpr std::uint64_t kSector = 512;
constexpr std::uint32_t kMaximumDisks = 1024;
constexpr std::uint64_t kMaximumBytes = std::uint64_t{1} << 60;

// Sum of all words with the checksum's own as 0, folded once.
std::uint32_t sum_of(ByteView bytes, std::size_t checksum_at) {
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at + 4 <= bytes.size(); at += 4) sum += at == checksum_at ? 0 : load_le<std::uint32_t>(bytes, at);
  if (bytes.size() % 4 == 2) sum += load_le<std::uint16_t>(bytes, bytes.size() - 2);
  return static_cast<std::uint32_t>((sum & 0xFFFFFFFF) + (sum >> 32));
}

std::string uuid_text(const std::array<std::uint32_t, 4>& words) {
  return fmt::format("{:08x}:{:08x}:{:08x}:{:08x}", words[0], words[1], words[2], words[3]);
}

Result<MdSuperblock> check(MdSuperblock block, const image::BlockSource& source, std::uint64_t at) {
  const Location where{source.name(), at};
  if (block.disks == 0 || block.disks > kMaximumDisks) return fail(Code::kCorrupt, fmt::format("an md array of {} disks", block.disks), where);
  if (block.chunk > (std::uint64_t{1} << 32) || block.used > kMaximumBytes)
    return fail(Code::kCorrupt, "an md superblock with numbers that cannot be", where);
  if (block.data_offset > source.size() || block.data_size > source.size() - block.data_offset)
    return fail(Code::kCorrupt,
                fmt::format("the md array's data ({} bytes at {}) reaches beyond the end of the disk: is the image truncated?", block.data_size,
                            block.data_offset),
                where);
  if (block.role && *block.role >= block.disks) block.role.reset();
  return block;
}

Result<MdSuperblock> read_old(const image::BlockSource& source, std::uint64_t at) {
  Bytes bytes(4096);
  ICECORE_CHECK(source.read(at, bytes));
  const ByteView view(bytes);
  const auto word = [&](std::size_t index) { return load_le<std::uint32_t>(view, 4 * index); };
  if (word(0) != kMagic) return fail(Code::kNotFound, "no md superblock here", Location{source.name(), at});
  if (sum_of(view, 4 * 38) != word(38)) return fail(Code::kCorrupt, "the md superblock's checksum is wrong", Location{source.name(), at});
  MdSuperblock block;
  block.version = fmt::format("{}.{}", word(1), word(2));
  block.uuid = uuid_text({word(5), word(13), word(14), word(15)});
  block.minor = word(11);
  block.level = static_cast<std::int32_t>(word(7));
  block.layout = word(64);
  block.chunk = word(65);
  block.disks = word(10);
  block.used = block.level > 0 ? std::uint64_t{word(8)} * 1024 : 0;
  block.data_size = block.level > 0 ? block.used : at;
  block.events = std::uint64_t{word(40)} << 32 | word(39);
  constexpr std::size_t kThisDisk = 992;
  const bool in_sync = (word(kThisDisk + 4) & 1) == 0 && (word(kThisDisk + 4) & 6) == 6;  // not faulty; active and in sync
  if (in_sync) block.role = word(kThisDisk + 3);
  return check(std::move(block), source, at);
}

Result<MdSuperblock> read_new(const image::BlockSource& source, std::uint64_t at, std::string_view version) {
  Bytes bytes(4096);
  bytes.resize(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), source.size() - at)));
  ICECORE_CHECK(source.read(at, bytes));
  const ByteView view(bytes);
  const Location where{source.name(), at};
  if (view.size() < 256 || load_le<std::uint32_t>(view, 0) != kMagic || load_le<std::uint32_t>(view, 4) != 1)
    return fail(Code::kNotFound, "no md superblock here", where);
  if (load_le<std::uint64_t>(view, 144) != at / kSector) return fail(Code::kNotFound, "an md superblock that names another place as its own", where);
  const std::uint32_t roles = load_le<std::uint32_t>(view, 220);
  const std::size_t length = 256 + 2 * std::size_t{std::min<std::uint32_t>(roles, 2 * kMaximumDisks)};
  if (length > view.size()) return fail(Code::kCorrupt, fmt::format("an md superblock with {} roles", roles), where);
  if (sum_of(view.first(length), 216) != load_le<std::uint32_t>(view, 216))
    return fail(Code::kCorrupt, "the md superblock's checksum is wrong", where);
  const auto sectors = [&](std::size_t offset) { return std::min(load_le<std::uint64_t>(view, offset), kMaximumBytes) * kSector; };
  const std::uint32_t features = load_le<std::uint32_t>(view, 8), number = load_le<std::uint32_t>(view, 160);
  MdSuperblock block;
  block.version = version;
  const auto be = [&](std::size_t offset) { return load_be<std::uint32_t>(view, offset); };
  block.uuid = uuid_text({be(16), be(20), be(24), be(28)});
  block.name = std::string(c_string(view.subspan(32, 32)));
  block.level = static_cast<std::int32_t>(load_le<std::uint32_t>(view, 72));
  block.layout = load_le<std::uint32_t>(view, 76);
  block.used = block.level > 0 ? sectors(80) : 0;
  block.chunk = std::uint64_t{load_le<std::uint32_t>(view, 88)} * kSector;
  block.disks = load_le<std::uint32_t>(view, 92);
  block.data_offset = sectors(128);
  block.data_size = sectors(136);
  block.events = load_le<std::uint64_t>(view, 200);
  block.recovering = (features & 2) != 0 && load_le<std::uint64_t>(view, 152) != UINT64_MAX;
  block.reshaping = (features & 4) != 0;
  if (number < roles) {
    const std::uint16_t role = load_le<std::uint16_t>(view, 256 + 2 * std::size_t{number});
    if (role < 0xFFFD) block.role = role;
  }
  return check(std::move(block), source, at);
}

}  // namespace

Result<MdSuperblock> read_md_superblock(const image::BlockSource& source) {
  const std::uint64_t size = source.size();
  const Location where{source.name()};
  std::optional<Error> why;
  const auto keep = [&](Result<MdSuperblock> found) -> std::optional<Result<MdSuperblock>> {
    if (found || (found.error().code != Code::kNotFound && found.error().code != Code::kCorrupt)) return found;
    if (!why || found.error().code == Code::kCorrupt) why = std::move(found).error();
    return std::nullopt;
  };
  if (size >= 8192) {
    if (auto found = keep(read_new(source, 4096, "1.2"))) return *found;
    if (auto found = keep(read_new(source, 0, "1.1"))) return *found;
  }
  if (size >= 128 * 1024) {
    if (auto found = keep(read_new(source, ((size / kSector - 16) & ~std::uint64_t{7}) * kSector, "1.0"))) return *found;
    if (auto found = keep(read_old(source, (size & ~std::uint64_t{65535}) - 65536))) return *found;
  }
  return why ? Result<MdSuperblock>(Failure(*why)) : Result<MdSuperblock>(fail(Code::kNotFound, "no md superblock", where));
}

}  // namespace icecore::volume
