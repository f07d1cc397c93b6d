// findings.json and anomalies.jsonl, as docs/rules.md has them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/anomaly.h"
#include "core/json.h"
#include "detect/finding.h"

namespace icecore::detect {

struct FindingsHeader {
  std::string case_name;  ///< empty for an image without a case
  std::string target;
  Timestamp generated;
  bool complete = true;  ///< false: something could not be read, or a step was left out
  std::size_t anomalies = 0;
  std::vector<std::string> empty_volumes = {};   ///< names of those that were never formatted
  std::vector<std::string> missing_mounts = {};  ///< of the machine's fstab, that no volume given has: "LABEL=shop-data on /srv"
};

/// Most severe first, then by time (undated last), rule and first location: the same input gives the same order, whatever order detectors ran in.
/// Equal findings (rule, sentence and places) are kept once.
void sort_findings(std::vector<Finding>& findings);

OrderedJson location_json(const Provenance& where);
/// `id` is "F-001" and so on.
OrderedJson finding_json(const Finding& finding, std::string_view id);
std::string finding_id(std::size_t index);

/// The whole document with a newline at its end; ids by position, so sort first. All text is valid UTF-8.
std::string findings_json(const FindingsHeader& header, const std::vector<Finding>& findings);

/// One line an anomaly: {"kind", "code", "message", "source", "offset", "inode", "path", "causes": […]}.
std::string anomalies_jsonl(const std::vector<Anomaly>& anomalies);

/// findings.json back into values, for reports of an old case. kCorrupt where it is none.
Result<std::vector<Finding>> parse_findings(std::string_view text);

}  // namespace icecore::detect
