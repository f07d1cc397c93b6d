// web-shell: a script under a web root that runs what a visitor sends. Points: a visitor's input within 120 bytes of a call that runs something 3,
// packed code that is evaluated 3, a hidden name 2, a place among uploads and pictures 2, a picture's head or a double ending 2. From 4 on critical,
// 3 medium. The access log's POSTs to it are named. Read are scripts with a hidden name, among uploads, or POSTed to, and the 300 that came last.
#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "core/text.h"
#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/heuristics/places.h"
#include "detect/heuristics/shell.h"
#include "detect/heuristics/web_roots.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

constexpr std::uint64_t kLimit = std::uint64_t{512} << 10;
constexpr std::size_t kNear = 120;
constexpr std::size_t kMostOrdinary = 300;
constexpr std::size_t kMostScripts = 20'000;

constexpr std::array<std::string_view, 16> kSinks = {
    "eval(", "eval (",      "assert(",          "system(",         "shell_exec(",  "passthru(",       "popen(",         "proc_open(",
    "exec(", "pcntl_exec(", "create_function(", "call_user_func(", "getRuntime()", "ProcessBuilder(", "Process.Start(", "execute("};
constexpr std::array<std::string_view, 11> kInputs = {"$_POST",        "$_GET",        "$_REQUEST",    "$_COOKIE", "$_FILES[", "php://input",
                                                      "getParameter(", "Request.Form", "Request.Item", "Request[", "HTTP_"};
constexpr std::array<std::string_view, 7> kUnpackers = {"base64_decode(", "gzinflate(", "gzuncompress(",    "str_rot13(",
                                                        "strrev(",        "hex2bin(",   "convert_uudecode("};

bool is_script(std::string_view name) {
  const std::string lower = to_lower(name);
  for (const std::string_view end :
       {".php", ".php3", ".php4", ".php5", ".php7", ".phtml", ".phar", ".pht", ".jsp", ".jspx", ".asp", ".aspx", ".ashx", ".cfm", ".cgi"})
    if (lower.ends_with(end)) return true;
  return false;
}

bool has_double_ending(std::string_view name) {
  const std::string lower = to_lower(name);
  for (const std::string_view middle : {".jpg.", ".jpeg.", ".png.", ".gif.", ".pdf.", ".txt.", ".ico."})
    if (lower.find(middle) != std::string::npos) return true;
  return false;
}

// The place in the text where a visitor's input stands near a call that runs something.
std::optional<std::size_t> input_runs(std::string_view text) {
  for (const std::string_view sink : kSinks) {
    for (std::size_t at = text.find(sink); at != std::string_view::npos; at = text.find(sink, at + 1)) {
      // "curl_exec(", "$pdo->exec(" are other things: the name must begin here.
      const char before = at > 0 ? text[at - 1] : ' ';
      if ((before >= 'a' && before <= 'z') || before == '_' || before == '>' || before == ':') continue;
      const std::string_view window = text.substr(at, kNear);
      for (const std::string_view input : kInputs)
        if (window.find(input) != std::string_view::npos) return at;
    }
  }
  // PHP's backticks run a command.
  for (std::size_t at = text.find("`$_"); at != std::string_view::npos;) return at;
  return std::nullopt;
}

std::optional<std::size_t> packed_runs(std::string_view text) {
  for (const std::string_view sink : {"eval(", "assert("}) {
    for (std::size_t at = text.find(sink); at != std::string_view::npos; at = text.find(sink, at + 1))
      for (const std::string_view unpack : kUnpackers)
        if (text.substr(at, kNear).find(unpack) != std::string_view::npos) return at;
  }
  return std::nullopt;
}

struct Verdict {
  int score = 0;
  std::vector<std::string> reasons;
  std::size_t offset = 0;
  void add(int points, std::string reason) {
    score += points;
    reasons.push_back(std::move(reason));
  }
};

Verdict verdict_on(const std::string& path, std::string_view content) {
  Verdict verdict;
  const std::string_view name = base_name(path);
  if (const auto at = input_runs(content)) {
    verdict.offset = *at;
    verdict.add(3, "it runs what a visitor sends");
  }
  if (const auto at = packed_runs(content)) {
    if (verdict.score == 0) verdict.offset = *at;
    verdict.add(3, "it unpacks and runs hidden code");
  }
  if (verdict.score == 0) return verdict;  // a script in an odd place that runs nothing is no shell
  if (name.starts_with('.')) verdict.add(2, "its name is hidden");
  if (is_upload_path(path)) verdict.add(2, "it lies among uploads");
  const bool picture = content.starts_with("GIF8") || content.starts_with("\xFF\xD8\xFF") || content.starts_with("\x89PNG");
  if (picture || has_double_ending(name)) verdict.add(2, "it poses as a picture");
  return verdict;
}

