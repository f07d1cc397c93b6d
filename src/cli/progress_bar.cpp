#include "cli/progress_bar.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <algorithm>
#include <cstdio>

#include "core/text.h"

namespace icecore::cli {
namespace {

constexpr std::size_t kBarWidth = 24;
constexpr std::size_t kLeastBar = 6;
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

std::string cost_text(const engine::Cost& cost) { return fmt::format("  ${:.4f} of ${:.4f}", cost.so_far, cost.in_all); }

std::size_t columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// A line that is longer than the terminal wraps, and the next one cannot wipe it out: the bar gives way, at last the words.
std::string fitted(const std::string& stage, const std::string& numbers, std::uint64_t done, std::uint64_t total) {
  const std::size_t room = columns() - 1;
  const std::size_t used = stage.size() + numbers.size() + 4;
  const std::size_t width = used >= room ? 0 : std::min(kBarWidth, room - used);
  std::string line = stage;
  if (total > 0 && width >= kLeastBar) {
    const auto filled =
        static_cast<std::size_t>(static_cast<double>(width) * static_cast<double>(std::min(done, total)) / static_cast<double>(total));
    line += fmt::format("  [{}{}]", std::string(filled, '#'), std::string(width - filled, '.'));
  }
  return (line + numbers).substr(0, room);
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

void ProgressBar::show_cost(engine::CostMeter meter) {
  const std::scoped_lock lock(mutex_);
  meter_ = std::move(meter);
}

void ProgressBar::draw(std::uint64_t done, Clock::time_point now) {
  drawn_ = now;
  const double seconds = std::chrono::duration<double>(now - started_).count();
  const double rate = seconds > 0.5 ? static_cast<double>(done) / seconds : 0;
  std::string numbers;
  if (total_ > 0 || done > 0) numbers += "  " + (unit_ == "%" ? fmt::format("{} %", done) : amount(done, total_, unit_));
  if (rate > 0 && unit_ == "blocks") numbers += fmt::format("  {:.0f} MiB/s", rate / 2);
  if (rate > 0 && unit_ == "bytes") numbers += fmt::format("  {}/s", human_size(static_cast<std::uint64_t>(rate)));
  if (meter_ && unit_ == "blocks") numbers += cost_text(meter_());
  if (rate > 0 && total_ > done) numbers += "  " + left_text(static_cast<double>(total_ - done) / rate);
  std::fputs(("\r\x1b[K" + fitted(stage_, numbers, done, total_)).c_str(), stderr);
  std::fflush(stderr);
  on_screen_ = true;
}

Progress& terminal_progress(bool quiet) {
  const bool wanted = !quiet && ::isatty(STDERR_FILENO) == 1;
  return wanted ? static_cast<Progress&>(the_bar()) : no_progress();
}

void clear_progress() { the_bar().clear(); }

void show_cost(engine::CostMeter meter) { the_bar().show_cost(std::move(meter)); }

}  // namespace icecore::cli
