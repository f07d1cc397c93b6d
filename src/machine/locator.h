// Provenance of many places in one file: its extents are read once.
#pragma once

#include "machine/machine.h"

namespace icecore::machine {

/// A value; good as long as the machine. Const functions are thread-safe.
class Locator {
 public:
  Locator(const Machine& machine, const FileRef& file);

  /// The file as a whole: image_offset of its first byte.
  const Provenance& whole() const { return whole_; }
  /// A byte of it, and the line where that is known.
  Provenance at(std::uint64_t offset, std::optional<std::uint64_t> line = std::nullopt) const;
  /// A line of the text that a packed file unpacks to: no byte of the file stands for it alone.
  Provenance at_line(std::uint64_t line) const;

 private:
  struct Run {
    std::uint64_t file_offset, source_offset, length;
  };
  const Partition* partition_ = nullptr;  // the machine's
  Provenance whole_;
  std::vector<Run> runs_;  // ascending in the file
};

}  // namespace icecore::machine
