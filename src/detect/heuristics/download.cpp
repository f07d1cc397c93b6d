#include "detect/heuristics/download.h"

#include <algorithm>
#include <array>
#include <map>

#include "core/text.h"
#include "detect/heuristics/addresses.h"
#include "detect/heuristics/shell.h"

namespace icecore::detect {
namespace {

constexpr std::size_t kMostHits = 100;
constexpr std::size_t kMostSaved = 32;
constexpr std::size_t kLongestScript = std::size_t{4} << 20;

template <std::size_t N>
bool one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::ranges::find(words, word) != words.end();
}

bool is_script_interpreter(std::string_view program) {
  return program.starts_with("python") || program.starts_with("perl") || program.starts_with("php") || program == "ruby" || program == "node" ||
         program == "lua";
}

bool is_option_with_letter(std::string_view word, std::string_view letters) {
  return word.size() >= 2 && word[0] == '-' && word[1] != '-' && word.find_first_of(letters, 1) != std::string_view::npos;
}

// Reads its program from standard input: a shell without -c, another interpreter without -c, -e, -m, -n, -p, -r or a script's name.
bool runs_standard_input(const Command& command) {
  const std::string_view program = command.program();
  const auto arguments = command.arguments();
  if (is_shell(program)) return std::ranges::none_of(arguments, [](std::string_view word) { return is_option_with_letter(word, "c"); });
  if (!is_script_interpreter(program)) return false;
  return std::ranges::all_of(arguments,
                             [](std::string_view word) { return word == "-" || word.starts_with('>') || word.starts_with('2') || word == "-u"; });
}

// The words that hold where it fetches from, so that `apt-get install curl` or `which curl` is no download.
std::string_view download_target(const Command& command) {
  const auto tool =
      std::ranges::find_if(command.words, [](std::string_view word) { return word.find("://") == word.npos && is_downloader(base_name(word)); });
  if (tool == command.words.end()) return {};
  for (auto word = tool + 1; word != command.words.end(); ++word) {
    if (word->find("://") != std::string_view::npos) return *word;
  }
  for (auto word = tool + 1; word != command.words.end(); ++word) {
    if (word->starts_with('-')) continue;
    if (word->starts_with('$')) return *word;
    const std::string_view host = word->substr(0, word->find_first_of("/:"));
    if (word->find('/') != std::string_view::npos && !word->starts_with('/') && (parse_address(host) || host.find('.') != std::string_view::npos))
      return *word;
  }
  return {};
}

bool is_decoder(const Command& command) {
  const std::string_view program = command.program();
  const auto arguments = command.arguments();
  const auto any = [&](std::string_view letters, std::string_view word) {
    return std::ranges::any_of(arguments, [&](std::string_view argument) { return argument == word || is_option_with_letter(argument, letters); });
  };
  if (program == "base64" || program == "base32") return any("dD", "--decode");
  if (program == "openssl") return command.has("-d") && (command.has("base64") || command.has("enc"));
  return program == "xxd" && any("r", "-revert");
}

bool evaluates(const Command& command) {
  const std::string_view program = command.program();
  return is_shell(program) || program == "eval" || program == "source" || program == "." || is_script_interpreter(program);
}

DownloadRun from_url(std::string_view target) {
  const bool seen = !target.empty() && !target.starts_with('$');
  return {seen ? std::string(target) : std::string(), !seen || is_anonymous_url(target), false};
}

// urllib or socket and exec in one breath: `python3 -c "import urllib.request as u;exec(u.urlopen('http://…').read())"`
std::optional<DownloadRun> inline_interpreter(std::string_view line) {
  const auto holds = [&](std::string_view what) { return line.find(what) != std::string_view::npos; };
  const bool python = holds("python") && (holds("urlopen") || holds("requests.get")) && (holds("exec(") || holds("os.system") || holds("subprocess"));
  const bool perl = holds("perl") && (holds("LWP::Simple") || holds("HTTP::Tiny")) && (holds("eval") || holds("system"));
  const bool php = holds("php") && holds("file_get_contents") && holds("eval") && holds("://");
  if (!python && !perl && !php) return std::nullopt;
  const auto urls = urls_in(line);
  return from_url(urls.empty() ? std::string_view() : std::string_view(urls.front()));
}

// Where a download is saved: -o FILE, -O FILE, --output…, > FILE; the URL's last name for `curl -O` and plain wget.
std::string saved_file(const Command& command, std::string_view target) {
  const bool wget = std::ranges::any_of(command.words, [](std::string_view word) { return base_name(word) == "wget"; });
  for (std::size_t i = 0; i < command.words.size(); ++i) {
    const std::string_view word = command.words[i];
    const bool next = i + 1 < command.words.size();
    if (word.starts_with("--output=")) return std::string(word.substr(9));
    if (word.starts_with("--output-document=")) return std::string(word.substr(18));
    if (next && (word == ">" || word == "--output" || word == "--output-document")) return std::string(command.words[i + 1]);
    if (next && word.size() >= 2 && word[0] == '-' && word[1] != '-' && word.back() == (wget ? 'O' : 'o')) return std::string(command.words[i + 1]);
    const std::string_view target_file = word.starts_with('>') ? word.substr(std::min(word.find_first_not_of('>'), word.size())) : std::string_view();
    if (!target_file.empty() && target_file[0] != '&' && target_file != "/dev/null") return std::string(target_file);
  }
  const bool remote_name =
      std::ranges::any_of(command.words, [](std::string_view word) { return word == "--remote-name" || is_option_with_letter(word, "O"); });
  if (wget || remote_name) return std::string(base_name(target.substr(0, target.find('?'))));
  return {};
}

bool same_file(std::string_view word, std::string_view file) {
  if (word == file) return true;
  if (word.starts_with("./")) word.remove_prefix(2);
  if (file.starts_with("./")) file.remove_prefix(2);
  // A relative name may be run by its full path after a `cd`.
  return word == file || (file.find('/') == std::string_view::npos && base_name(word) == file);
}

bool runs_file(const Command& command, std::string_view file) {
  if (file.empty() || file == "-" || file == "/dev/null" || command.words.empty()) return false;
  const auto arguments = command.arguments();
  const auto named = [&] { return std::ranges::any_of(arguments, [&](std::string_view word) { return same_file(word, file); }); };
  const std::string_view program = command.program();
  if (evaluates(command) && named()) return true;
  if (program == "chmod" && named())
    return std::ranges::any_of(arguments, [&](std::string_view word) {
      return !same_file(word, file) && (word.find('x') != std::string_view::npos || word.starts_with('7') || word.starts_with("07"));
    });
  if (base_name(file) != program) return false;
  return std::ranges::any_of(command.words, [&](std::string_view word) { return word.find('/') != std::string_view::npos && same_file(word, file); });
}

// What has been saved so far in a script: file → where from.
using Saved = std::map<std::string, std::string, std::less<>>;

std::optional<DownloadRun> run_of_saved(const std::vector<Command>& commands, Saved& saved) {
  std::optional<DownloadRun> found;
  for (const Command& command : commands) {
    const std::string_view target = download_target(command);
    if (!target.empty()) {
      const std::string file = saved_file(command, target);
      if (!file.empty() && saved.size() < kMostSaved) saved[file] = std::string(target);
      continue;
    }
    if (found) continue;
    for (const auto& [file, from] : saved) {
      if (runs_file(command, file)) found = from_url(from);
    }
  }
  return found;
}

// One pass: what is open is carried along, so that a line of ten thousand pipes costs no more than its length.
std::optional<DownloadRun> in_commands(const std::vector<Command>& commands) {
  bool evaluated = false;            // inside `bash <(…)`, `sh -c "$(…)"`, eval `…`: whoever holds the substitution runs it
  std::optional<DownloadRun> piped;  // a download upstream: `(curl … || wget …) | bash`; pipes, alternatives and groups may lie between
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const Joint joint = commands[i].joint;
    if (joint == Joint::kSequence) evaluated = false;
    if (joint == Joint::kSubstitution && evaluates(commands[i - 1])) evaluated = true;
    if (joint == Joint::kSequence || joint == Joint::kSubstitution) piped.reset();
    if (joint == Joint::kPipe && piped && runs_standard_input(commands[i])) return piped;
    const std::string_view target = download_target(commands[i]);
    if (target.empty() && !is_decoder(commands[i])) continue;
    DownloadRun found = target.empty() ? DownloadRun{{}, true, true} : from_url(target);
    if (evaluated) return found;
    if (!piped) piped = std::move(found);
  }
  return std::nullopt;
}

}  // namespace

