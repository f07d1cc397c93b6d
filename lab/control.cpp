// /_lab/…: how tests set faults, read what was asked, and look into the account.
#include <nlohmann/json.hpp>

#include "auth/policy.h"
#include "lab.h"

namespace icelab {
namespace {

using nlohmann::json;

Reply json_reply(const json& body, int status = 200) {
  Reply reply;
  reply.status = status;
  reply.headers.emplace_back("Content-Type", "application/json");
  reply.body = body.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
  return reply;
}

// What tests look for duplicates and orphans in: every object with its tags, in shapes of the API.
json state_of(Lab& lab) {
  const std::lock_guard lock(lab.world->mutex);
  lab.world->settle();
  json out = json::object();
  for (const auto& [name, region] : lab.world->regions()) {
    for (const char* table : {"instances", "volumes", "snapshots", "security_groups", "key_pairs", "network_interfaces", "kms_keys"}) {
      json list = json::array();
      for (const auto& [id, object] : region->tables[table]) list.push_back(object);
      if (!list.empty()) out[name][table] = std::move(list);
    }
  }
  out["iam"] = {{"roles", lab.world->roles}, {"instance_profiles", lab.world->instance_profiles}};
  return out;
}

// PUT /_lab/policies: {"arn": "arn:…", "policies": [documents] or null}
Reply set_policies(Lab& lab, const json& wanted) {
  for (const json& policy : wanted.value("policies", json::array())) {
    if (const std::string problem = policy_problem(policy); !problem.empty()) return json_reply({{"error", problem}}, 400);
  }
  if (!lab.credentials.set_policies(wanted.at("arn"), wanted.at("policies"))) return json_reply({{"error", "no such principal"}}, 404);
  return json_reply({{"set", true}});
}

// PUT /_lab/volume-fates: ["creating", "error", "attaching"]
Reply set_volume_fates(Lab& lab, const json& fates) {
  const std::lock_guard lock(lab.world->mutex);
  lab.volume_fates.clear();
  for (const json& fate : fates) lab.volume_fates.push_back(fate);
  return json_reply(fates);
}

// PUT /_lab/volumes/vol-…/blocks/7: the machine writes a block of its disk.
Reply write_block(Lab& lab, const std::string& volume, const std::string& index, const std::string& body) {
  const std::lock_guard lock(lab.world->mutex);
  if (body.size() > kBlockSize || index.empty() || index.size() > 8 || index.find_first_not_of("0123456789") != std::string::npos)
    return json_reply({{"error", "a block has an index and up to 524288 bytes"}}, 400);
  lab.world->set_image(volume, lab.world->image(volume)->with(static_cast<BlockIndex>(std::stoul(index)), body));
  return json_reply({{"written", body.size()}});
}

// PATCH /_lab/{table}/{id}: merges members into an object of the home region, e.g. {"State": "error"}.
Reply patch_object(Lab& lab, const std::string& table, const std::string& id, const json& patch) {
  const std::lock_guard lock(lab.world->mutex);
  lab.world->settle();
  Region& region = *lab.world->region(lab.world->home_region);
  const auto found = region[table].find(id);
  if (found == region[table].end()) return json_reply({{"error", "no such object"}}, 404);
  found->second.merge_patch(patch);
  return json_reply(found->second);
}

Reply route(Lab& lab, const Request& request) {
  const auto parts = split(request.path, '/');  // "", "_lab", what, …
  const std::string what = parts.size() > 2 ? parts[2] : "";
  const std::string& method = request.method;
  if (what == "faults" && method == "GET") return json_reply(to_json(lab.faults.get()));
  if (what == "faults" && method == "DELETE") {
    lab.faults.set({});
    return json_reply(to_json(lab.faults.get()));
  }
  if (what == "faults" && method == "PUT") {
    lab.faults.set(fault_settings_from_json(json::parse(request.body)));
    return json_reply(to_json(lab.faults.get()));
  }
  if (what == "requests" && method == "GET") return json_reply(lab.recorder.recent());
  if (what == "requests" && method == "DELETE") {
    lab.recorder.clear();
    return json_reply(json::array());
  }
  if (what == "state" && method == "GET") return json_reply(state_of(lab));
  if (what == "failing-snapshots" && method == "PUT") {
    lab.failing_snapshots = json::parse(request.body).get<int>();
    return json_reply({{"failing_snapshots", lab.failing_snapshots.load()}});
  }
  if (what == "policies" && method == "PUT") return set_policies(lab, json::parse(request.body));
  if (what == "volume-fates" && method == "PUT") return set_volume_fates(lab, json::parse(request.body));
  if (what == "volumes" && parts.size() == 6 && parts[4] == "blocks" && method == "PUT") return write_block(lab, parts[3], parts[5], request.body);
  if (parts.size() == 4 && method == "PATCH") return patch_object(lab, what, parts[3], json::parse(request.body));
  return json_reply({{"error", "no such control call"}}, 404);
}

}  // namespace

Reply serve_control(Lab& lab, const Request& request) {
  try {
    return route(lab, request);
  } catch (const std::exception& error) {
    return json_reply({{"error", error.what()}}, 400);
  }
}

}  // namespace icelab
