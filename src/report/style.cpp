#include "report/style.h"

#include <fmt/format.h>
#include <array>

#include "core/text.h"

namespace icecore::report {
namespace {

std::string painted(std::string_view text, std::string_view code, const Style& style) {
  return style.colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

}  // namespace

std::string bold(std::string_view text, const Style& style) { return painted(text, "1", style); }
std::string dim(std::string_view text, const Style& style) { return painted(text, "2", style); }

std::string_view severity_name(detect::Severity severity) {
  static constexpr std::array<std::string_view, 5> kNames = {"info", "low", "medium", "high", "critical"};
  return kNames.at(static_cast<std::size_t>(severity));
}

std::string severity_label(detect::Severity severity, const Style& style) {
  static constexpr std::array<std::string_view, 5> kLabels = {"INFO", "LOW", "MEDIUM", "HIGH", "CRITICAL"};
  static constexpr std::array<std::string_view, 5> kColours = {"2", "36", "33", "31", "1;97;41"};
  const auto at = static_cast<std::size_t>(severity);
  return painted(fmt::format("{:<8}", kLabels.at(at)), kColours.at(at), style);
}

std::string wrap(std::string_view text, std::size_t indent, const Style& style) {
  const std::string margin(indent, ' ');
  const std::size_t room = style.width > indent + 20 ? style.width - indent : 20;
  std::string wrapped;
  std::string line;
  for (const std::string_view word : split_fields(text)) {
    if (!line.empty() && line.size() + 1 + word.size() > room) {
      wrapped += margin + line + '\n';
      line.clear();
    }
    if (!line.empty()) line += ' ';
    line += word;
  }
  if (!line.empty()) wrapped += margin + line + '\n';
  return wrapped;
}

}  // namespace icecore::report
