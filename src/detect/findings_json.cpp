#include "detect/findings_json.h"

#include <fmt/format.h>
#include <algorithm>
#include <tuple>

#include "core/safe_json.h"
#include "core/text.h"
#include "detect/rules.h"

namespace icecore::detect {
namespace {

auto place_key(const Provenance& where) {
  return std::tie(where.kind, where.volume, where.snapshot, where.path, where.line, where.offset, where.event_id, where.attribute);
}

bool before(const Finding& a, const Finding& b) {
  if (a.severity != b.severity) return a.severity > b.severity;
  if (a.time.has_value() != b.time.has_value()) return a.time.has_value();
  if (a.time != b.time) return *a.time < *b.time;
  if (a.rule != b.rule) return a.rule < b.rule;
  if (a.locations.empty() != b.locations.empty()) return a.locations.empty();
  if (!a.locations.empty() && place_key(a.locations.front()) != place_key(b.locations.front()))
    return place_key(a.locations.front()) < place_key(b.locations.front());
  return a.sentence < b.sentence;
}

bool same(const Finding& a, const Finding& b) {
  return a.rule == b.rule && a.sentence == b.sentence && a.time == b.time &&
         std::ranges::equal(a.locations, b.locations, [](const Provenance& x, const Provenance& y) { return place_key(x) == place_key(y); });
}

void put(OrderedJson& object, const char* name, std::string_view value) {
  if (!value.empty()) object[name] = valid_utf8(value);
}
void put(OrderedJson& object, const char* name, const std::optional<Timestamp>& value) {
  if (value) object[name] = to_iso8601(*value);
}
template <typename Integer>
void put(OrderedJson& object, const char* name, const std::optional<Integer>& value) {
  if (value) object[name] = *value;
}

void put_file(OrderedJson& out, const Provenance& where) {
  out["kind"] = "file";
  put(out, "snapshot", where.snapshot);
  put(out, "volume", where.volume);
  put(out, "partition", where.partition);
  put(out, "filesystem", where.filesystem);
  put(out, "inode", where.inode);
  put(out, "path", where.path);
  put(out, "offset", where.offset);
  put(out, "line", where.line);
  put(out, "image_offset", where.image_offset);
  put(out, "time", where.time);
}

void put_cloudtrail(OrderedJson& out, const Provenance& where) {
  out["kind"] = "cloudtrail";
  put(out, "event_id", where.event_id);
  put(out, "event_name", where.event_name);
  put(out, "time", where.time);
  put(out, "source_ip", where.source_ip);
  put(out, "access_key", where.access_key);
  put(out, "file", where.case_file);
  put(out, "line", where.line);
}

void put_instance(OrderedJson& out, const Provenance& where) {
  out["kind"] = "instance";
  put(out, "instance", where.instance);
  put(out, "attribute", where.attribute);
  put(out, "file", where.case_file);
  put(out, "line", where.line);
  put(out, "offset", where.offset);
  put(out, "time", where.time);
}

std::optional<Timestamp> time_at(const Json& object, std::string_view member) {
  const auto time = parse_iso8601(text_at(object, member));
  return time ? std::optional(*time) : std::nullopt;
}

std::optional<std::uint64_t> number_at(const Json& object, std::string_view member) {
  const Json& value = json_at(object, {member});
  return value.is_number_unsigned() ? std::optional(value.get<std::uint64_t>()) : std::nullopt;
}

Provenance parse_location(const Json& in) {
  Provenance where;
  const std::string kind = text_at(in, "kind");
  where.kind = kind == "cloudtrail" ? Provenance::Kind::kCloudTrail : kind == "instance" ? Provenance::Kind::kInstance : Provenance::Kind::kFile;
  where.snapshot = text_at(in, "snapshot");
  where.volume = text_at(in, "volume");
  if (const auto partition = number_at(in, "partition")) where.partition = static_cast<std::uint32_t>(*partition);
  where.filesystem = text_at(in, "filesystem");
  where.inode = number_at(in, "inode");
  where.path = text_at(in, "path");
  where.offset = number_at(in, "offset");
  where.line = number_at(in, "line");
  where.image_offset = number_at(in, "image_offset");
  where.event_id = text_at(in, "event_id");
  where.event_name = text_at(in, "event_name");
  where.source_ip = text_at(in, "source_ip");
  where.access_key = text_at(in, "access_key");
  where.instance = text_at(in, "instance");
  where.attribute = text_at(in, "attribute");
  where.case_file = text_at(in, "file");
  where.time = time_at(in, "time");
  where.excerpt = text_at(in, "excerpt");
  where.sha256 = text_at(in, "sha256");
  const Json& blocks = json_at(in, {"blocks"});
  if (blocks.is_array())
    for (const Json& block : blocks) where.blocks.push_back({number_at(block, "index").value_or(0), text_at(block, "sha256")});
  return where;
}

Finding parse_finding(const Json& in) {
  Finding finding;
  finding.rule = text_at(in, "rule");
  for (const Severity severity : {Severity::kInfo, Severity::kLow, Severity::kMedium, Severity::kHigh, Severity::kCritical})
    if (severity_name(severity) == text_at(in, "severity")) finding.severity = severity;
  for (const Confidence confidence : {Confidence::kLow, Confidence::kMedium, Confidence::kHigh})
    if (confidence_name(confidence) == text_at(in, "confidence")) finding.confidence = confidence;
  const Json& attack = json_at(in, {"attack"});
  if (attack.is_array())
    for (const Json& id : attack)
      if (id.is_string()) finding.attack.push_back(id.get<std::string>());
  finding.title = text_at(in, "title");
  finding.sentence = text_at(in, "sentence");
  finding.time = time_at(in, "time");
  finding.first = time_at(in, "first");
  finding.last = time_at(in, "last");
  const Json& locations = json_at(in, {"locations"});
  if (locations.is_array())
    for (const Json& location : locations) finding.locations.push_back(parse_location(location));
  return finding;
}

}  // namespace

void sort_findings(std::vector<Finding>& findings) {
  std::ranges::stable_sort(findings, before);
  findings.erase(std::unique(findings.begin(), findings.end(), same), findings.end());
}

OrderedJson location_json(const Provenance& where) {
  OrderedJson out;
  switch (where.kind) {
    case Provenance::Kind::kFile: put_file(out, where); break;
    case Provenance::Kind::kCloudTrail: put_cloudtrail(out, where); break;
    case Provenance::Kind::kInstance: put_instance(out, where); break;
  }
  put(out, "excerpt", where.excerpt);
  put(out, "sha256", where.sha256);
  if (!where.blocks.empty()) {
    OrderedJson blocks = OrderedJson::array();
    for (const BlockReference& block : where.blocks) blocks.push_back({{"index", block.index}, {"sha256", block.sha256}});
    out["blocks"] = std::move(blocks);
  }
  return out;
}

std::string finding_id(std::size_t index) { return fmt::format("F-{:03}", index + 1); }

OrderedJson finding_json(const Finding& finding, std::string_view id) {
  OrderedJson out;
  out["id"] = id;
  out["rule"] = finding.rule;
  out["severity"] = severity_name(finding.severity);
  out["attack"] = finding.attack;
  out["title"] = valid_utf8(finding.title);
  out["sentence"] = valid_utf8(finding.sentence);
  out["confidence"] = confidence_name(finding.confidence);
  put(out, "time", finding.time);
  put(out, "first", finding.first);
  put(out, "last", finding.last);
  out["locations"] = OrderedJson::array();
  for (const Provenance& where : finding.locations) out["locations"].push_back(location_json(where));
  return out;
}

std::string findings_json(const FindingsHeader& header, const std::vector<Finding>& findings) {
  OrderedJson out;
  out["format"] = "icecore-findings/1";
  out["case"] = valid_utf8(header.case_name);
  out["target"] = valid_utf8(header.target);
  out["generated"] = to_iso8601(header.generated);
  out["complete"] = header.complete;
  out["findings"] = OrderedJson::array();
  for (std::size_t i = 0; i < findings.size(); ++i) out["findings"].push_back(finding_json(findings[i], finding_id(i)));
  out["anomalies"] = header.anomalies;
  for (const auto& [key, list] : {std::pair("empty_volumes", &header.empty_volumes), std::pair("missing_mounts", &header.missing_mounts)}) {
    out[key] = OrderedJson::array();
    for (const std::string& text : *list) out[key].push_back(valid_utf8(text));
  }
  return safe_json(out.dump(1)) + '\n';
}

std::string anomalies_jsonl(const std::vector<Anomaly>& anomalies) {
  std::string lines;
  for (const Anomaly& anomaly : anomalies) {
    OrderedJson out;
    out["kind"] = valid_utf8(anomaly.kind);
    out["code"] = code_name(anomaly.error.code);
    out["message"] = valid_utf8(anomaly.error.message);
    if (const auto& where = anomaly.error.where) {
      put(out, "source", where->source);
      put(out, "offset", where->offset);
      put(out, "inode", where->inode);
      put(out, "path", where->path);
    }
    OrderedJson causes = OrderedJson::array();
    for (const Error* cause = anomaly.error.cause.get(); cause != nullptr && causes.size() < 32; cause = cause->cause.get())
      causes.push_back(valid_utf8(cause->message));
    if (!causes.empty()) out["causes"] = std::move(causes);
    lines += safe_json(out.dump()) + '\n';
  }
  return lines;
}

Result<std::vector<Finding>> parse_findings(std::string_view text) {
  ICECORE_ASSIGN(const Json document, parse_json(text, "findings.json"));
  const Json& list = json_at(document, {"findings"});
  if (text_at(document, "format") != "icecore-findings/1" || !list.is_array())
    return fail(Code::kCorrupt, "findings.json is not of the format icecore-findings/1");
  std::vector<Finding> findings;
  for (const Json& finding : list) findings.push_back(parse_finding(finding));
  return findings;
}

}  // namespace icecore::detect
