#include "image/layer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>

#include "core/text.h"

namespace icecore::image {
namespace {

constexpr std::string_view kMagic = "ICELAYR1";
constexpr std::uint64_t kHeader = 4096;
constexpr std::uint64_t kDataAlignment = std::uint64_t{1} << 20;

// The header, little-endian: magic 8; block size u32 at 8; clean u32 at 12; disk size u64 at 16; boot id (36 bytes of text) at 24; length of the
// identity u16 at 62; identity at 64.
constexpr std::size_t kCleanAt = 12, kSizeAt = 16, kBootAt = 24, kBootLength = 36, kIdentityLengthAt = 62, kIdentityAt = 64;
constexpr std::size_t kLongestIdentity = 2048;

std::uint64_t round_up(std::uint64_t value, std::uint64_t unit) { return (value + unit - 1) / unit * unit; }

std::string this_boot() { return std::string(trim(read_text_file("/proc/sys/kernel/random/boot_id", 64).value_or(""))); }

Result<void> lock(const FileDescriptor& file, const Path& path) {
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return {};
  if (errno != EWOULDBLOCK) return errno_failure(errno, "lock", path);
  return fail(Code::kBusy, fmt::format("the layer {} is mounted; take the mount away (fusermount3 -u DIR) and run the command again", path.string()));
}

Result<Bytes> read_header(const FileDescriptor& file, const Path& path) {
  Bytes header(kHeader);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return errno_failure(errno, "look at", path);
  if (static_cast<std::uint64_t>(status.st_size) < kHeader) return fail(Code::kInvalidArgument, path.string() + " is no layer of icecore");
  ICECORE_CHECK(read_exactly(file.get(), header, 0, path));
  if (as_text(header).substr(0, kMagic.size()) != kMagic || load_le<std::uint32_t>(header, 8) != Layer::kBlock)
    return fail(Code::kInvalidArgument, path.string() + " is no layer of icecore");
  return header;
}

}  // namespace

Layer::Layer(Path path, FileDescriptor file, SourcePtr base) : path_(std::move(path)), file_(std::move(file)), base_(std::move(base)) {}

std::uint64_t Layer::map_bytes() const {
  const std::uint64_t blocks = round_up(size(), kBlock) / kBlock;
  return round_up(round_up(blocks, kChunkBlocks) / 8, kHeader);
}
std::uint64_t Layer::safe_map() const { return kHeader + map_bytes(); }
std::uint64_t Layer::data() const { return round_up(safe_map() + map_bytes(), kDataAlignment); }

Result<std::shared_ptr<Layer>> Layer::open(const Path& file, SourcePtr base, const std::string& identity, std::string boot) {
  if (identity.size() > kLongestIdentity) return fail(Code::kInvalidArgument, "the image's name is too long");
  ICECORE_ASSIGN(FileDescriptor descriptor, open_file(file, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  ICECORE_CHECK(lock(descriptor, file));
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) return errno_failure(errno, "look at", file);
  const std::shared_ptr<Layer> layer(new Layer(file, std::move(descriptor), std::move(base)));
  layer->boot_ = boot.empty() ? this_boot() : std::move(boot);
  layer->boot_.resize(kBootLength, ' ');
  if (status.st_size == 0)
    ICECORE_CHECK(layer->create(identity));
  else
    ICECORE_CHECK(layer->load(identity));
  layer->opened_ = true;
  return layer;
}

Result<void> Layer::create(const std::string& identity) {
  if (::ftruncate(file_.get(), static_cast<off_t>(data() + round_up(size(), kBlock))) != 0) return errno_failure(errno, "make", path_);
  Bytes header(kHeader);
  std::ranges::copy(as_bytes(kMagic), header.begin());
  store_le<std::uint32_t>(header, 8, kBlock);
  store_le<std::uint64_t>(header, kSizeAt, size());
  std::ranges::copy(as_bytes(boot_), header.begin() + kBootAt);
  store_le<std::uint16_t>(header, kIdentityLengthAt, static_cast<std::uint16_t>(identity.size()));
  std::ranges::copy(as_bytes(identity), header.begin() + kIdentityAt);
  ICECORE_CHECK(write_exactly(file_.get(), header, 0, path_));
  return sync();
}

Result<void> Layer::load(const std::string& identity) {
  ICECORE_ASSIGN(const Bytes header, read_header(file_, path_));
  const auto length = std::min<std::size_t>(load_le<std::uint16_t>(header, kIdentityLengthAt), kLongestIdentity);
  const std::string made_over(as_text(header).substr(kIdentityAt, length));
  if (made_over != identity || load_le<std::uint64_t>(header, kSizeAt) != size())
    return fail(Code::kConflict,
                fmt::format("the layer {} holds changes to {}, and this is {}; name another layer, or throw it away with icecore reset",
                            path_.string(), printable(made_over), printable(identity)));
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) return errno_failure(errno, "look at", path_);
  if (static_cast<std::uint64_t>(status.st_size) != data() + round_up(size(), kBlock))
    return fail(Code::kIntegrity, fmt::format("the layer {} was cut short; throw it away with icecore reset", path_.string()));
  // Pages that were written before the machine went down may have reached the disk in any order: only what was flushed counts.
  const bool same_boot = as_text(header).substr(kBootAt, kBootLength) == boot_;
  const bool clean = load_le<std::uint32_t>(header, kCleanAt) != 0;
  if (same_boot || clean) {
    ICECORE_CHECK(load_map(kHeader));
    for (const auto& [chunk, bits] : map_) unsafe_chunks_.insert(chunk);
    dirty_ = !clean;
    ICECORE_CHECK(flush());
  } else {
    ICECORE_CHECK(load_map(safe_map()));
    const auto begin = static_cast<off_t>(kHeader), all = static_cast<off_t>(map_bytes());
    if (::fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, begin, all) != 0) return errno_failure(errno, "reset the map of", path_);
    for (const auto& [chunk, bits] : map_) ICECORE_CHECK(store_chunk(chunk, kHeader));
    ICECORE_CHECK(sync());
  }
  return mark_open(false);
}

