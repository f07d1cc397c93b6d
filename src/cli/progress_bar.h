// A bar on standard error, only where that is a terminal.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>

#include "core/progress.h"

namespace icecore::cli {

/// Thread-safe. Draws at most ten times a second, never wider than the terminal; clears its line at the end of a stage.
class ProgressBar final : public Progress {
 public:
  void begin(std::string_view stage, std::uint64_t total, std::string_view unit) override;
  void update(std::uint64_t done) override;
  void end() override;
  /// Takes the bar off the screen, so that a line can be printed.
  void clear();
  /// What stands beside a count of blocks, asked once a second while the bar is drawn; empty: nothing. Afterwards the old one is not asked any more.
  void show_cost(std::function<std::string()> cost);

 private:
  using Clock = std::chrono::steady_clock;
  std::string details(std::uint64_t done, Clock::time_point now);
  void draw(std::uint64_t done, Clock::time_point now);

  std::mutex mutex_;
  std::string stage_, unit_, cost_text_;
  std::function<std::string()> cost_;
  std::uint64_t total_ = 0;
  Clock::time_point started_{}, drawn_{}, cost_asked_{};
  bool on_screen_ = false;
};

/// The cost of what is fetched, on the bar for as long as this lives.
class ShownCost {
 public:
  explicit ShownCost(std::function<std::string()> cost);
  ~ShownCost();
  ShownCost(const ShownCost&) = delete;
  ShownCost& operator=(const ShownCost&) = delete;
};

/// The bar where standard error is a terminal and nothing forbids it, else silence.
Progress& terminal_progress(bool quiet);
/// Makes room on standard error for a line.
void clear_progress();

}  // namespace icecore::cli
