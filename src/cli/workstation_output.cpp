#include "cli/workstation_output.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/plan_output.h"
#include "core/text.h"
#include "workstation/prices.h"

namespace icecore::cli {
namespace {

using namespace workstation;

Json item_json(const Item& item) {
  Json one = {{"kind", item.kind},   {"id", valid_utf8(item.id)},       {"state", item.state},
              {"since", item.since}, {"words", valid_utf8(item.words)}, {"evidence", item.evidence}};
  one["dollars_per_hour"] = item.dollars_per_hour ? Json(*item.dollars_per_hour) : Json();
  return one;
}

Json items_json(const std::vector<Item>& items) {
  Json list = Json::array();
  for (const Item& item : items) list.push_back(item_json(item));
  return list;
}

std::string price(const std::optional<double>& dollars) {
  if (!dollars) return "price unknown";
  return *dollars == 0 ? "free" : fmt::format("${:.4f}/h", *dollars);
}

std::string item_line(const Item& item) {
  return fmt::format("  {:<17} {:<40} {:<11} {:<21} {:<14} {}\n", item.kind, printable(item.id), item.state, item.since, price(item.dollars_per_hour),
                     item.words);
}

}  // namespace

std::string plan_text(const Plan& plan) {
  std::string text = "Calls (nothing has been changed):\n";
  text += calls_text(plan.calls);
  text += lines_text("Creates", plan.creates) + lines_text("Removes", plan.removes) + lines_text("Asked EC2 with DryRun", plan.checks) +
          lines_text("Remarks", plan.remarks);
  text += fmt::format("Cost of what is created: ${:.4f} an hour (US example prices)\n", plan.dollars_per_hour);
  return text + actions_text(plan.calls);
}

Json plan_json(const Plan& plan) {
  return {{"calls", calls_json(plan.calls)},
          {"creates", plan.creates},
          {"removes", plan.removes},
          {"checks", plan.checks},
          {"remarks", plan.remarks},
          {"dollars_per_hour", plan.dollars_per_hour},
          {"iam_actions", aws::iam_actions(plan.calls)}};
}

std::string launched_text(const Launched& launched, const std::string& case_folder) {
  const aws::Instance& one = launched.instance;
  std::string text = fmt::format("workstation {} ({}, {}) {}\n", one.id, one.instance_type, one.availability_zone,
                                 launched.was_there ? "was there already" : "is up");
  for (const std::string& way : launched.ways_in) text += "  " + printable(way) + '\n';
  return text + fmt::format("next: icecore workstation attach {}\n", printable(case_folder));
}

Json launched_json(const Launched& launched) {
  const aws::Instance& one = launched.instance;
  return {{"instance", one.id},         {"type", one.instance_type},       {"zone", one.availability_zone}, {"private_ip", one.private_ip},
          {"public_ip", one.public_ip}, {"was_there", launched.was_there}, {"ways_in", launched.ways_in}};
}

std::string attached_text(const Attached& attached) {
  if (!attached.script.empty()) return attached.script;
  std::string text;
  for (const AttachedCopy& copy : attached.copies)
    text += fmt::format("{}  {}  {}  of {} in {}\n", copy.volume, copy.device, view_name(copy.copy.view), copy.copy.snapshot.snapshot, attached.zone);
  for (const Mounted& one : attached.mounts)
    text += fmt::format("  {:<10} {:<36} {:<8} {}\n", one.state, printable(one.path.empty() ? one.volume + " " + one.partition : one.path),
                        printable(one.filesystem), printable(one.words));
  return text;
}

Json attached_json(const Attached& attached) {
  Json copies = Json::array();
  for (const AttachedCopy& copy : attached.copies)
    copies.push_back({{"volume", copy.volume},
                      {"device", copy.device},
                      {"snapshot", copy.copy.snapshot.snapshot},
                      {"of_volume", copy.copy.snapshot.volume},
                      {"view", view_name(copy.copy.view)},
                      {"folder", "/forensics/" + copy.copy.folder()}});
  Json mounts = Json::array();
  for (const Mounted& one : attached.mounts)
    mounts.push_back({{"volume", valid_utf8(one.volume)},
                      {"partition", valid_utf8(one.partition)},
                      {"filesystem", valid_utf8(one.filesystem)},
                      {"state", valid_utf8(one.state)},
                      {"path", valid_utf8(one.path)},
                      {"words", valid_utf8(one.words)}});
  Json result = {{"instance", attached.instance}, {"zone", attached.zone}, {"copies", std::move(copies)}, {"mounts", std::move(mounts)}};
  if (!attached.script.empty()) result["script"] = attached.script;
  return result;
}

std::string status_text(const Status& status) {
  std::string text;
  for (const Item& item : status.items) text += item_line(item);
  for (const std::string& way : status.ways_in) text += "way in: " + printable(way) + '\n';
  return text + fmt::format("${:.4f} an hour{} (US example prices; snapshots at their most)\n", status.dollars_per_hour(),
                            status.all_prices_known() ? "" : " and what has no known price");
}

Json status_json(const Status& status) {
  return {{"items", items_json(status.items)},
          {"ways_in", status.ways_in},
          {"dollars_per_hour", status.dollars_per_hour()},
          {"all_prices_known", status.all_prices_known()}};
}

std::string removed_text(const Removed& removed) {
  std::string text;
  for (const Item& item : removed.removed) text += fmt::format("removed {} {}\n", item.kind, printable(item.id));
  if (removed.removed.empty()) text += "nothing to remove\n";
  for (const Item& item : removed.not_ours)
    text += fmt::format("left alone: {} {} carries the case's tag, and this case's ledger did not make it\n", item.kind, printable(item.id));
  double month = 0;
  for (const Item& item : removed.left) {
    month += item.dollars_per_hour.value_or(0) * kHoursAMonth;
    text += fmt::format("stays: {} {} ({})\n", item.kind, printable(item.id), item.words);
  }
  return text + fmt::format("what stays costs at most ${:.2f} a month (US example prices)\n", month);
}

Json removed_json(const Removed& removed) {
  double month = 0;
  for (const Item& item : removed.left) month += item.dollars_per_hour.value_or(0) * kHoursAMonth;
  return {{"removed", items_json(removed.removed)},
          {"left", items_json(removed.left)},
          {"not_ours", items_json(removed.not_ours)},
          {"left_dollars_per_month", month}};
}

std::string shared_text(const Shared& shared, const ShareOptions& options) {
  std::string text;
  for (const Shared::One& one : shared.snapshots)
    text += fmt::format("{} may be used by {}{}\n", one.snapshot, fmt::join(options.accounts, ", "),
                        one.copy_of.empty() ? "" : " (a copy of " + one.copy_of + ")");
  for (const std::string& one : shared.locked) text += fmt::format("{} is locked ({}, {} days)\n", one, options.lock_mode, options.lock_days);
  for (const std::string& one : shared.remarks) text += printable(one) + '\n';
  return text;
}

Json shared_json(const Shared& shared) {
  Json list = Json::array();
  for (const Shared::One& one : shared.snapshots) list.push_back({{"snapshot", one.snapshot}, {"copy_of", one.copy_of}, {"key", one.key}});
  return {{"shared", std::move(list)}, {"locked", shared.locked}, {"remarks", shared.remarks}};
}

}  // namespace icecore::cli
