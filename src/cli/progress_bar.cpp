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
constexpr std::size_t kLeastBarWidth = 8;
constexpr std::chrono::milliseconds kRedraw{100};
constexpr std::chrono::seconds kCostAge{1};

std::size_t terminal_columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

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

void ProgressBar::show_cost(std::function<std::string()> cost) {
  const std::scoped_lock lock(mutex_);
  cost_ = std::move(cost);
  cost_text_.clear();
  cost_asked_ = {};
}

// What stands behind the bar: amount, rate, cost, time left.
std::string ProgressBar::details(std::uint64_t done, Clock::time_point now) {
  const double seconds = std::chrono::duration<double>(now - started_).count();
  const double rate = seconds > 0.5 ? static_cast<double>(done) / seconds : 0;
  std::string text;
  if (total_ > 0 || done > 0) text += "  " + (unit_ == "%" ? fmt::format("{} %", done) : amount(done, total_, unit_));
  if (rate > 0 && unit_ == "blocks") text += fmt::format("  {:.0f} MiB/s", rate / 2);
  if (rate > 0 && unit_ == "bytes") text += fmt::format("  {}/s", human_size(static_cast<std::uint64_t>(rate)));
  if (cost_ && unit_ == "blocks") {
    if (now - cost_asked_ >= kCostAge) {
      cost_text_ = cost_();
      cost_asked_ = now;
    }
    text += "  " + cost_text_;
  }
  if (rate > 0 && total_ > done) text += "  " + left_text(static_cast<double>(total_ - done) / rate);
  return text;
}

// The bar gives way to the words, and at last these to the terminal's edge: a line that wraps could not be taken back.
void ProgressBar::draw(std::uint64_t done, Clock::time_point now) {
  drawn_ = now;
  std::string line = stage_;
  const std::string behind = details(done, now);
  const std::size_t columns = terminal_columns();
  const std::size_t taken = line.size() + behind.size() + 5;  // two spaces, two brackets, and the last column
  const std::size_t width = columns > taken ? std::min(kBarWidth, columns - taken) : 0;
  if (total_ > 0 && width >= kLeastBarWidth) {
    const auto filled =
        static_cast<std::size_t>(static_cast<double>(width) * static_cast<double>(std::min(done, total_)) / static_cast<double>(total_));
    line += fmt::format("  [{}{}]", std::string(filled, '#'), std::string(width - filled, '.'));
  }
  line = valid_utf8((line + behind).substr(0, columns - 1));
  std::fputs(("\r\x1b[K" + line).c_str(), stderr);
  std::fflush(stderr);
  on_screen_ = true;
}

ShownCost::ShownCost(std::function<std::string()> cost) { the_bar().show_cost(std::move(cost)); }

ShownCost::~ShownCost() { the_bar().show_cost({}); }

Progress& terminal_progress(bool quiet) {
  const bool wanted = !quiet && ::isatty(STDERR_FILENO) == 1;
  return wanted ? static_cast<Progress&>(the_bar()) : no_progress();
}

void clear_progress() { the_bar().clear(); }

}  // namespace icecore::cli
