#include "engine/keys_on_disk.h"

#include <algorithm>

namespace icecore::engine {
namespace {

constexpr std::size_t kKeyLength = 20;
constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 20;

bool is_key_character(char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

}  // namespace

std::vector<std::string> access_key_ids(std::string_view text) {
  std::vector<std::string> ids;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    while (at < text.size() && is_key_character(text[at])) ++at;
    const std::string_view word = text.substr(begin, at - begin);
    if (word.size() == kKeyLength && (word.starts_with("AKIA") || word.starts_with("ASIA"))) ids.emplace_back(word);
    if (at == begin) ++at;
  }
  std::ranges::sort(ids);
  ids.erase(std::ranges::unique(ids).begin(), ids.end());
  return ids;
}

Result<std::vector<std::string>> keys_on_disk(const machine::Machine& machine) {
  std::string texts;
  for (const char* pattern : {"/root/.aws/*", "/home/*/.aws/*", "/var/www/.aws/*"}) {
    ICECORE_ASSIGN(const auto files, machine.glob(pattern));
    for (const machine::FileRef& file : files) {
      if (file.info.type != fs::FileType::kRegular) continue;
      ICECORE_ASSIGN(const auto text, machine.content(file, kLargestFile));
      if (text) texts += *text + '\n';
    }
  }
  return access_key_ids(texts);
}

}  // namespace icecore::engine
