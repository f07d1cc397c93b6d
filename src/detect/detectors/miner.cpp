// cryptominer: a mining program that no package owns, and its configuration. See heuristics/miners.h for what is looked at.
#include <fmt/format.h>
#include <algorithm>

#include "core/text.h"
#include "detect/detectors/detectors.h"
#include "detect/evidence.h"
#include "detect/heuristics/download.h"
#include "detect/heuristics/miners.h"
#include "detect/heuristics/places.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

constexpr std::uint64_t kHashLimit = std::uint64_t{64} << 20;

Result<void> add_program(const Scene& scene, const machine::FileRef& file, const MiningSigns& signs, Finding& finding) {
  Provenance where = place(scene, file);
  if (file.info.size <= kHashLimit) {
    ICECORE_ASSIGN(const auto content, scene.machine->content(file, kHashLimit));
    if (content) where.sha256 = sha256_hex(*content);
  }
  where.excerpt = cut(signs.first);
  finding.locations.push_back(std::move(where));
  return {};
}

void add_config(const Scene& scene, const MinerHome::Config& config, Finding& finding) {
  const TextLine line = line_at(config.content, config.signs.offset);
  Provenance where = place_line(scene, config.file, line.number, line.offset, trim(line.text));
  where.sha256 = sha256_hex(config.content);
  finding.locations.push_back(std::move(where));
}

Result<Finding> finding_for(const Scene& scene, const MinerHome& home) {
  Finding finding = finding_of("cryptominer");
  finding.confidence = !home.programs.empty() ? Confidence::kHigh : Confidence::kMedium;
  if (home.programs.empty()) finding.severity = Severity::kHigh;
  std::optional<Timestamp> first;
  const auto covers = [&](const Timestamp& time) {
    if (!first || time < *first) first = time;
    if (!finding.last || time > *finding.last) finding.last = time;
  };
  std::vector<std::string> signs;
  for (const auto& [file, found] : home.programs) {
    ICECORE_CHECK(add_program(scene, file, found, finding));
    covers(appeared(file.info));
    for (const std::string& word : found.words)
      if (std::ranges::find(signs, word) == signs.end()) signs.push_back(word);
  }
  std::string pool;
  std::string wallet;
  for (const MinerHome::Config& config : home.configs) {
    add_config(scene, config, finding);
    covers(appeared(config.file.info));
    if (const auto urls = urls_in(config.signs.first); pool.empty() && !urls.empty()) pool = shown(urls.front());
    if (wallet.empty()) wallet = config.wallet;
  }
  finding.time = finding.first = first;
  const std::string& main = home.programs.empty() ? home.configs.front().file.path : home.programs.front().first.path;
  finding.sentence = fmt::format(
      "{} {}{}, there since {}{}{}{}.", shown(main),
      home.programs.empty() ? "is the configuration of a miner" : "is a cryptocurrency miner that no package owns",
      is_hidden_path(main) ? " in a hidden folder" : "", when(*first), signs.empty() ? "" : fmt::format(" (it holds {})", list_of(signs)),
      pool.empty() ? "" : fmt::format("; it mines for the pool {}", pool), wallet.empty() ? "" : fmt::format("; it pays to {}", shown(wallet)));
  return finding;
}

}  // namespace

ICECORE_DETECTOR(detect_miner) {
  (void)anomalies;
  if (!scene.has_machine()) return {};
  ICECORE_ASSIGN(const auto homes, miner_homes(scene));
  for (const MinerHome& home : homes) {
    ICECORE_ASSIGN(auto finding, finding_for(scene, home));
    sink.add(std::move(finding));
  }
  return {};
}

}  // namespace icecore::detect