Result<void> Layer::load_map(std::uint64_t offset) {
  const std::uint64_t end = offset + map_bytes();
  for (std::uint64_t at = offset; at < end;) {
    const off_t found = ::lseek(file_.get(), static_cast<off_t>(at), SEEK_DATA);
    if (found < 0 && errno == ENXIO) break;
    if (found < 0) return errno_failure(errno, "read", path_);
    at = std::max(at, offset + (static_cast<std::uint64_t>(found) - offset) / kChunkBytes * kChunkBytes);
    if (at >= end) break;
    Bits bits(kChunkBytes);
    ICECORE_CHECK(read_exactly(file_.get(), bits, at, path_));
    if (!is_all_zero(bits)) map_[(at - offset) / kChunkBytes] = std::move(bits);
    at += kChunkBytes;
  }
  return {};
}

Result<void> Layer::mark_open(bool clean) {
  Bytes part(kBootAt + kBootLength - kCleanAt);
  store_le<std::uint32_t>(part, 0, clean ? 1 : 0);
  store_le<std::uint64_t>(part, kSizeAt - kCleanAt, size());
  std::ranges::copy(as_bytes(boot_), part.begin() + (kBootAt - kCleanAt));
  ICECORE_CHECK(write_exactly(file_.get(), part, kCleanAt, path_));
  return sync();
}

Layer::~Layer() {
  if (!opened_) return;                                              // a file that is no layer, or another disk's, is left as it is
  if (const auto flushed = flush(); flushed) (void)mark_open(true);  // a layer that is not marked is read as after a kill
}

Result<void> Layer::sync() const {
  if (::fdatasync(file_.get()) != 0) return errno_failure(errno, "flush", path_);
  return {};
}

Result<void> Layer::check_inside(std::uint64_t offset, std::uint64_t length) const {
  if (offset <= size() && length <= size() - offset) return {};
  return fail(Code::kInvalidArgument, fmt::format("a write beyond the end of {}", name()));
}

bool Layer::is_changed(std::uint64_t block) const {
  const auto chunk = map_.find(block / kChunkBlocks);
  if (chunk == map_.end()) return false;
  const std::uint64_t bit = block % kChunkBlocks;
  return (chunk->second[bit / 8] >> (bit % 8) & std::byte{1}) != std::byte{0};
}

std::uint64_t Layer::changed_bytes() const {
  const std::shared_lock reading(map_mutex_);
  std::uint64_t blocks = 0;
  for (const auto& [chunk, bits] : map_)
    for (const std::byte byte : bits) blocks += static_cast<std::uint64_t>(std::popcount(std::to_integer<unsigned>(byte)));
  return blocks * kBlock;
}

Result<void> Layer::read(std::uint64_t offset, std::span<std::byte> out) const {
  ICECORE_CHECK(check_range(offset, out.size(), size(), name()));
  const std::uint64_t end = offset + out.size();
  for (std::uint64_t at = offset; at < end;) {
    // The longest run that is all in the layer, or all below it.
    std::uint64_t stop = at;
    bool changed = false;
    {
      const std::shared_lock reading(map_mutex_);
      changed = is_changed(at / kBlock);
      while (stop < end && is_changed(stop / kBlock) == changed) stop = (stop / kBlock + 1) * kBlock;
    }
    stop = std::min(stop, end);
    const auto piece = out.subspan(static_cast<std::size_t>(at - offset), static_cast<std::size_t>(stop - at));
    ICECORE_CHECK(changed ? read_exactly(file_.get(), piece, data() + at, path_) : base_->read(at, piece));
    at = stop;
  }
  return {};
}