bool is_downloader(std::string_view program) {
  static constexpr std::array<std::string_view, 9> kNames = {"curl", "wget", "fetch", "lwp-download", "lwp-request", "GET", "aria2c", "axel", "lynx"};
  // Attackers rename them ("cd1" and "wd1" are a known pair), so that wget and curl hide from monitors.
  static constexpr std::array<std::string_view, 4> kRenamed = {"cd1", "wd1", "cur", "wge"};
  return one_of(program, kNames) || one_of(program, kRenamed);
}

bool is_shell(std::string_view program) {
  static constexpr std::array<std::string_view, 11> kNames = {"sh",   "bash",  "dash", "ash",    "zsh",     "ksh",
                                                              "mksh", "rbash", "fish", "$SHELL", "${SHELL}"};
  return one_of(program, kNames);
}

std::string host_of_url(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  const std::size_t at = url.rfind('@');
  if (at != std::string_view::npos) url.remove_prefix(at + 1);
  if (url.starts_with('[')) return to_lower(url.substr(1, url.find(']') == std::string_view::npos ? url.npos : url.find(']') - 1));
  return to_lower(url.substr(0, url.find(':')));
}

bool is_anonymous_url(std::string_view url) {
  static constexpr std::array<std::string_view, 10> kPaste = {"pastebin.com", "paste.ee", "transfer.sh", "termbin.com",  "ix.io",
                                                              "0x0.st",       "file.io",  "ghostbin.co", "hastebin.com", "anonfiles.com"};
  const std::string host = host_of_url(url);
  if (parse_address(host)) return true;
  const std::string_view scheme = url.substr(0, url.find("://") == std::string_view::npos ? 0 : url.find("://"));
  return !scheme.starts_with("https") || one_of(host, kPaste) || host.ends_with(".onion");
}

