#include "cli/plan_output.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/text.h"

namespace icecore::cli {

Json calls_json(std::span<const aws::PlannedCall> calls) {
  Json list = Json::array();
  for (const aws::PlannedCall& call : calls)
    list.push_back({{"service", call.operation->service},
                    {"action", call.operation->name},
                    {"count", call.count},
                    {"purpose", call.purpose},
                    {"changes_the_account", call.operation->mutating}});
  return list;
}

std::string calls_text(std::span<const aws::PlannedCall> calls) {
  std::string text;
  for (const aws::PlannedCall& call : calls)
    text += fmt::format("  {:>7} × {:<11}{:<40}{}\n", call.count, call.operation->service, call.operation->name,
                        call.operation->mutating ? "CHANGES THE ACCOUNT: " + call.purpose : call.purpose);
  return text;
}

std::string actions_text(std::span<const aws::PlannedCall> calls) {
  return fmt::format("IAM actions: {}\n", fmt::join(aws::iam_actions(calls), " "));
}

std::string lines_text(std::string_view heading, const std::vector<std::string>& lines) {
  if (lines.empty()) return "";
  std::string text = fmt::format("{}:\n", heading);
  for (const std::string& one : lines) text += "  " + printable(one) + '\n';
  return text;
}

}  // namespace icecore::cli
