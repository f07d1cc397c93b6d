#include "aws/ec2.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "aws/xml.h"
#include "core/hash.h"

namespace icecore::aws {
namespace {

constexpr std::string_view kVersion = "2016-11-15";
constexpr std::size_t kMaximumPages = 100'000;
constexpr std::size_t kMaximumBytes = std::size_t{512} << 20;

std::string body_text(const HttpReply& reply) { return std::string(as_text(reply.body)); }

/// What the ledger may hold: user-data can carry secrets, page tokens are long and mean nothing later.
std::vector<NameValue> without_secrets(const std::vector<NameValue>& parameters) {
  std::vector<NameValue> shown = parameters;
  for (NameValue& one : shown) {
    if (one.name == "UserData" || one.name == "NextToken") one.value = fmt::format("({} characters)", one.value.size());
  }
  return shown;
}

/// MaxResults and a list of ids exclude each other in DescribeInstances, DescribeVolumes and others; a list of ids is bounded by itself.
bool names_things(const Parameters& parameters) {
  return std::any_of(parameters.values().begin(), parameters.values().end(), [](const NameValue& one) {
    return one.name.ends_with("Id.1") || one.name == "InstanceType.1" || one.name == "LaunchTemplateName.1" || one.name == "GroupName.1";
  });
}

Parameters selected(std::string_view id_name, const Selection& selection) {
  Parameters parameters;
  parameters.list(id_name, selection.ids).filters(selection.filters);
  return parameters;
}

/// Adds the items of one page. Instances lie one deeper, in reservations that carry the owner.
template <typename T>
void take_items(const pugi::xml_node& root, const char* set_name, std::vector<T>& items) {
  for (const pugi::xml_node& item : root.child(set_name).children("item")) read_item(item, items.emplace_back());
}

template <>
void take_items<Instance>(const pugi::xml_node& root, const char* set_name, std::vector<Instance>& items) {
  for (const pugi::xml_node& reservation : root.child(set_name).children("item")) {
    for (const pugi::xml_node& item : reservation.child("instancesSet").children("item")) {
      read_item(item, items.emplace_back());
      items.back().owner_id = child_text(reservation, "ownerId");
      items.back().reservation_id = child_text(reservation, "reservationId");
    }
  }
}

}  // namespace

CallResult<CallReply> Ec2::send(const Operation& operation, Parameters parameters, bool dry_run) {
  if (dry_run) parameters.set("DryRun", "true");
  Parameters form;
  form.set("Action", std::string(operation.name)).set("Version", std::string(kVersion));
  std::string body = form.encoded();
  if (!parameters.values().empty()) body += '&' + parameters.encoded();
  Call call{.operation = &operation, .protocol = Protocol::kEc2Query, .method = "POST"};
  call.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
  call.body = std::move(body);
  call.parameters = without_secrets(parameters.values());
  call.dry_run = dry_run;
  call.damage = [&operation](const HttpReply& reply) -> std::optional<std::string> {
    const auto xml = parse_xml(as_text(reply.body), operation.name);
    return xml ? std::nullopt : std::optional(xml.error().message);
  };
  return executor_.run(std::move(call), origin_, region_);
}

CallResult<Reply<std::string>> Ec2::call(std::string_view action, const Parameters& parameters, bool dry_run) {
  auto reply = send(operation("ec2", action), parameters, dry_run);
  if (!reply) {
    if (!dry_run || !is_dry_run_success(reply.error())) return CallFailure(std::move(reply).error());
    return Reply<std::string>{"", "", reply.error().request_id};
  }
  std::string body = body_text(reply->http);
  return Reply<std::string>{body, body, reply->request_id};
}

CallResult<std::vector<std::string>> Ec2::pages(std::string_view action, const Parameters& parameters) {
  const Operation& described = operation("ec2", action);
  Parameters base = parameters;
  if (described.page_size > 0 && !names_things(base) && !base.has("MaxResults")) base.set("MaxResults", std::to_string(described.page_size));
  std::vector<std::string> bodies;
  std::string token;
  std::size_t bytes = 0;
  while (true) {
    Parameters page = base;
    if (!token.empty()) page.set("NextToken", token);
    ICECORE_CALL(CallReply reply, send(described, std::move(page), false));
    bodies.push_back(body_text(reply.http));
    ICECORE_CALL(const XmlReply xml, parse_xml(bodies.back(), action));
    std::string next = child_text(xml.root, "nextToken");
    if (next.empty()) return bodies;
    bytes += bodies.back().size();
    if (next == token || bodies.size() >= kMaximumPages || bytes > kMaximumBytes) {
      return fail(Code::kRemote, fmt::format("ec2 {} does not come to an end after {} pages", action, bodies.size()));
    }
    token = std::move(next);
  }
}

template <typename T>
CallResult<Listing<T>> Ec2::listing(std::string_view action, const char* set_name, const Parameters& parameters) {
  Listing<T> listing;
  ICECORE_CALL(listing.pages, pages(action, parameters));
  for (const std::string& page : listing.pages) {
    ICECORE_CALL(const XmlReply xml, parse_xml(page, action));
    take_items(xml.root, set_name, listing.items);
  }
  return listing;
}

CallResult<Listing<Instance>> Ec2::describe_instances(const Selection& selection) {
  return listing<Instance>("DescribeInstances", "reservationSet", selected("InstanceId", selection));
}

CallResult<Listing<Volume>> Ec2::describe_volumes(const Selection& selection) {
  return listing<Volume>("DescribeVolumes", "volumeSet", selected("VolumeId", selection));
}

CallResult<Listing<Snapshot>> Ec2::describe_snapshots(const Selection& selection, const std::vector<std::string>& owners) {
  return listing<Snapshot>("DescribeSnapshots", "snapshotSet", selected("SnapshotId", selection).list("Owner", owners));
}

CallResult<Listing<NetworkInterface>> Ec2::describe_network_interfaces(const Selection& selection) {
  return listing<NetworkInterface>("DescribeNetworkInterfaces", "networkInterfaceSet", selected("NetworkInterfaceId", selection));
}

CallResult<Listing<SecurityGroup>> Ec2::describe_security_groups(const Selection& selection) {
  return listing<SecurityGroup>("DescribeSecurityGroups", "securityGroupInfo", selected("GroupId", selection));
}

CallResult<Listing<Subnet>> Ec2::describe_subnets(const Selection& selection) {
  return listing<Subnet>("DescribeSubnets", "subnetSet", selected("SubnetId", selection));
}

CallResult<Listing<Vpc>> Ec2::describe_vpcs(const Selection& selection) {
  return listing<Vpc>("DescribeVpcs", "vpcSet", selected("VpcId", selection));
}

CallResult<Listing<Image>> Ec2::describe_images(const Selection& selection, const std::vector<std::string>& owners) {
  return listing<Image>("DescribeImages", "imagesSet", selected("ImageId", selection).list("Owner", owners));
}

CallResult<Listing<InstanceType>> Ec2::describe_instance_types(const Selection& selection) {
  return listing<InstanceType>("DescribeInstanceTypes", "instanceTypeSet", selected("InstanceType", selection));
}

CallResult<Listing<AvailabilityZone>> Ec2::describe_availability_zones() {
  return listing<AvailabilityZone>("DescribeAvailabilityZones", "availabilityZoneInfo", {});
}

CallResult<Listing<KeyPair>> Ec2::describe_key_pairs(const Selection& selection) {
  return listing<KeyPair>("DescribeKeyPairs", "keySet", selected("KeyPairId", selection));
}

CallResult<std::vector<std::string>> Ec2::zones_offering(const std::string& instance_type) {
  Parameters parameters;
  const std::vector<Filter> filters = {{"instance-type", {instance_type}}};
  parameters.set("LocationType", "availability-zone").filters(filters);
  ICECORE_CALL(const auto bodies, pages("DescribeInstanceTypeOfferings", parameters));
  std::vector<std::string> zones;
  for (const std::string& body : bodies) {
    ICECORE_CALL(const XmlReply xml, parse_xml(body, "DescribeInstanceTypeOfferings"));
    for (const pugi::xml_node& item : xml.root.child("instanceTypeOfferingSet").children("item")) zones.push_back(child_text(item, "location"));
  }
  return zones;
}

CallResult<Reply<std::string>> Ec2::describe_instance_attribute(const std::string& instance, const std::string& attribute) {
  ICECORE_CALL(auto reply, call("DescribeInstanceAttribute", Parameters().set("InstanceId", instance).set("Attribute", attribute)));
  ICECORE_CALL(const XmlReply xml, parse_xml(reply.body, "DescribeInstanceAttribute"));
  reply.value = child_text(xml.root.child(attribute.c_str()), "value");
  return reply;
}

CallResult<Reply<std::string>> Ec2::describe_snapshot_attribute(const std::string& snapshot, const std::string& attribute) {
  ICECORE_CALL(auto reply, call("DescribeSnapshotAttribute", Parameters().set("SnapshotId", snapshot).set("Attribute", attribute)));
  ICECORE_CALL(const XmlReply xml, parse_xml(reply.body, "DescribeSnapshotAttribute"));
  reply.value.clear();
  for (const pugi::xml_node& item : xml.root.child(attribute.c_str()).children("item")) {
    const std::string one = child_text(item, "group").empty() ? child_text(item, "userId") : child_text(item, "group");
    reply.value += fmt::format("{}{}", reply.value.empty() ? "" : ",", one);
  }
  return reply;
}

CallResult<Reply<ConsoleOutput>> Ec2::get_console_output(const std::string& instance, bool latest) {
  Parameters parameters;
  parameters.set("InstanceId", instance);
  if (latest) parameters.set("Latest", "true");
  ICECORE_CALL(auto reply, call("GetConsoleOutput", parameters));
  ICECORE_CALL(const XmlReply xml, parse_xml(reply.body, "GetConsoleOutput"));
  Reply<ConsoleOutput> output{{"", child_time(xml.root, "timestamp")}, std::move(reply.body), std::move(reply.request_id)};
  // EC2 has been seen to wrap the base64 in lines.
  std::string encoded = child_text(xml.root, "output");
  std::erase_if(encoded, [](char c) { return c == '\n' || c == '\r' || c == ' '; });
  ICECORE_CALL(const Bytes text, from_base64(encoded));
  output.value.text = as_text(text);
  return output;
}

CallResult<Reply<Bytes>> Ec2::get_console_screenshot(const std::string& instance) {
  ICECORE_CALL(auto reply, call("GetConsoleScreenshot", Parameters().set("InstanceId", instance)));
  ICECORE_CALL(const XmlReply xml, parse_xml(reply.body, "GetConsoleScreenshot"));
  std::string encoded = child_text(xml.root, "imageData");
  std::erase_if(encoded, [](char c) { return c == '\n' || c == '\r' || c == ' '; });
  ICECORE_CALL(Bytes picture, from_base64(encoded));
  return Reply<Bytes>{std::move(picture), std::move(reply.body), std::move(reply.request_id)};
}

}  // namespace icecore::aws
