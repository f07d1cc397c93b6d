#include "container/qcow2_source.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>
#include <algorithm>

#include "container/qcow2_format.h"

namespace icecore::container {
namespace {

using namespace qcow2;

constexpr unsigned kLeastBits = 9, kMostBits = 21;
constexpr std::uint64_t kMostL1 = (32 << 20) / 8;  // as QEMU's QCOW_MAX_L1_SIZE
constexpr std::size_t kTablesKept = 32;            // of a cluster each: at 64 KiB they cover 16 GiB of the disk
constexpr std::size_t kClustersKept = 8;
constexpr std::uint32_t kLongestBackingName = 1023;

Failure refuse(const image::BlockSource& file, std::string_view what) {
  return fail(Code::kUnsupported,
              fmt::format("{} is a qcow2 image {}, which is not read; `qemu-img convert -O raw` makes a raw image of it", file.name(), what));
}

Failure damaged(const image::BlockSource& file, std::string_view what, std::uint64_t offset) {
  return fail(Code::kCorrupt, fmt::format("damaged qcow2 image: {}", what), Location{file.name(), offset});
}

Result<std::string> backing_format(const image::BlockSource& file, std::uint64_t begin, std::uint64_t end) {
  for (int i = 0; i < 100 && begin + 8 <= end; ++i) {
    Bytes head(8);
    ICECORE_CHECK(file.read(begin, head));
    const auto type = load_be<std::uint32_t>(head, 0), length = load_be<std::uint32_t>(head, 4);
    if (type == 0 || length > end - begin - 8) break;
    if (type == kBackingFormatExtension && length <= 16) {
      Bytes text(length);
      ICECORE_CHECK(file.read(begin + 8, text));
      return std::string(as_text(text));
    }
    begin += 8 + (length + 7) / 8 * 8;
  }
  return std::string();
}

bool inflate_cluster(ByteView packed, std::span<std::byte> out) {
  z_stream stream{};
  if (inflateInit2(&stream, -15) != Z_OK) return false;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));  // zlib's type; it only reads
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = inflate(&stream, Z_FINISH);
  const bool whole = stream.avail_out == 0 && (result == Z_STREAM_END || result == Z_BUF_ERROR || result == Z_OK);
  inflateEnd(&stream);
  return whole;
}

// The frame is followed by whatever shares its last sector.
bool unpack_zstd(ByteView packed, std::span<std::byte> out) {
  const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  ZSTD_inBuffer input{packed.data(), packed.size(), 0};
  ZSTD_outBuffer output{out.data(), out.size(), 0};
  while (context && output.pos < output.size) {
    const std::size_t before = input.pos + output.pos;
    const std::size_t result = ZSTD_decompressStream(context.get(), &output, &input);
    if (ZSTD_isError(result) != 0 || (input.pos + output.pos == before)) return false;
  }
  return output.pos == output.size;
}

}  // namespace

