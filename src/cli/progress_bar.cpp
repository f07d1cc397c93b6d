#include "cli/progress_bar.h"

#include <fmt/format.h>
#include <unistd.h>
#include <algorithm>
#include <cstdio>

#include "core/text.h"

namespace icecore::cli {
namespace {

constexpr std::size_t kBarWidth = 24;
constexpr std::chrono::milliseconds kRedraw{100};

std::string left_text(double seconds) {
  const auto whole = static_cast<std::uint64_t>(seconds);
  return whole >= 3600 ? fmt::format("{}:{:02}:{:02} left", whole / 3600, whole / 60 % 60, whole % 60)
                       : fmt::format("{}:{:02} left", whole / 60, whole % 60);
}

std::string amount(std::uint64_t done, std::uint64_t total, std::string_view unit) {
  if (unit == "bytes") return human_size(done) + (total > 0 ? " of " + human_size(total) : "");
  return total > 0 ? fmt::format("{} of {} {}", done, total, unit) : fmt::format("{} {}", done, unit);
}

ProgressBar& the_bar() {
  static ProgressBar bar;
  return bar;
}

}  // namespace

void ProgressBar::begin(std::string_view stage, std::uint64_t total, std::string_view unit) {
  const std::scoped_lock lock(mutex_);
  stage_ = stage;
  unit_ = unit;
  total_ = total;
  started_ = drawn_ = Clock::now();
  draw(0, started_);
}

void ProgressBar::update(std::uint64_t done) {
  const auto now = Clock::now();
  const std::scoped_lock lock(mutex_);
  if (now - drawn_ >= kRedraw) draw(done, now);
}

void ProgressBar::end() { clear(); }

void ProgressBar::clear() {
  const std::scoped_lock lock(mutex_);
  if (!on_screen_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  on_screen_ = false;
}

void ProgressBar::draw(std::uint64_t done, Clock::time_point now) {
  drawn_ = now;
  std::string line = stage_;
  const double seconds = std::chrono::duration<double>(now - started_).count();
  const double rate = seconds > 0.5 ? static_cast<double>(done) / seconds : 0;
  if (total_ > 0) {
    const auto filled =
        static_cast<std::size_t>(static_cast<double>(kBarWidth) * static_cast<double>(std::min(done, total_)) / static_cast<double>(total_));
    line += fmt::format("  [{}{}]", std::string(filled, '#'), std::string(kBarWidth - filled, '.'));
  }
  if (total_ > 0 || done > 0) line += "  " + (unit_ == "%" ? fmt::format("{} %", done) : amount(done, total_, unit_));
  if (rate > 0 && unit_ == "blocks") line += fmt::format("  {:.0f} MiB/s", rate / 2);
  if (rate > 0 && unit_ == "bytes") line += fmt::format("  {}/s", human_size(static_cast<std::uint64_t>(rate)));
  if (rate > 0 && total_ > done) line += "  " + left_text(static_cast<double>(total_ - done) / rate);
  std::fputs(("\r\x1b[K" + line).c_str(), stderr);
  std::fflush(stderr);
  on_screen_ = true;
}

Progress& terminal_progress(bool quiet) {
  const bool wanted = !quiet && ::isatty(STDERR_FILENO) == 1;
  return wanted ? static_cast<Progress&>(the_bar()) : no_progress();
}

void clear_progress() { the_bar().clear(); }

}  // namespace icecore::cli
