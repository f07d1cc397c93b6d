// MD5 and SHA-1 of bytes that come in pieces: only because formats of others (E01, hashdeep) carry them. Nothing of ours rests on them.
#pragma once

#include <memory>
#include <string>

#include "core/bytes.h"

namespace icecore {

/// Not thread-safe.
class LegacyHash {
 public:
  enum class Kind { kMd5, kSha1 };
  explicit LegacyHash(Kind kind);
  ~LegacyHash();
  void update(ByteView bytes);
  /// Ends the hash; the object is spent.
  Bytes finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace icecore
