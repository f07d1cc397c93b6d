#include "report/findings_report.h"

#include <fmt/format.h>
#include <algorithm>

#include "core/text.h"

namespace icecore::report {
namespace {

constexpr std::size_t kIndent = 10;  // under the severity column
constexpr std::size_t kLocationsShown = 4;
constexpr std::size_t kAnomaliesShown = 10;

// Sentences are written with their names made printable already: this is the guard that nothing raw gets through, without escaping the escapes.
std::string printable_sentence(std::string_view sentence) {
  std::string text;
  for (const std::string_view piece : split(sentence, '\\')) text += (piece.data() == sentence.data() ? "" : "\\") + printable(piece);
  return text;
}

// At most so many bytes, and no half character at the end.
std::string_view beginning(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

std::string where_text(const Provenance& where) {
  switch (where.kind) {
    case Provenance::Kind::kCloudTrail:
      return fmt::format("CloudTrail {} {} from {}", printable(where.event_name), printable(where.event_id), printable(where.source_ip));
    case Provenance::Kind::kInstance:
      return fmt::format("{} {} ({})", printable(where.instance), printable(where.attribute), printable(where.case_file));
    case Provenance::Kind::kFile: break;
  }
  std::string text = printable(where.path);
  if (where.line) text += fmt::format(":{}", *where.line);
  if (where.inode) text += fmt::format("  inode {}", *where.inode);
  if (!where.volume.empty()) text += fmt::format("  {}", where.volume);
  if (where.partition) text += fmt::format(" partition {}", *where.partition);
  return text;
}

std::string location_lines(const detect::Finding& finding, const Style& style) {
  const std::string margin(kIndent, ' ');
  std::string text;
  const std::size_t shown = std::min(finding.locations.size(), kLocationsShown);
  for (std::size_t i = 0; i < shown; ++i) {
    const Provenance& where = finding.locations[i];
    text += margin + dim(where_text(where), style) + '\n';
    const std::string excerpt = printable(trim(where.excerpt));
    if (!excerpt.empty()) text += margin + "  " + std::string(beginning(excerpt, std::max<std::size_t>(40, style.width - kIndent - 2))) + '\n';
  }
  if (shown < finding.locations.size()) text += fmt::format("{}… and {} more places in findings.json\n", margin, finding.locations.size() - shown);
  return text;
}

std::string finding_text(const detect::Finding& finding, const Style& style) {
  std::string text = fmt::format("{}  {}", severity_label(finding.severity, style), bold(printable(finding.title), style));
  if (!finding.attack.empty()) text += "  " + dim(fmt::format("{}", fmt::join(finding.attack, " ")), style);
  text += '\n';
  const std::string when = finding.time ? to_iso8601(*finding.time, 0) + "  " : "";
  text += wrap(when + printable_sentence(finding.sentence), kIndent, style);
  return text + location_lines(finding, style);
}

std::vector<const detect::Finding*> worst_first(std::span<const detect::Finding> findings) {
  std::vector<const detect::Finding*> order;
  for (const detect::Finding& finding : findings) order.push_back(&finding);
  std::ranges::stable_sort(order, [](const detect::Finding* a, const detect::Finding* b) {
    if (a->severity != b->severity) return a->severity > b->severity;
    return a->time.value_or(Timestamp{}) < b->time.value_or(Timestamp{});
  });
  return order;
}

std::string anomalies_text(const FindingsReport& report, const Style& style) {
  if (report.anomaly_count == 0) return "";
  std::string text = '\n' + bold(fmt::format("Not everything could be read ({} anomalies):", report.anomaly_count), style) + '\n';
  const std::size_t shown = std::min(report.anomalies.size(), kAnomaliesShown);
  for (std::size_t i = 0; i < shown; ++i) {
    const Anomaly& anomaly = report.anomalies[i];
    text += wrap(fmt::format("{}: {}", anomaly.kind, printable(to_string(anomaly.error))), 2, style);
  }
  if (shown < report.anomaly_count) text += fmt::format("  … and {} more in anomalies.jsonl\n", report.anomaly_count - shown);
  return text;
}

}  // namespace

std::string verdict(std::span<const detect::Finding> findings) {
  if (findings.empty()) return "No findings: nothing of what this version looks for is there.";
  std::string counts;
  for (const auto severity :
       {detect::Severity::kCritical, detect::Severity::kHigh, detect::Severity::kMedium, detect::Severity::kLow, detect::Severity::kInfo}) {
    const auto count = std::ranges::count(findings, severity, &detect::Finding::severity);
    if (count > 0) counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", count, severity_name(severity));
  }
  std::optional<Timestamp> first, last;
  for (const detect::Finding& finding : findings) {
    if (finding.severity < detect::Severity::kMedium) continue;
    for (const auto& time : {finding.time, finding.first, finding.last}) {
      if (!time) continue;
      if (!first || *time < *first) first = time;
      if (!last || *last < *time) last = time;
    }
  }
  std::string text = fmt::format("{} finding{}: {}.", findings.size(), findings.size() == 1 ? "" : "s", counts);
  if (first) text += fmt::format(" From {} to {}.", to_iso8601(*first, 0), to_iso8601(*last, 0));
  return text;
}

std::string render(const FindingsReport& report, const Style& style) {
  std::string text = bold(printable(report.target), style) + '\n';
  for (const std::string& fact : report.facts) text += "  " + printable(fact) + '\n';
  text += '\n';
  for (const detect::Finding* finding : worst_first(report.findings)) text += finding_text(*finding, style) + '\n';
  text += bold("Verdict: ", style) + verdict(report.findings) + '\n';
  return text + anomalies_text(report, style);
}

}  // namespace icecore::report
