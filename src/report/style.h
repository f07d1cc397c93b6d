// How text for people is set: colours only where a terminal asks for them, and lines no wider than it is.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "detect/finding.h"

namespace icecore::report {

struct Style {
  bool colour = false;
  std::size_t width = 100;  ///< columns; text is wrapped at words
};

std::string bold(std::string_view text, const Style& style);
std::string dim(std::string_view text, const Style& style);
/// "CRITICAL", in the severity's colour.
std::string severity_label(detect::Severity severity, const Style& style);
std::string_view severity_name(detect::Severity severity);

/// `text` in lines of at most style.width - indent columns, each line after `indent` spaces. Words longer than a line stay whole. Counts bytes, so
/// text beyond ASCII breaks a little early.
std::string wrap(std::string_view text, std::size_t indent, const Style& style);

}  // namespace icecore::report
