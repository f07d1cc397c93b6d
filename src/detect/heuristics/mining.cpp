#include "detect/heuristics/mining.h"

#include <algorithm>
#include <array>

#include "core/text.h"

namespace icecore::detect {
namespace {

constexpr std::size_t kExcerpt = 160;
constexpr std::string_view kBase58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::string_view kBech32 = "023456789acdefghjklmnpqrstuvwxyz";
constexpr std::string_view kHex = "0123456789abcdefABCDEF";

// https://braiins.com/stratum-v1/docs: the scheme of a pool's URL.
constexpr std::array<std::string_view, 9> kPools = {"stratum+tcp://",  "stratum+tcps://", "stratum+ssl://", "stratum+tls://", "stratum2+tcp://",
                                                    "stratum1+tcp://", "stratum://",      "daemon+http://", "stratum+udp://"};
// Names of miners, their algorithms and options that nothing else uses.
constexpr std::array<std::string_view, 24> kWords = {
    "xmrig",       "minerd",      "cpuminer",   "ccminer",   "ethminer",     "cgminer",          "bfgminer",         "sgminer",
    "cryptonight", "cryptonote",  "randomx",    "RandomX",   "donate-level", "mining.subscribe", "mining.authorize", "mining.submit",
    "nicehash",    "moneroocean", "supportxmr", "hashvault", "minexmr",      "scrypt:",          "hashrate",         "t-rex miner"};

std::string around(std::string_view bytes, std::size_t at) {
  const auto plain = [](char c) { return c >= 0x20 && c < 0x7F; };
  std::size_t begin = at;
  while (begin > 0 && at - begin < kExcerpt / 2 && plain(bytes[begin - 1])) --begin;
  std::size_t end = at;
  while (end < bytes.size() && end - begin < kExcerpt && plain(bytes[end])) ++end;
  return std::string(bytes.substr(begin, end - begin));
}

bool is_wallet(std::string_view word) {
  const auto all_of = [](std::string_view text, std::string_view alphabet) { return text.find_first_not_of(alphabet) == std::string_view::npos; };
  const std::size_t n = word.size();
  if (n < 26 || n > 106) return false;
  if ((n == 95 || n == 106) && (word[0] == '4' || word[0] == '8')) return all_of(word, kBase58);
  if (n == 42 && word.starts_with("0x")) return all_of(word.substr(2), kHex);
  if (word.starts_with("bc1") || word.starts_with("ltc1")) return n <= 90 && all_of(word.substr(word.find('1') + 1), kBech32);
  if (n > 35 || std::string_view("13LMD").find(word[0]) == std::string_view::npos) return false;
  // Base58 without any digit or lower case is more likely an ordinary word.
  const bool digit = word.find_first_of("0123456789", 1) != std::string_view::npos;
  const bool lower = std::ranges::any_of(word, [](char c) { return c >= 'a' && c <= 'z'; });
  const bool upper = std::ranges::any_of(word, [](char c) { return c >= 'A' && c <= 'Z'; });
  return digit && lower && upper && all_of(word, kBase58);
}

bool has_hash_rate(std::string_view lower) {
  for (std::size_t at = lower.find("h/s"); at != std::string_view::npos; at = lower.find("h/s", at + 1)) {
    std::size_t i = at;
    if (i > 0 && std::string_view("kmgt").find(lower[i - 1]) != std::string_view::npos) --i;
    while (i > 0 && lower[i - 1] == ' ') --i;
    if (i > 0 && lower[i - 1] >= '0' && lower[i - 1] <= '9') return true;
  }
  return lower.find("hash/s") != std::string_view::npos || lower.find("hashes/s") != std::string_view::npos;
}

}  // namespace

MiningSigns mining_signs(std::string_view bytes) {
  MiningSigns signs;
  std::size_t word_at = std::string_view::npos;
  std::size_t pool_at = std::string_view::npos;
  for (const std::string_view pool : kPools) {
    const std::size_t at = bytes.find(pool);
    if (at == std::string_view::npos) continue;
    signs.pool = true;
    signs.words.emplace_back(pool);
    pool_at = std::min(pool_at, at);
  }
  for (const std::string_view word : kWords) {
    const std::size_t at = bytes.find(word);
    if (at == std::string_view::npos) continue;
    signs.words.emplace_back(word);
    word_at = std::min(word_at, at);
  }
  const std::size_t first = signs.pool ? pool_at : word_at;
  if (first != std::string_view::npos) {
    signs.first = around(bytes, first);
    signs.offset = first;
  }
  return signs;
}

std::string wallet_in(std::string_view text) {
  const auto in_word = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  for (std::size_t i = 0; i < text.size();) {
    if (!in_word(text[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && in_word(text[end])) ++end;
    const std::string_view word = text.substr(i, end - i);
    if (is_wallet(word)) return std::string(word);
    i = end;
  }
  return {};
}

bool is_mining_log_line(std::string_view line) {
  const std::string lower = to_lower(line.substr(0, 1024));
  const auto holds = [&](std::string_view what) { return lower.find(what) != std::string::npos; };
  if (has_hash_rate(lower)) return true;
  const bool share = holds("share") || holds("pool") || holds("diff");
  return share && (holds("accepted") || holds("rejected") || holds("stale")) && lower.find_first_of("0123456789") != std::string::npos;
}

}  // namespace icecore::detect
