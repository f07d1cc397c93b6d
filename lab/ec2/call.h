// What a handler of an EC2 action gets, and the checks that all of them share.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "auth/condition.h"
#include "ec2/filters.h"
#include "lab.h"
#include "model/service_model.h"
#include "util/api_error.h"

namespace icelab {

using nlohmann::json;

// Something that IAM decides about: an existing object, or one that this call would make.
struct Resource {
  std::string type;           // "snapshot", "volume", … as in ARNs
  std::string id = "*";       // "*" for what does not exist yet
  json tags = json::array();  // of an existing object
  bool created = false;       // the request's tags are for it
  ConditionContext more;      // e.g. ec2:availabilityzone
};

struct Ec2Call {
  Lab& lab;
  World& world;
  Region& region;
  const Principal& principal;
  const Operation& operation;
  std::string request_id;
  json in;
  bool permitted = false;

  // Asks IAM about the action on each resource, and about ec2:CreateTags for what is tagged at creation.
  // Throws UnauthorizedOperation, and DryRunOperation when the request was only to find out.
  void permit(const std::vector<Resource>& resources);

  std::string arn(const std::string& type, const std::string& id) const;
  std::string now() const { return iso8601(lab.clock.now()); }

  // A member of the input, or the default.
  std::string text(const char* member, const std::string& otherwise = "") const { return in.value(member, otherwise); }
  bool flag(const char* member) const { return in.value(member, false); }
  json list(const char* member) const { return in.value(member, json::array()); }
};

using Ec2Handler = json (*)(Ec2Call&);

// The tags that TagSpecifications has for `type`; checks them as AWS does. `allowed`: the types that the action makes.
json tags_for(const Ec2Call& call, const std::string& type, const std::vector<std::string>& allowed);
void check_tags(const json& tags);

// Members that hold tags: "Tags", or "TagSet" for network interfaces.
json& tags_of(json& object);
const json& tags_of(const json& object);

// "i-0123456789abcdef0": a prefix and 8 or 17 hex digits.
bool well_formed_id(const std::string& id, const std::string& prefix);
std::string new_id(const std::string& prefix);

// The object, or the API's error for a malformed or unknown id.
json& find_object(Ec2Call& call, const std::string& table, const std::string& id);

// Idempotence: runs `make` once for a ClientToken; afterwards answers the ids it gave. Other parameters with the same
// token are IdempotentParameterMismatch.
std::vector<std::string> once_per_token(Ec2Call& call, const std::function<std::vector<std::string>()>& make);

}  // namespace icelab
