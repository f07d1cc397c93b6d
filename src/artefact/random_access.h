// Bytes at any place of a file or a string, in bounded memory.
#pragma once

#include <cstdint>
#include <list>
#include <span>
#include <string_view>
#include <unordered_map>

#include "core/bytes.h"
#include "core/result.h"
#include "machine/machine.h"

namespace icecore::artefact {

/// Not thread-safe.
class RandomAccess {
 public:
  virtual ~RandomAccess() = default;
  virtual std::uint64_t size() const = 0;
  /// Fills `out`; kCorrupt where the range is not inside size().
  virtual Result<void> read(std::uint64_t offset, std::span<std::byte> out) = 0;
};

class MemoryAccess final : public RandomAccess {
 public:
  explicit MemoryAccess(ByteView bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) override;

 private:
  ByteView bytes_;
};

/// A file of the machine, with the last pieces read kept (32 of 256 KiB).
class FileAccess final : public RandomAccess {
 public:
  FileAccess(const machine::Machine& machine, machine::FileRef file) : machine_(machine), file_(std::move(file)) {}
  std::uint64_t size() const override { return file_.info.size; }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) override;

 private:
  struct Piece {
    std::uint64_t index = 0;
    Bytes bytes;
  };
  Result<const Bytes*> piece(std::uint64_t index);

  const machine::Machine& machine_;
  machine::FileRef file_;
  std::list<Piece> pieces_;  // most recently used first
  std::unordered_map<std::uint64_t, std::list<Piece>::iterator> by_index_;
};

}  // namespace icecore::artefact
