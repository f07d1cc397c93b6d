// Signs of cryptocurrency mining in programs, configurations and logs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace icecore::detect {

struct MiningSigns {
  bool pool = false;               ///< a pool's URL (stratum and its variants): only miners and their tools speak it
  std::vector<std::string> words;  ///< what was seen, each once: "stratum+tcp://", "xmrig", "cryptonight"
  std::string first;               ///< the printable run of text around the first pool URL or word, at most 160 bytes
  std::size_t offset = 0;          ///< where it begins

  /// A pool URL, or two signs that no ordinary program holds together.
  bool convincing() const { return pool || words.size() >= 2; }
};

/// Looks through program bytes, a configuration or a log.
MiningSigns mining_signs(std::string_view bytes);

/// A payee: Monero, Bitcoin, Litecoin, Ethereum addresses by alphabet, prefix and length (checksums are not computed). Empty where there is none.
std::string wallet_in(std::string_view text);

/// A line such as miners print: a hash rate ("812.4 H/s", "12 kH/s"), accepted or rejected shares.
bool is_mining_log_line(std::string_view line);

}  // namespace icecore::detect
