#include <algorithm>

#include "ec2/describe.h"
#include "ec2/handlers.h"
#include "ec2/kinds.h"
#include "util/digest.h"

namespace icelab {
namespace {

// World files need not name reservations: one an instance then, always the same.
std::string reservation_of(const json& instance) {
  return instance.value("_reservation", "r-0" + hex_encode(sha256(instance.value("InstanceId", ""))).substr(0, 16));
}

bool is_burstable(const std::string& type) { return type.starts_with("t") && type.size() > 2 && type[1] >= '2' && type[1] <= '9'; }

json status_of(const json& instance) {
  const bool running = instance["State"].value("Name", "") == "running";
  const json summary = {{"Status", running ? "ok" : "not-applicable"},
                        {"Details", json::array({{{"Name", "reachability"}, {"Status", running ? "passed" : "insufficient-data"}}})}};
  return {{"InstanceId", instance["InstanceId"]},
          {"AvailabilityZone", instance.value("Placement", json::object()).value("AvailabilityZone", "")},
          {"InstanceState", instance["State"]},
          {"InstanceStatus", summary},
          {"SystemStatus", summary}};
}

}  // namespace

json describe_instances(Ec2Call& call) {
  std::map<std::string, json> reservations;
  for (json& instance : select_objects(call, "instances")) {
    json& reservation = reservations[reservation_of(instance)];
    reservation["ReservationId"] = reservation_of(instance);
    reservation["OwnerId"] = call.world.account;
    reservation["Groups"] = json::array();
    reservation["Instances"].push_back(std::move(instance));
  }
  json list = json::array();
  for (auto& [id, reservation] : reservations) list.push_back(std::move(reservation));
  return {{"Reservations", std::move(list)}};
}

json describe_instance_status(Ec2Call& call) {
  static const FilterTable kFilters = {{"instance-state-name", "InstanceState.Name"},
                                       {"instance-state-code", "InstanceState.Code"},
                                       {"availability-zone", "AvailabilityZone"},
                                       {"instance-status.status", "InstanceStatus.Status"},
                                       {"system-status.status", "SystemStatus.Status"}};
  const json filters = call.list("Filters");
  check_filters(filters, kFilters);
  call.in.erase("Filters");  // they speak of the status, not of the instance
  json list = json::array();
  for (const json& instance : select_objects(call, "instances")) {
    const json status = status_of(instance);
    const bool shown = call.flag("IncludeAllInstances") || instance["State"].value("Name", "") == "running";
    if (shown && matches_filters(status, filters, kFilters)) list.push_back(status);
  }
  return {{"InstanceStatuses", std::move(list)}};
}

json describe_instance_types(Ec2Call& call) {
  for (const json& type : call.list("InstanceTypes")) {
    if (!call.region["instance_types"].contains(type.get<std::string>()))
      throw ApiError("InvalidInstanceType", "The following supplied instance types do not exist: [" + type.get<std::string>() + "]");
  }
  return {{"InstanceTypes", select_objects(call, "instance_types")}};
}

json describe_instance_type_offerings(Ec2Call& call) {
  static const FilterTable kFilters = {{"instance-type", "InstanceType"}, {"location", "Location"}};
  const std::string where = call.text("LocationType", "region");
  const json filters = call.list("Filters");
  check_filters(filters, kFilters);
  json list = json::array();
  const auto add = [&](const std::string& type, const std::string& location) {
    const json offer = {{"InstanceType", type}, {"LocationType", where}, {"Location", location}};
    if (matches_filters(offer, filters, kFilters)) list.push_back(offer);
  };
  for (const auto& [name, type] : call.region["instance_types"]) {
    if (where == "region") add(name, call.region.name);
    for (const json& zone : call.region.zones) {
      const std::string zone_name = zone.value("ZoneName", "");
      const json offered = type.value("_zones", json());
      if (offered.is_array() && std::find(offered.begin(), offered.end(), zone_name) == offered.end()) continue;
      if (where == "availability-zone") add(name, zone_name);
      if (where == "availability-zone-id") add(name, zone.value("ZoneId", ""));
    }
  }
  return {{"InstanceTypeOfferings", std::move(list)}};
}

json describe_instance_credit_specifications(Ec2Call& call) {
  json list = json::array();
  for (const json& instance : select_objects(call, "instances")) {
    const std::string id = instance["InstanceId"];
    if (is_burstable(instance.value("InstanceType", ""))) {
      list.push_back({{"InstanceId", id}, {"CpuCredits", instance.value("_cpu_credits", "standard")}});
    } else if (call.in.contains("InstanceIds")) {
      throw ApiError("InvalidParameterValue", "The instance " + id + " is not a burstable performance instance");
    }
  }
  return {{"InstanceCreditSpecifications", std::move(list)}};
}

}  // namespace icelab
