// What long work tells about itself. The rooms report numbers; the CLI draws bars (standard error, only on a terminal).
#pragma once

#include <cstdint>
#include <string_view>

namespace icecore {

class Progress {
 public:
  virtual ~Progress() = default;
  /// A new stage ("reading inode tables"); `total` 0 when unknown. `unit`: "blocks", "bytes", "%", "files".
  virtual void begin(std::string_view stage, std::uint64_t total, std::string_view unit) = 0;
  /// `done` counts from the stage's begin. Thread-safe, cheap, may be called often.
  virtual void update(std::uint64_t done) = 0;
  virtual void end() = 0;
};

/// Says nothing; for pipes and tests.
Progress& no_progress();

}  // namespace icecore
