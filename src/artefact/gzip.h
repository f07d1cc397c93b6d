// gzip (RFC 1952) in pieces and whole, through zlib, bounded: a kilobyte of it can stand for a megabyte.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/result.h"

namespace icecore::artefact {

bool is_gzip(ByteView bytes);

/// Unpacks a stream that comes in pieces, several members after each other too. Not thread-safe.
class GzipStream {
 public:
  GzipStream();
  ~GzipStream();
  GzipStream(GzipStream&&) noexcept;
  GzipStream& operator=(GzipStream&&) noexcept;

  void feed(ByteView compressed);  ///< the bytes must stay until next() has given "" for them
  /// The next piece of output, at most 64 KiB; empty where more input is wanted. kCorrupt where the stream is damaged: what came before is good.
  Result<std::string_view> next();
  /// True after the last member's checksum was right and no input is left.
  bool finished() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct Unpacked {
  std::string text;
  bool complete = false;  ///< false: `limit` was reached, or the stream is damaged or cut: `text` is what came before
};
/// Unpacks at most `limit` bytes.
Unpacked gunzip(ByteView compressed, std::uint64_t limit);

}  // namespace icecore::artefact