std::vector<std::string> urls_in(std::string_view text) {
  std::vector<std::string> urls;
  for (std::size_t at = text.find("://"); at != std::string_view::npos && urls.size() < kMostHits; at = text.find("://", at + 3)) {
    std::size_t begin = at;
    const auto in_scheme = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+'; };
    while (begin > 0 && at - begin < 16 && in_scheme(text[begin - 1])) --begin;
    const std::size_t end = std::min(text.find_first_of(" \t\r\n\"'`<>|;\\)}", at + 3), text.size());
    if (begin != at && end > at + 3) urls.emplace_back(text.substr(begin, std::min(end - begin, std::size_t{2048})));
  }
  return urls;
}

std::optional<DownloadRun> download_and_run(std::string_view line) {
  const std::string_view bare = trim(line);
  if (bare.starts_with('#')) return std::nullopt;
  const auto commands = parse_commands(bare);
  if (auto found = in_commands(commands)) return found;
  Saved saved;
  if (auto found = run_of_saved(commands, saved)) return found;
  return inline_interpreter(bare);
}

std::vector<ScriptHit> download_and_run_in(std::string_view script) {
  std::vector<ScriptHit> hits;
  Saved saved;
  for (ScriptLine& line : script_lines(script.substr(0, kLongestScript))) {
    if (hits.size() >= kMostHits) break;
    const auto commands = parse_commands(line.text);
    auto found = in_commands(commands);
    if (!found) found = run_of_saved(commands, saved);
    if (!found) found = inline_interpreter(line.text);
    if (found) hits.push_back({line.number, line.offset, std::move(line.text), std::move(*found)});
  }
  return hits;
}

}  // namespace icecore::detect
