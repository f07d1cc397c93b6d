// Which image, which type, which subnet: found out by reading, with an error that says what would fit.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>

#include "core/text.h"
#include "workstation/up.h"

namespace icecore::workstation {
namespace {

Result<aws::InstanceType> find_type(CaseAccount& account, const std::string& name) {
  auto found = account.ec2().describe_instance_types({.ids = {name}});
  const bool unknown = (!found && found.error().aws_code == "InvalidInstanceType") || (found && found->items.empty());
  if (unknown)
    return fail(Code::kNotFound,
                fmt::format("{} has no instance type '{}'; --type names another, such as m6i.large", account.region(), printable(name)));
  if (!found) return Failure(static_cast<const Error&>(found.error()));
  return found->items.front();
}

std::string default_parameter(const aws::InstanceType& type) {
  const bool arm = std::ranges::find(type.architectures, "arm64") != type.architectures.end();
  return fmt::format("/aws/service/debian/release/12/latest/{}", arm ? "arm64" : "amd64");
}

Result<aws::Image> find_image(CaseAccount& account, std::string wanted, const aws::InstanceType& type) {
  if (wanted.empty()) wanted = default_parameter(type);
  std::string id = wanted;
  if (!wanted.starts_with("ami-")) {
    auto value = account.ssm().get_parameter(wanted);
    if (!value && value.error().code == Code::kNotFound)
      return wrap(value.error(), fmt::format("{} has no public parameter '{}'; --ami names an image (ami-…) or another parameter, such as "
                                             "/aws/service/debian/release/12/latest/amd64",
                                             account.region(), printable(wanted)));
    if (!value) return Failure(static_cast<const Error&>(value.error()));
    id = *value;
  }
  auto found = account.ec2().describe_images({.ids = {id}});
  const bool unknown = (!found && found.error().code == Code::kNotFound) || (found && found->items.empty());
  if (unknown)
    return fail(Code::kNotFound,
                fmt::format("the image {} is not in {}, or not shared with account {}: images are of one region, and the workstation "
                            "has to be in the evidence's",
                            printable(id), account.region(), account.account()));
  if (!found) return Failure(static_cast<const Error&>(found.error()));
  return found->items.front();
}

Result<void> check_architecture(const aws::Image& image, const aws::InstanceType& type) {
  if (type.architectures.empty() || std::ranges::find(type.architectures, image.architecture) != type.architectures.end()) return {};
  return fail(Code::kInvalidArgument,
              fmt::format("the image {} ({}) is for {}, and the type {} is {}; give a --type of that architecture ({}) or another --ami", image.id,
                          printable(image.name), image.architecture, type.name, fmt::join(type.architectures, ", "),
                          image.architecture == "arm64" ? "m6g.large" : "m6i.large"));
}

Result<aws::Subnet> named_subnet(CaseAccount& account, const UpOptions& options) {
  auto found = account.ec2().describe_subnets({.ids = {*options.subnet}});
  const bool unknown = (!found && found.error().code == Code::kNotFound) || (found && found->items.empty());
  if (unknown)
    return fail(Code::kNotFound,
                fmt::format("the subnet {} is not in {}; aws ec2 describe-subnets lists them", printable(*options.subnet), account.region()));
  if (!found) return Failure(static_cast<const Error&>(found.error()));
  const aws::Subnet& subnet = found->items.front();
  if (options.zone && subnet.availability_zone != *options.zone)
    return fail(Code::kInvalidArgument,
                fmt::format("the subnet {} lies in {}, not in {}; leave --zone out", subnet.id, subnet.availability_zone, printable(*options.zone)));
  if (options.vpc && subnet.vpc_id != *options.vpc)
    return fail(Code::kInvalidArgument,
                fmt::format("the subnet {} belongs to {}, not to {}; leave --vpc out", subnet.id, subnet.vpc_id, printable(*options.vpc)));
  return subnet;
}

Result<std::vector<aws::Subnet>> candidate_subnets(CaseAccount& account, const UpOptions& options) {
  std::vector<aws::Filter> filters;
  if (options.vpc) filters.push_back({"vpc-id", {*options.vpc}});
  if (!options.vpc) filters.push_back({"default-for-az", {"true"}});
  if (options.zone) filters.push_back({"availability-zone", {*options.zone}});
  ICECORE_ASSIGN(auto found, plain(account.ec2().describe_subnets({.ids = {}, .filters = filters})));
  if (found.items.empty())
    return fail(Code::kNotFound,
                fmt::format("there is no {} in {}{}; name one with --subnet", options.vpc ? "subnet of " + printable(*options.vpc) : "default subnet",
                            account.region(), options.zone ? ", zone " + printable(*options.zone) : ""));
  return std::move(found.items);
}

}  // namespace

Result<LaunchPlan> plan_launch(CaseAccount& account, const UpOptions& options) {
  LaunchPlan plan;
  ICECORE_ASSIGN(plan.type, find_type(account, options.type));
  ICECORE_ASSIGN(plan.image, find_image(account, options.image, plan.type));
  ICECORE_CHECK(check_architecture(plan.image, plan.type));
  if (options.subnet) {
    ICECORE_ASSIGN(plan.subnets.emplace_back(), named_subnet(account, options));
  } else {
    ICECORE_ASSIGN(plan.subnets, candidate_subnets(account, options));
  }
  ICECORE_ASSIGN(const auto offering, plain(account.ec2().zones_offering(options.type)));
  std::erase_if(plan.subnets, [&](const aws::Subnet& subnet) { return std::ranges::find(offering, subnet.availability_zone) == offering.end(); });
  if (plan.subnets.empty())
    return fail(Code::kInvalidArgument,
                fmt::format("the type {} is not offered {}; it is in: {}. Give another --type, --zone or --subnet", options.type,
                            options.subnet || options.zone ? "in the zone that was asked for" : "where there is a default subnet",
                            offering.empty() ? "no zone of " + account.region() : fmt::format("{}", fmt::join(offering, ", "))));
  return plan;
}

}  // namespace icecore::workstation
