// What a command in a shell history says about who typed it.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace icecore::detect {

struct Trick {
  std::string_view id;       ///< "download-run", "log-tampering", …
  std::string_view meaning;  ///< for a sentence: "downloaded code and ran it"
  int weight;                ///< 3: hardly ever innocent; 2: seldom; 1: ordinary, and telling only in company
};

/// The tricks that this command line shows, each once, heaviest first. Pure; at most 64 KiB of the line is looked at.
std::vector<const Trick*> tricks_of(std::string_view line);

/// All that there are, for documentation and tests.
std::span<const Trick> all_tricks();

}  // namespace icecore::detect
