#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>
#include <algorithm>
#include <cerrno>
#include <deque>

#include "core/parallel.h"
#include "engine/byte_stream.h"
#include "evidence/case_path.h"

namespace icecore::engine {
namespace {

constexpr std::uint64_t kChunk = std::uint64_t{4} << 20;
constexpr int kLevel = 3;

// zstd's contrib/seekable_format/zstd_seekable_compression_format.md: a skippable frame with the frames' sizes.
constexpr std::uint32_t kSkippableMagic = 0x184D2A5E;
constexpr std::uint32_t kSeekableMagic = 0x8F92EAB1;

void append_le32(std::string& out, std::uint64_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) out += static_cast<char>(value >> shift & 0xFFU);
}

Result<std::string> frame_of(const std::string& bytes) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(), &ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  std::string frame(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size = ZSTD_compress2(context.get(), frame.data(), frame.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(size) != 0) return fail(Code::kInternal, fmt::format("libzstd: {}", ZSTD_getErrorName(size)));
  frame.resize(size);
  frame.shrink_to_fit();
  return frame;
}

class ZstdImage final : public ByteStream {
 public:
  ZstdImage(FileDescriptor file, Path path, std::uint64_t size, std::size_t threads)
      : file_(std::move(file)), path_(std::move(path)), size_(size), threads_(threads) {}

  Result<bool> append_next(std::string& out) override {
    if (frames_.empty() && read_ < size_) ICECORE_CHECK(compress_batch());
    if (frames_.empty()) return append_table(out);
    const Frame frame = std::move(frames_.front());
    frames_.pop_front();
    append_le32(table_, frame.bytes.size());
    append_le32(table_, frame.raw);
    ++count_;
    consumed_ += frame.raw;
    out += frame.bytes;
    return true;
  }

  std::uint64_t consumed() const override { return consumed_; }

 private:
  struct Frame {
    std::string bytes;
    std::uint64_t raw = 0;
  };

  Result<bool> append_table(std::string& out) {
    if (std::exchange(table_written_, true)) return false;
    append_le32(out, kSkippableMagic);
    append_le32(out, table_.size() + 9);
    out += table_;
    append_le32(out, count_);
    out += '\0';  // no checksums here: each frame has its own
    append_le32(out, kSeekableMagic);
    return true;
  }

  Result<void> compress_batch() {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> chunks;
    while (read_ < size_ && chunks.size() < threads_) {
      chunks.emplace_back(read_, std::min(kChunk, size_ - read_));
      read_ += chunks.back().second;
    }
    std::vector<Frame> made(chunks.size());
    std::vector<bool> hole;
    for (const auto& [offset, length] : chunks) {
      ICECORE_ASSIGN(const bool empty, is_hole(offset, length));
      hole.push_back(empty);
    }
    const Result<void> compressed = parallel_for(chunks.size(), threads_, [&](std::size_t i) -> Result<void> {
      const auto [offset, length] = chunks[i];
      std::string raw;
      if (!hole[i]) {
        raw.resize(length);
        ICECORE_CHECK(read_exactly(file_.get(), std::as_writable_bytes(std::span(raw)), offset, path_));
      }
      made[i].raw = length;
      if (hole[i] || is_all_zero(as_bytes(raw))) return {};  // below: the same bytes whether the zeros are written or a hole
      ICECORE_ASSIGN(made[i].bytes, frame_of(raw));
      return {};
    });
    ICECORE_CHECK(compressed);
    for (Frame& frame : made) {
      if (frame.bytes.empty()) {
        ICECORE_ASSIGN(frame.bytes, zeros(frame.raw));
      }
      frames_.push_back(std::move(frame));
    }
    return {};
  }

  Result<std::string> zeros(std::uint64_t length) {
    if (length != kChunk) return frame_of(std::string(length, '\0'));
    if (zero_frame_.empty()) {
      ICECORE_ASSIGN(zero_frame_, frame_of(std::string(kChunk, '\0')));
    }
    return zero_frame_;
  }

  Result<bool> is_hole(std::uint64_t offset, std::uint64_t length) {
    if (offset + length <= next_data_) return true;
    if (offset < next_data_) return false;
    const off_t found = ::lseek(file_.get(), static_cast<off_t>(offset), SEEK_DATA);
    if (found < 0 && errno == ENXIO) {
      next_data_ = size_;
      return true;
    }
    if (found < 0) return errno_failure(errno, "seek in", path_);
    next_data_ = static_cast<std::uint64_t>(found);
    return offset + length <= next_data_;
  }

  const FileDescriptor file_;
  const Path path_;
  const std::uint64_t size_;
  const std::size_t threads_;
  std::uint64_t read_ = 0, next_data_ = 0, consumed_ = 0, count_ = 0;
  std::deque<Frame> frames_;
  std::string zero_frame_, table_;
  bool table_written_ = false;
};

}  // namespace

Result<std::unique_ptr<ByteStream>> open_zstd_image(const Path& folder, const std::string& relative, std::size_t threads) {
  ICECORE_ASSIGN(FileDescriptor file, evidence::open_beneath(folder, relative));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return errno_failure(errno, "look at", folder / relative);
  return std::unique_ptr<ByteStream>(
      std::make_unique<ZstdImage>(std::move(file), folder / relative, static_cast<std::uint64_t>(status.st_size), std::max<std::size_t>(threads, 1)));
}

}  // namespace icecore::engine