std::string_view url_path(const artefact::Event& event) {
  const std::string_view path = event.field("path");
  return path.substr(0, path.find_first_of("?#;"));
}

struct Request {
  const artefact::Event* event;
  std::string_view path;
};

std::vector<Request> posts(const Scene& scene) {
  std::vector<Request> found;
  for (const std::string_view type : {"nginx:access_log", "apache:access_log"})
    for (const artefact::Event* event : scene.events.of_type(type))
      if (event->field("method") == "POST" && is_script(url_path(*event))) found.push_back({event, url_path(*event)});
  return found;
}

bool leads_to(std::string_view url, std::string_view path) { return url.size() > 4 && url.front() == '/' && path.ends_with(url); }

Result<std::vector<machine::FileRef>> candidates(const Scene& scene, const std::vector<Request>& requests) {
  ICECORE_ASSIGN(const auto roots, web_roots(scene));
  std::set<std::string_view, std::less<>> posted;
  for (const Request& request : requests) posted.insert(base_name(request.path));
  std::vector<machine::FileRef> sure;
  std::vector<machine::FileRef> ordinary;
  for_each_name(scene, [&](const SweptFile& file) {
    if (file.info->type != fs::FileType::kRegular || file.info->size > kLimit || !is_script(file.text()) ||
        sure.size() + ordinary.size() > kMostScripts)
      return;
    machine::FileRef ref = file.ref();
    if (!is_below_any(ref.path, roots) || ownership(scene, ref.path) == Ownership::kPackaged) return;
    const bool telling = file.text().starts_with('.') || is_upload_path(ref.path) || posted.contains(file.text()) || has_double_ending(file.text());
    (telling ? sure : ordinary).push_back(std::move(ref));
  });
  std::ranges::sort(ordinary, std::ranges::greater{}, [](const machine::FileRef& file) { return appeared(file.info); });
  if (ordinary.size() > kMostOrdinary) ordinary.resize(kMostOrdinary);
  sure.insert(sure.end(), ordinary.begin(), ordinary.end());
  return sure;
}

void add_requests(const std::vector<Request>& requests, const std::string& path, Finding& finding, std::set<std::string>& addresses,
                  std::size_t& count) {
  std::map<std::string, std::pair<const artefact::Event*, const artefact::Event*>> by_file;
  for (const Request& request : requests) {
    if (!leads_to(request.path, path)) continue;
    ++count;
    addresses.insert(shown(request.event->field("ip"), 60));
    auto& [first, last] = by_file[request.event->where.path];
    if (first == nullptr) first = request.event;
    last = request.event;
    finding.first = std::min(finding.first.value_or(request.event->time), request.event->time);
    finding.last = std::max(finding.last.value_or(request.event->time), request.event->time);
  }
  for (const auto& [file, ends] : by_file) {
    if (finding.locations.size() + 2 > kMostLocations) return;
    finding.locations.push_back(place_event(*ends.first));
    if (ends.second != ends.first) finding.locations.push_back(place_event(*ends.second));
  }
}

}  // namespace

ICECORE_DETECTOR(detect_web_shell) {
  (void)anomalies;
  if (!scene.has_machine()) return {};
  const auto requests = posts(scene);
  ICECORE_ASSIGN(const auto files, candidates(scene, requests));
  ICECORE_CHECK(prefetch(scene, files, kLimit));
  for (const machine::FileRef& file : files) {
    ICECORE_ASSIGN(const auto content, scene.machine->content(file, kLimit));
    if (!content) continue;
    const Verdict verdict = verdict_on(file.path, *content);
    if (verdict.score < 3) continue;
    Finding finding = finding_of("web-shell");
    if (verdict.score == 3) finding.severity = Severity::kMedium;
    finding.confidence = verdict.score >= 5 ? Confidence::kHigh : Confidence::kMedium;
    finding.time = finding.first = appeared(file.info);
    finding.last = finding.first;
    const TextLine line = line_at(*content, verdict.offset);
    finding.locations.push_back(place_line(scene, file, line.number, line.offset, line.text));
    finding.locations.back().sha256 = sha256_hex(*content);
    std::set<std::string> addresses;
    std::size_t count = 0;
    add_requests(requests, file.path, finding, addresses, count);
    finding.sentence =
        fmt::format("The script {}, there since {}, is a web shell: {}{}.", shown(file.path), when(*finding.time), list_of(verdict.reasons),
                    count == 0 ? ""
                               : fmt::format("; {} POST request{} came to it from {} until {}", count, count == 1 ? "" : "s",
                                             list_of({addresses.begin(), addresses.end()}), when(*finding.last)));
    sink.add(std::move(finding));
  }
  return {};
}

}  // namespace icecore::detect
