// "Fetch something and run it", in the ways in which droppers write it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace icecore::detect {

struct DownloadRun {
  std::string url;         ///< as written; empty where only a variable is seen
  bool anonymous = false;  ///< nothing vouches for the sender: plain http or ftp, an address instead of a name, a paste site, or no URL seen
  bool decoded = false;    ///< no download, but encoded text that is decoded and run
};

/// One line: a downloader piped into an interpreter, `bash <(curl …)`, `sh -c "$(wget -O- …)"`, `eval`, `source`; saved to a file that the same line
/// runs; Python's urllib with exec; base64 or xxd decoded into a shell. Interpreters that get their program as an argument (`| python3 -c …`,
/// `| jq`) do not count: they only read the data.
std::optional<DownloadRun> download_and_run(std::string_view line);

struct ScriptHit {
  std::size_t line = 0;    ///< 1-based
  std::size_t offset = 0;  ///< byte of that line
  std::string text;        ///< the line that runs it
  DownloadRun what;
};

/// The same over a whole script, in which a later line may run what an earlier one saved. At most 100 hits in the first 4 MiB.
std::vector<ScriptHit> download_and_run_in(std::string_view script);

/// Every URL in a text, in order, at most 100.
std::vector<std::string> urls_in(std::string_view text);
/// "198.51.100.23" of "http://198.51.100.23:8080/i.sh"; lower case.
std::string host_of_url(std::string_view url);
bool is_anonymous_url(std::string_view url);

bool is_downloader(std::string_view program);
bool is_shell(std::string_view program);

}  // namespace icecore::detect
