// world.json → World, every object checked against the service model so that a typo does not become a wrong reply.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "auth/policy.h"
#include "model/service_model.h"
#include "s3/store.h"
#include "world/world.h"

namespace icelab {

using nlohmann::json;

namespace {

struct TableKind {
  const char* name;   // in world.json
  const char* shape;  // in EC2's model
  const char* id;     // the member that names it
};

constexpr TableKind kTables[] = {
    {"instances", "Instance", "InstanceId"},
    {"instance_types", "InstanceTypeInfo", "InstanceType"},
    {"volumes", "Volume", "VolumeId"},
    {"snapshots", "Snapshot", "SnapshotId"},
    {"vpcs", "Vpc", "VpcId"},
    {"subnets", "Subnet", "SubnetId"},
    {"security_groups", "SecurityGroup", "GroupId"},
    {"network_interfaces", "NetworkInterface", "NetworkInterfaceId"},
    {"key_pairs", "KeyPairInfo", "KeyPairId"},
    {"images", "Image", "ImageId"},
    {"launch_templates", "LaunchTemplate", "LaunchTemplateId"},
    {"iam_instance_profile_associations", "IamInstanceProfileAssociation", "AssociationId"},
    {"addresses", "Address", "AllocationId"},
    {"flow_logs", "FlowLog", "FlowLogId"},
    {"route_tables", "RouteTable", "RouteTableId"},
    {"network_acls", "NetworkAcl", "NetworkAclId"},
};

[[noreturn]] void refuse(const std::string& message) { throw std::runtime_error("world.json: " + message); }

std::string text(const json& object, const char* member, const std::string& where) {
  const auto found = object.find(member);
  if (found == object.end() || !found->is_string()) refuse(where + " needs " + member);
  return found->get<std::string>();
}

}  // namespace

class WorldLoader {
 public:
  WorldLoader(std::string directory, const Clock& clock) : world_(new World(std::move(directory), clock)) {}

  std::unique_ptr<World> load() {
    std::ifstream in(world_->file("world.json"));
    if (!in) throw std::runtime_error(world_->file("world.json") + ": cannot be opened");
    root_ = json::parse(in, nullptr, false);
    if (!root_.is_object()) refuse("is not a JSON object");
    if (root_.value("format", "") != "icecore-lab-world/1") refuse("format is not icecore-lab-world/1");
    world_->account = text(root_, "account", "the world");
    world_->home_region = text(root_, "region", "the world");
    auto region = std::make_unique<Region>();
    region->name = world_->home_region;
    region->zones = root_.value("zones", json::array());
    for (const TableKind& kind : kTables) load_table(*region, kind);
    world_->regions_[region->name] = std::move(region);
    load_identities();
    load_cloudtrail();
    world_->s3 = std::make_shared<S3Store>(take("buckets"), world_->home_region);
    refuse_leftovers();
    return std::move(world_);
  }

 private:
  json take(const std::string& key) {
    const auto found = root_.find(key);
    if (found == root_.end()) return json::array();
    json value = *found;
    root_.erase(found);
    if (!value.is_array()) refuse(key + " is not a list");
    return value;
  }

  void load_table(Region& region, const TableKind& kind) {
    std::size_t number = 0;
    for (json& object : take(kind.name)) {
      const std::string where = fmt::format("{}[{}]", kind.name, number++);
      const std::string problem = service_models().at("ec2").mismatch(kind.shape, object);
      if (!problem.empty()) refuse(where + problem);
      const std::string id = text(object, kind.id, where);
      load_image(id, object, where);
      if (!region[kind.name].emplace(id, std::move(object)).second) refuse(where + ": " + id + " is there twice");
    }
  }

  void load_image(const std::string& id, const json& object, const std::string& where) {
    BlockPieces pieces;
    const json patches = object.value("_patches", json::object());
    for (const auto& [index, path] : patches.items()) {
      if (index.empty() || index.find_first_not_of("0123456789") != std::string::npos) refuse(where + ": _patches has no block index but " + index);
      auto& piece = patches_[path.get<std::string>()];
      if (!piece) piece = piece_from_file(world_->file(path.get<std::string>()));
      pieces[static_cast<BlockIndex>(std::stoul(index))] = piece;
    }
    std::shared_ptr<BlockFile> base;
    if (object.contains("_image")) {
      auto& shared = files_[object["_image"].get<std::string>()];
      if (!shared) shared = std::make_shared<BlockFile>(world_->file(object["_image"].get<std::string>()));
      base = shared;
    }
    if (base || !pieces.empty()) world_->set_image(id, std::make_shared<BlockImage>(base, std::move(pieces)));
  }

  void load_identities() {
    world_->principals = take("principals");
    world_->roles = take("roles");
    world_->instance_profiles = take("instance_profiles");
    for (const json* list : {&world_->principals, &world_->roles}) {
      for (const json& one : *list) {
        const std::string arn = text(one, "Arn", list == &world_->roles ? "a role" : "a principal");
        const json policies = one.value("_policies", json::array());
        for (const json& policy : policies) {
          if (const std::string problem = policy_problem(policy); !problem.empty()) refuse(arn + ": " + problem);
        }
      }
    }
  }

  void load_cloudtrail() {
    const ServiceModel& model = service_models().at("cloudtrail");
    for (json& trail : take("trails")) {
      if (const std::string problem = model.mismatch("Trail", trail); !problem.empty()) refuse("trails" + problem);
      world_->trails.push_back(std::move(trail));
    }
    for (json& event : take("cloudtrail_events")) {
      if (const std::string problem = model.mismatch("Event", event); !problem.empty()) refuse("cloudtrail_events" + problem);
      const auto time = parse_iso8601(text(event, "EventTime", "a CloudTrail event"));
      if (!time) refuse("an EventTime is no ISO 8601 time");
      event["_time"] = *time;
      world_->events.push_back(std::move(event));
    }
    std::stable_sort(world_->events.begin(), world_->events.end(), [](const json& a, const json& b) { return a["_time"] > b["_time"]; });
  }

  void refuse_leftovers() {
    for (const char* known : {"format", "now", "region", "zones", "account"}) root_.erase(known);
    for (const auto& [key, value] : root_.items()) {
      if (!key.starts_with("_")) refuse("unknown member " + key);
    }
  }

  std::unique_ptr<World> world_;
  json root_;
  std::map<std::string, std::shared_ptr<BlockFile>> files_;
  std::map<std::string, std::shared_ptr<const BlockPiece>> patches_;
};

std::unique_ptr<World> World::load(const std::string& directory, const Clock& clock) { return WorldLoader(directory, clock).load(); }

}  // namespace icelab