// First the bytes, then the map: a block that is marked is there.
Result<void> Layer::mark_changed(std::uint64_t first, std::uint64_t end) {
  for (std::uint64_t chunk = first / kChunkBlocks; chunk <= (end - 1) / kChunkBlocks; ++chunk) {
    const std::uint64_t begin = std::max(first, chunk * kChunkBlocks), stop = std::min(end, (chunk + 1) * kChunkBlocks);
    Bits& bits = [&]() -> Bits& {
      const std::unique_lock writing(map_mutex_);
      return map_.try_emplace(chunk, Bits(kChunkBytes)).first->second;
    }();
    Bits updated = bits;  // only writers change it, and they are one after the other
    for (std::uint64_t block = begin; block < stop; ++block) updated[block % kChunkBlocks / 8] |= std::byte{1} << (block % 8);
    unsafe_chunks_.insert(chunk);
    const auto [from, to] = std::pair(begin % kChunkBlocks / 8, (stop - 1) % kChunkBlocks / 8 + 1);
    if (!std::equal(updated.begin() + static_cast<std::ptrdiff_t>(from), updated.begin() + static_cast<std::ptrdiff_t>(to),
                    bits.begin() + static_cast<std::ptrdiff_t>(from)))
      ICECORE_CHECK(write_exactly(file_.get(), ByteView(updated).subspan(from, to - from), kHeader + chunk * kChunkBytes + from, path_));
    const std::unique_lock writing(map_mutex_);
    bits = std::move(updated);
  }
  return {};
}

Result<void> Layer::write_part(std::uint64_t block, std::uint64_t within, ByteView bytes) {
  Bytes whole(kBlock);
  const std::uint64_t start = block * kBlock;
  ICECORE_CHECK(read(start, std::span(whole).first(static_cast<std::size_t>(std::min(kBlock, size() - start)))));
  std::ranges::copy(bytes, whole.begin() + static_cast<std::ptrdiff_t>(within));
  ICECORE_CHECK(write_exactly(file_.get(), whole, data() + start, path_));
  return mark_changed(block, block + 1);
}

Result<void> Layer::write_through(std::uint64_t offset, ByteView bytes) {
  while (!bytes.empty()) {
    const std::uint64_t within = offset % kBlock;
    const std::uint64_t whole = bytes.size() / kBlock * kBlock;
    std::uint64_t count = 0;
    if (within == 0 && whole > 0) {
      count = whole;
      ICECORE_CHECK(write_exactly(file_.get(), bytes.first(static_cast<std::size_t>(whole)), data() + offset, path_));
      ICECORE_CHECK(mark_changed(offset / kBlock, (offset + whole) / kBlock));
    } else {
      count = std::min<std::uint64_t>(kBlock - within, bytes.size());
      ICECORE_CHECK(write_part(offset / kBlock, within, bytes.first(static_cast<std::size_t>(count))));
    }
    offset += count;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void> Layer::write(std::uint64_t offset, ByteView bytes) {
  ICECORE_CHECK(check_inside(offset, bytes.size()));
  const std::scoped_lock one(write_mutex_);
  dirty_ = true;
  return write_through(offset, bytes);
}

Result<void> Layer::write_zeros(std::uint64_t offset, std::uint64_t length) {
  ICECORE_CHECK(check_inside(offset, length));
  if (length == 0) return {};
  const std::scoped_lock one(write_mutex_);
  dirty_ = true;
  const std::uint64_t end = offset + length;
  const std::uint64_t first = round_up(offset, kBlock), last = end == size() ? round_up(end, kBlock) : end / kBlock * kBlock;
  const Bytes zeros(2 * kBlock);  // no whole block inside: less than two
  if (first >= last) return write_through(offset, ByteView(zeros).first(static_cast<std::size_t>(length)));
  ICECORE_CHECK(write_through(offset, ByteView(zeros).first(static_cast<std::size_t>(first - offset))));
  if (::fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(data() + first), static_cast<off_t>(last - first)) != 0)
    return errno_failure(errno, "write", path_);
  ICECORE_CHECK(mark_changed(first / kBlock, last / kBlock));
  return end > last ? write_through(last, ByteView(zeros).first(static_cast<std::size_t>(end - last))) : Result<void>();
}

Result<void> Layer::store_chunk(std::uint64_t chunk, std::uint64_t map_offset) const {
  return write_exactly(file_.get(), map_.at(chunk), map_offset + chunk * kChunkBytes, path_);
}

// The blocks before the map that says they are safe.
Result<void> Layer::flush() {
  const std::scoped_lock one(write_mutex_);
  if (!dirty_ && unsafe_chunks_.empty()) return {};
  ICECORE_CHECK(sync());
  for (const std::uint64_t chunk : unsafe_chunks_) ICECORE_CHECK(store_chunk(chunk, safe_map()));
  ICECORE_CHECK(sync());
  unsafe_chunks_.clear();
  dirty_ = false;
  return {};
}

Result<std::uint64_t> Layer::discard_file(const Path& file) {
  ICECORE_ASSIGN(const FileDescriptor descriptor, open_file(file, O_RDWR | O_NOFOLLOW));
  ICECORE_CHECK(lock(descriptor, file));
  ICECORE_CHECK(read_header(descriptor, file));
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) return errno_failure(errno, "look at", file);
  if (::unlink(file.c_str()) != 0) return errno_failure(errno, "remove", file);
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

}  // namespace icecore::image
