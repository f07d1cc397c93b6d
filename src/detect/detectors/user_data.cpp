// user-data-download-run: the instance's user-data, or a copy that cloud-init kept, downloads code and runs it. Traces in cloud-init's logs and on
// the console go with it. An installer fetched by https from a named host (`curl -fsSL https://get… | sh`) is how many machines are set up: low.
#include <fmt/format.h>
#include <algorithm>

#include "artefact/cloud_init.h"
#include "artefact/user_data.h"
#include "core/text.h"
#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/heuristics/download.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

constexpr std::size_t kMostTraces = 5;  // of one log

struct Hit {
  std::string command;
  DownloadRun what;
};

std::optional<Hit> hit_in(const std::vector<artefact::UserDataPart>& parts) {
  std::optional<Hit> best;
  for (const artefact::UserDataPart& part : parts) {
    std::string script;
    for (const std::string& command : artefact::user_data_commands(part)) script += command + '\n';
    for (ScriptHit& found : download_and_run_in(script))
      if (!best || (found.what.anonymous && !best->what.anonymous)) best = Hit{std::move(found.text), std::move(found.what)};
  }
  return best;
}

// The line of the raw text that holds the command, so that the excerpt is evidence and not our rendering of it.
std::string_view raw_line(std::string_view raw, const Hit& hit) {
  const std::size_t at = raw.find(hit.what.url.empty() ? std::string_view(hit.command) : std::string_view(hit.what.url));
  return at == std::string_view::npos ? std::string_view(hit.command) : line_at(raw, at).text;
}

struct Gathered {
  std::vector<Provenance> places;
  std::optional<Hit> hit;
  std::optional<Timestamp> first, last;
  bool from_metadata = false;

  void covers(const Timestamp& time) {
    if (!first || time < *first) first = time;
    if (!last || time > *last) last = time;
  }
  void take(const Hit& found) {
    if (!hit || (found.what.anonymous && !hit->what.anonymous)) hit = found;
  }
};

void from_metadata(const Scene& scene, Gathered& gathered) {
  if (!scene.instance.user_data) return;
  const InstanceText& text = *scene.instance.user_data;
  const auto hit = hit_in(artefact::unpack_user_data(text.text));
  if (!hit) return;
  gathered.take(*hit);
  gathered.from_metadata = true;
  gathered.places.push_back(place_instance(scene, "user-data", text, raw_line(text.text, *hit)));
}

Result<void> from_copies(const Scene& scene, Gathered& gathered) {
  ICECORE_ASSIGN(const auto copies, artefact::user_data_copies(*scene.machine));
  for (const artefact::UserDataCopy& copy : copies) {
    const auto hit = hit_in(copy.parts);
    if (!hit) continue;
    ICECORE_ASSIGN(const auto raw, scene.machine->content(copy.file));
    const std::string_view text = raw ? std::string_view(*raw) : std::string_view();
    const std::size_t at = hit->what.url.empty() ? std::string::npos : text.find(hit->what.url);
    Provenance where = place(scene, copy.file);
    if (at != std::string_view::npos) {
      const TextLine line = line_at(text, at);
      where = place_line(scene, copy.file, line.number, line.offset, line.text);
    } else {
      where.excerpt = cut(hit->command);
    }
    if (raw) where.sha256 = sha256_hex(*raw);
    gathered.places.push_back(std::move(where));
    gathered.take(*hit);
    gathered.covers(written(copy.file.info));
  }
  return {};
}

void from_logs(const Scene& scene, Gathered& gathered) {
  const std::string host = gathered.hit->what.url.empty() ? std::string() : host_of_url(gathered.hit->what.url);
  if (host.empty()) return;
  std::map<std::string, std::size_t> traces;
  for (const std::string_view type : {"cloud_init:log", "cloud_init:output", "systemd:journal", "syslog:line"}) {
    for (const artefact::Event* event : scene.events.of_type(type)) {
      const bool cloud_init = type.starts_with("cloud_init") || event->field("reporter") == "cloud-init";
      if (!cloud_init || event->field("body").find(host) == std::string_view::npos || ++traces[event->where.path] > kMostTraces) continue;
      gathered.places.push_back(place_event(*event));
      gathered.covers(event->time);
    }
  }
  for (const InstanceText& console : scene.instance.console_output) {
    const std::size_t at = console.text.find(host);
    if (at == std::string::npos) continue;
    const TextLine line = line_at(console.text, at);
    Provenance where = place_instance(scene, "console-output", console, line.text);
    where.line = line.number;
    where.offset = line.offset;
    gathered.places.push_back(std::move(where));
  }
}

}  // namespace

ICECORE_DETECTOR(detect_user_data) {
  (void)anomalies;
  Gathered gathered;
  from_metadata(scene, gathered);
  if (scene.has_machine()) ICECORE_CHECK(from_copies(scene, gathered));
  if (!gathered.hit) return {};
  from_logs(scene, gathered);
  Finding finding = finding_of("user-data-download-run");
  if (!gathered.hit->what.anonymous) finding.severity = Severity::kLow;
  finding.confidence = Confidence::kHigh;
  finding.first = gathered.first;
  finding.last = gathered.last;
  finding.time = gathered.first;
  finding.locations = std::move(gathered.places);
  finding.sentence =
      fmt::format("{} {}: \"{}\"{}.", gathered.from_metadata ? "The instance's user-data" : "The user-data that cloud-init kept on the disk",
                  gathered.hit->what.decoded ? "decodes hidden code and runs it as root" : "downloads code and runs it as root",
                  shown(gathered.hit->command), gathered.first ? fmt::format("; its traces on the machine begin at {}", when(*gathered.first)) : "");
  sink.add(std::move(finding));
  return {};
}

}  // namespace icecore::detect
