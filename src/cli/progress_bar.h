// A bar on standard error, only where that is a terminal.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>

#include "core/progress.h"
#include "engine/workspace.h"

namespace icecore::cli {

/// Thread-safe. Draws at most ten times a second; clears its line at the end of a stage.
class ProgressBar final : public Progress {
 public:
  void begin(std::string_view stage, std::uint64_t total, std::string_view unit) override;
  void update(std::uint64_t done) override;
  void end() override;
  /// Takes the bar off the screen, so that a line can be printed.
  void clear();
  /// Beside the blocks of the stages that follow, what they cost; an empty one ends that.
  void show_cost(engine::CostMeter meter);

 private:
  using Clock = std::chrono::steady_clock;
  void draw(std::uint64_t done, Clock::time_point now);

  std::mutex mutex_;
  std::string stage_, unit_;
  engine::CostMeter meter_;  // empty: the blocks cost nothing
  std::uint64_t total_ = 0;
  Clock::time_point started_{}, drawn_{};
  bool on_screen_ = false;
};

/// The bar where standard error is a terminal and nothing forbids it, else silence.
Progress& terminal_progress(bool quiet);
/// ProgressBar::show_cost of the terminal's bar.
void show_cost(engine::CostMeter meter);
/// Makes room on standard error for a line.
void clear_progress();

}  // namespace icecore::cli