Result<Qcow2Header> read_qcow2_header(const image::BlockSource& file) {
  Bytes bytes(kHeaderLength3);
  if (file.size() < bytes.size()) return damaged(file, "it ends within its header", 0);
  ICECORE_CHECK(file.read(0, bytes));
  const auto version = load_be<std::uint32_t>(bytes, kVersion);
  if (load_be<std::uint32_t>(bytes, 0) != kMagic) return damaged(file, "no magic number", 0);
  if (version != 2 && version != 3) return refuse(file, fmt::format("of version {}", version));
  if (load_be<std::uint32_t>(bytes, kEncryption) != 0) return refuse(file, "that is encrypted");
  Qcow2Header header;
  header.cluster_bits = load_be<std::uint32_t>(bytes, kClusterBits);
  header.disk_size = load_be<std::uint64_t>(bytes, kDiskSize);
  header.l1_entries = load_be<std::uint32_t>(bytes, kL1Size);
  header.l1_offset = load_be<std::uint64_t>(bytes, kL1Offset);
  std::uint64_t header_length = kHeaderLength2;
  if (version == 3) {
    const auto features = load_be<std::uint64_t>(bytes, kIncompatible);
    header_length = load_be<std::uint32_t>(bytes, kHeaderLength);
    if ((features & kCorruptBit) != 0) return refuse(file, "that QEMU has marked as corrupt");
    if ((features & kExternalDataBit) != 0) return refuse(file, "whose data are in another file");
    if ((features & kExtendedL2Bit) != 0) return refuse(file, "with subclusters");
    if ((features & ~kKnownBits) != 0) return refuse(file, "with features that are newer than this program");
    if ((features & kCompressionBit) != 0 && header_length > kCompressionType)
      header.compression = std::to_integer<std::uint8_t>(bytes[kCompressionType]);
    if (header.compression > kZstd) return refuse(file, "with an unknown compression");
  }
  if (header.cluster_bits < kLeastBits || header.cluster_bits > kMostBits)
    return damaged(file, fmt::format("clusters of 2^{} bytes", header.cluster_bits), kClusterBits);
  const unsigned covered = header.cluster_bits + header.cluster_bits - 3;  // bits of the disk under one L1 entry
  const std::uint64_t needed = (header.disk_size >> covered) + ((header.disk_size & ((std::uint64_t{1} << covered) - 1)) != 0 ? 1 : 0);
  if (header.l1_entries < needed || header.l1_entries > kMostL1)
    return damaged(file, fmt::format("an L1 table of {} entries for a disk of {} bytes", header.l1_entries, header.disk_size), kL1Size);
  const auto name_offset = load_be<std::uint64_t>(bytes, kBackingOffset);
  const auto name_size = load_be<std::uint32_t>(bytes, kBackingSize);
  if (name_offset == 0) return header;
  const std::uint64_t first_cluster = std::min(std::uint64_t{1} << header.cluster_bits, file.size());
  if (name_size == 0 || name_size > kLongestBackingName || name_offset > first_cluster || name_size > first_cluster - name_offset)
    return damaged(file, "the backing file's name is outside the header", kBackingOffset);
  Bytes name(name_size);
  ICECORE_CHECK(file.read(name_offset, name));
  header.backing = as_text(name);
  ICECORE_ASSIGN(header.backing_format, backing_format(file, header_length, name_offset));
  return header;
}

Qcow2Source::Qcow2Source(image::SourcePtr file, Qcow2Header header, image::SourcePtr backing)
    : file_(std::move(file)), header_(std::move(header)), backing_(std::move(backing)) {}

Failure Qcow2Source::corrupt(std::string message, std::uint64_t offset) const { return damaged(*file_, message, offset); }

Result<std::shared_ptr<const Qcow2Source>> Qcow2Source::make(image::SourcePtr file, Qcow2Header header, image::SourcePtr backing) {
  const std::shared_ptr<Qcow2Source> source(new Qcow2Source(std::move(file), std::move(header), std::move(backing)));
  const std::uint64_t length = std::uint64_t{source->header_.l1_entries} * 8, offset = source->header_.l1_offset;
  if (offset > source->file_->size() || length > source->file_->size() - offset) return source->corrupt("the L1 table is outside the file", offset);
  Bytes table(static_cast<std::size_t>(length));
  ICECORE_CHECK(source->file_->read(offset, table));
  for (std::size_t i = 0; i < table.size(); i += 8) source->l1_.push_back(load_be<std::uint64_t>(table, i) & kOffsetMask);
  return std::shared_ptr<const Qcow2Source>(source);
}

// The file's last cluster may be short: beyond it there are zeros, as QEMU reads it.
Result<void> Qcow2Source::read_file(std::uint64_t offset, std::span<std::byte> out) const {
  if (offset >= file_->size()) return corrupt("a cluster is outside the file", offset);
  const auto inside = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), file_->size() - offset));
  ICECORE_CHECK(file_->read(offset, out.first(inside)));
  std::ranges::fill(out.subspan(inside), std::byte{0});
  return {};
}

