#include "workstation/status.h"

#include <fmt/format.h>
#include <algorithm>

#include "core/text.h"
#include "engine/instance_record.h"
#include "workstation/machine.h"
#include "workstation/prices.h"
#include "workstation/resources.h"

namespace icecore::workstation {
namespace {

std::string iso(const std::optional<Timestamp>& time) { return time ? to_iso8601(*time, 0) : ""; }

Item instance_item(const aws::Instance& one) {
  Item item{"instance", one.id, one.state, iso(one.launch_time), fmt::format("{} in {}", one.instance_type, one.availability_zone), std::nullopt};
  const bool runs = one.state == "running" || one.state == "pending";
  item.dollars_per_hour = runs ? instance_price(one.instance_type) : std::optional(0.0);
  if (item.dollars_per_hour && !one.public_ip.empty()) *item.dollars_per_hour += kAddressPerHour;
  return item;
}

Item volume_item(const aws::Volume& one) {
  const std::string subject = aws::tag_value(one.tags, "icecore:subject");
  const std::string where = one.attachments.empty() ? "not attached" : one.attachments.front().device;
  return {"volume",
          one.id,
          one.state,
          iso(one.create_time),
          fmt::format("{} GiB, {}, {}", one.size_gib, printable(subject), printable(where)),
          volume_per_hour(one.size_gib)};
}

Result<void> add_evidence(CaseAccount& account, Status& status) {
  ICECORE_ASSIGN(const auto records, engine::snapshots_of(account.workspace().folder()));
  for (const engine::SnapshotRecord& one : records) {
    const double most = static_cast<double>(one.size_gib) * kSnapshotPerGibMonth / kHoursAMonth;
    status.items.push_back(
        {"snapshot", one.snapshot, "", one.started, fmt::format("{} GiB of {} in {}", one.size_gib, one.volume, one.region), most, true});
  }
  for (const evidence::ResourceRecord& one : account.ledger().summary().resources())
    if (one.kind == "kms-key" && !one.removed)
      status.items.push_back({"kms-key", one.id, "", "", "encrypts copies of the evidence", kKeyPerMonth / kHoursAMonth, true});
  return {};
}

}  // namespace

double Status::dollars_per_hour() const {
  double sum = 0;
  for (const Item& item : items) sum += item.dollars_per_hour.value_or(0);
  return sum;
}

bool Status::all_prices_known() const {
  return std::ranges::all_of(items, [](const Item& item) { return item.dollars_per_hour.has_value(); });
}

Result<Status> status(CaseAccount& account) {
  Status status;
  ICECORE_ASSIGN(const auto instances, account.instances());
  for (const aws::Instance& one : instances) {
    status.items.push_back(instance_item(one));
    if (one.state == "running" && status.ways_in.empty()) status.ways_in = ways_in(account, Machine(one));
  }
  ICECORE_ASSIGN(const auto volumes, account.volumes());
  for (const aws::Volume& one : volumes) status.items.push_back(volume_item(one));
  ICECORE_ASSIGN(const auto groups, account.groups());
  for (const aws::SecurityGroup& one : groups) status.items.push_back({"security-group", one.id, "", "", one.name, 0.0});
  // What EC2 has no tags for, the ledger knows.
  for (const evidence::ResourceRecord& one : standing(account))
    if (one.kind == "key-pair" || one.kind == "role" || one.kind == "instance-profile") status.items.push_back({one.kind, one.id, "", "", "", 0.0});
  ICECORE_CHECK(add_evidence(account, status));
  return status;
}

}  // namespace icecore::workstation
