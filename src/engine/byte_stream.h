// What a multipart upload is made of: bytes in pieces, the same every time they are asked for, so that a killed upload goes on part by part.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/file.h"
#include "core/hash.h"

namespace icecore::engine {

/// Not thread-safe.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  /// Appends the next piece (at most a few MiB) to `out`; false where there is none any more.
  virtual Result<bool> append_next(std::string& out) = 0;
  /// Bytes of the source that the pieces so far stand for; for progress.
  virtual std::uint64_t consumed() const = 0;
};

using StreamMaker = std::function<Result<std::unique_ptr<ByteStream>>()>;

/// The first `bytes` of a file of the case, hashed on the way: kIntegrity at the end where they are not `sha256` (hex; empty: not looked at).
Result<std::unique_ptr<ByteStream>> open_file_stream(const Path& folder, const std::string& relative, std::uint64_t bytes, std::string sha256);

/// An image as independent zstd frames of 4 MiB each, and behind them the seek table of zstd's seekable format, so that a reader can take any piece
/// out of it. `zstd -d` gives the raw image. A hole is not read and costs 40 bytes a MiB (the format's own least is 32). Frames are compressed on
/// `threads` threads, and are the same every time for one version of libzstd.
Result<std::unique_ptr<ByteStream>> open_zstd_image(const Path& folder, const std::string& relative, std::size_t threads);

}  // namespace icecore::engine