Result<Qcow2Source::Table> Qcow2Source::table_at(std::uint64_t offset) const {
  {
    const std::scoped_lock lock(mutex_);
    const auto found = std::ranges::find(tables_, offset, &std::pair<std::uint64_t, Table>::first);
    if (found != tables_.end()) {
      tables_.splice(tables_.begin(), tables_, found);
      return tables_.front().second;
    }
  }
  Bytes bytes(cluster_size());
  ICECORE_CHECK(read_file(offset, bytes));
  std::vector<std::uint64_t> entries;
  entries.reserve(bytes.size() / 8);
  for (std::size_t i = 0; i < bytes.size(); i += 8) entries.push_back(load_be<std::uint64_t>(bytes, i));
  auto table = std::make_shared<const std::vector<std::uint64_t>>(std::move(entries));
  const std::scoped_lock lock(mutex_);
  tables_.emplace_front(offset, table);
  if (tables_.size() > kTablesKept) tables_.pop_back();
  return Table(table);
}

Result<std::uint64_t> Qcow2Source::entry_of(std::uint64_t cluster) const {
  const unsigned l2_bits = header_.cluster_bits - 3;
  const std::uint64_t table = l1_.at(static_cast<std::size_t>(cluster >> l2_bits));
  if (table == 0) return std::uint64_t{0};
  ICECORE_ASSIGN(const Table entries, table_at(table));
  return (*entries)[static_cast<std::size_t>(cluster & ((std::uint64_t{1} << l2_bits) - 1))];
}

Result<Qcow2Source::Cluster> Qcow2Source::unpacked(std::uint64_t entry) const {
  {
    const std::scoped_lock lock(mutex_);
    const auto found = std::ranges::find(clusters_, entry, &std::pair<std::uint64_t, Cluster>::first);
    if (found != clusters_.end()) return found->second;
  }
  const unsigned shift = compressed_shift(header_.cluster_bits);
  const std::uint64_t offset = entry & ((std::uint64_t{1} << shift) - 1);
  const std::uint64_t sectors = ((entry & (kCompressed - 1)) >> shift) + 1;
  Bytes packed(static_cast<std::size_t>(sectors * 512 - offset % 512));
  ICECORE_CHECK(read_file(offset, packed));
  auto cluster = std::make_shared<Bytes>(cluster_size());
  if (!(header_.compression == kZstd ? unpack_zstd(packed, *cluster) : inflate_cluster(packed, *cluster)))
    return corrupt("a compressed cluster does not unpack", offset);
  const std::scoped_lock lock(mutex_);
  clusters_.emplace_front(entry, cluster);
  if (clusters_.size() > kClustersKept) clusters_.pop_back();
  return Cluster(cluster);
}

Result<void> Qcow2Source::read_cluster(std::uint64_t cluster, std::uint64_t within, std::span<std::byte> out) const {
  ICECORE_ASSIGN(const std::uint64_t entry, entry_of(cluster));
  if ((entry & kCompressed) != 0) {
    ICECORE_ASSIGN(const Cluster bytes, unpacked(entry));
    std::ranges::copy(ByteView(*bytes).subspan(static_cast<std::size_t>(within), out.size()), out.begin());
    return {};
  }
  const std::uint64_t offset = entry & kOffsetMask;
  if ((entry & kZero) == 0 && offset != 0) return read_file(offset + within, out);
  std::size_t below = 0;
  const std::uint64_t start = cluster * cluster_size() + within;
  if ((entry & kZero) == 0 && backing_ && start < backing_->size()) {
    below = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), backing_->size() - start));
    ICECORE_CHECK(backing_->read(start, out.first(below)));
  }
  std::ranges::fill(out.subspan(below), std::byte{0});
  return {};
}

Result<void> Qcow2Source::read(std::uint64_t offset, std::span<std::byte> out) const {
  ICECORE_CHECK(image::check_range(offset, out.size(), size(), name()));
  while (!out.empty()) {
    const std::uint64_t within = offset % cluster_size();
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), cluster_size() - within));
    ICECORE_CHECK(read_cluster(offset / cluster_size(), within, out.first(count)));
    offset += count;
    out = out.subspan(count);
  }
  return {};
}

}  // namespace icecore::container
