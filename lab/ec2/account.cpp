#include <algorithm>

#include "ec2/handlers.h"

namespace icelab {

json describe_availability_zones(Ec2Call& call) {
  static const FilterTable kFilters = {
      {"zone-name", "ZoneName"}, {"zone-id", "ZoneId"}, {"state", "State"}, {"region-name", "RegionName"}, {"zone-type", "ZoneType"}};
  check_filters(call.list("Filters"), kFilters);
  const json names = call.list("ZoneNames");
  json zones = call.region.zones;
  for (const json& name : names) {
    if (find_by(zones, "ZoneName", name) == nullptr)
      throw ApiError("InvalidParameterValue", "Invalid availability zone: [" + name.get<std::string>() + "]");
  }
  json list = json::array();
  for (json& zone : zones) {
    if (!names.empty() && std::find(names.begin(), names.end(), zone["ZoneName"]) == names.end()) continue;
    zone["RegionName"] = call.region.name;
    zone["GroupName"] = call.region.name;
    zone["NetworkBorderGroup"] = call.region.name;
    zone["State"] = "available";
    zone["ZoneType"] = "availability-zone";
    zone["OptInStatus"] = "opt-in-not-required";
    zone["Messages"] = json::array();
    if (matches_filters(zone, call.list("Filters"), kFilters)) list.push_back(zone);
  }
  return {{"AvailabilityZones", std::move(list)}};
}

json describe_regions(Ec2Call& call) {
  static const FilterTable kFilters = {{"region-name", "RegionName"}, {"endpoint", "Endpoint"}, {"opt-in-status", "OptInStatus"}};
  check_filters(call.list("Filters"), kFilters);
  std::vector<std::string> names = known_regions();
  if (std::find(names.begin(), names.end(), call.world.home_region) == names.end()) names.push_back(call.world.home_region);
  const json wanted = call.list("RegionNames");
  json list = json::array();
  for (const std::string& name : names) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), name) == wanted.end()) continue;
    const json region = {{"RegionName", name}, {"Endpoint", "ec2." + name + ".amazonaws.com"}, {"OptInStatus", "opt-in-not-required"}};
    if (matches_filters(region, call.list("Filters"), kFilters)) list.push_back(region);
  }
  if (list.empty() && !wanted.empty()) throw ApiError("InvalidParameterValue", "Invalid region: " + wanted.dump());
  return {{"Regions", std::move(list)}};
}

json describe_account_attributes(Ec2Call& call) {
  const json all = {{"supported-platforms", "VPC"},
                    {"max-instances", "20"},
                    {"default-vpc", call.region["vpcs"].empty() ? "none" : call.region["vpcs"].begin()->first}};
  const json wanted = call.list("AttributeNames");
  json list = json::array();
  for (const auto& [name, value] : all.items()) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), name) == wanted.end()) continue;
    list.push_back({{"AttributeName", name}, {"AttributeValues", json::array({json{{"AttributeValue", value}}})}});
  }
  return {{"AccountAttributes", std::move(list)}};
}

json get_ebs_encryption_by_default(Ec2Call&) { return {{"EbsEncryptionByDefault", false}}; }

json get_ebs_default_kms_key_id(Ec2Call&) { return {{"KmsKeyId", "alias/aws/ebs"}}; }

}  // namespace icelab
