#include "engine/byte_stream.h"

#include <fmt/format.h>
#include <algorithm>

#include "evidence/case_path.h"

namespace icecore::engine {
namespace {

constexpr std::uint64_t kPiece = std::uint64_t{4} << 20;

class FileStream final : public ByteStream {
 public:
  FileStream(FileDescriptor file, Path path, std::uint64_t bytes, std::string sha256)
      : file_(std::move(file)), path_(std::move(path)), bytes_(bytes), sha256_(std::move(sha256)) {}

  Result<bool> append_next(std::string& out) override {
    if (done_ == bytes_) return false;
    const std::uint64_t length = std::min(kPiece, bytes_ - done_);
    const std::size_t before = out.size();
    out.resize(before + length);
    const std::span<std::byte> piece = std::as_writable_bytes(std::span(out).subspan(before));
    ICECORE_CHECK(read_exactly(file_.get(), piece, done_, path_));
    hash_.update(piece);
    done_ += length;
    if (done_ == bytes_ && !sha256_.empty()) {
      if (const std::string found = to_hex(hash_.finish()); found != sha256_)
        return fail(Code::kIntegrity, fmt::format("{}: its SHA-256 is {}, and the manifest says {}: it was changed", path_.string(), found, sha256_));
    }
    return true;
  }

  std::uint64_t consumed() const override { return done_; }

 private:
  const FileDescriptor file_;
  const Path path_;
  const std::uint64_t bytes_;
  const std::string sha256_;
  Sha256 hash_;
  std::uint64_t done_ = 0;
};

}  // namespace

Result<std::unique_ptr<ByteStream>> open_file_stream(const Path& folder, const std::string& relative, std::uint64_t bytes, std::string sha256) {
  ICECORE_ASSIGN(FileDescriptor file, evidence::open_beneath(folder, relative));
  return std::unique_ptr<ByteStream>(std::make_unique<FileStream>(std::move(file), folder / relative, bytes, std::move(sha256)));
}

}  // namespace icecore::engine
