#include "ebs/call.h"

#include <algorithm>
#include <charconv>

#include "ec2/call.h"
#include "model/service_model.h"

namespace icelab {
namespace {

void check_known_parameters(const EbsCall& ebs, const std::vector<std::string>& known) {
  for (const auto& [name, value] : ebs.query) {
    if (std::find(known.begin(), known.end(), name) == known.end()) ebs_invalid("Unknown parameter " + name);
  }
}

ApiError does_not_exist(const std::string& id) {
  return {"ResourceNotFoundException", "The snapshot '" + id + "' does not exist.", 404, "SNAPSHOT_NOT_FOUND"};
}

// Completed, and completed long enough for EBS direct to have heard of it.
void check_state(const Lab& lab, const std::string& id, const json& snapshot) {
  const std::string state = snapshot.value("State", "");
  if (state == "pending") throw ApiError("ValidationException", "The snapshot '" + id + "' is in the pending state.", 400, "INVALID_SNAPSHOT_ID");
  if (state != "completed")
    throw ApiError("ValidationException", "The snapshot '" + id + "' is in the " + state + " state.", 400, "INVALID_SNAPSHOT_ID");
  if (snapshot.value("StorageTier", "standard") == "archive") ebs_invalid("The snapshot '" + id + "' is archived.", "INVALID_SNAPSHOT_ID");
  if (snapshot.contains("OutpostArn")) ebs_invalid("The snapshot '" + id + "' is on an Outpost.", "INVALID_SNAPSHOT_ID");
  if (snapshot.contains("_done") && lab.clock.now() < snapshot["_done"].get<Millis>() + lab.options.ebs_hidden_ms) throw does_not_exist(id);
}

}  // namespace

void ebs_invalid(const std::string& message, const std::string& reason) { throw ApiError("ValidationException", message, 400, reason); }

std::string EbsCall::text(const std::string& name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return {};
}

std::string EbsCall::part(std::size_t n) const {
  const auto parts = split(call.request.path, '/');
  return n < parts.size() ? percent_decode(parts[n], false).value_or("") : "";
}

std::int64_t EbsCall::number(const std::string& value, const std::string& name, std::int64_t least, std::int64_t most) const {
  std::int64_t out = 0;
  const char* end = value.data() + value.size();
  const auto [at, error] = std::from_chars(value.data(), end, out);
  if (error != std::errc() || at != end || value.empty() || out < least || out > most)
    ebs_invalid("1 validation error detected: Value '" + value + "' at '" + name + "' failed to satisfy constraint: Member must be between " +
                std::to_string(least) + " and " + std::to_string(most));
  return out;
}

void EbsCall::take(const std::string& bucket, const BucketSize& size, bool of_snapshot) const {
  if (call.lab.buckets.take("ebs|" + call.region->name + "|" + bucket, size)) return;
  if (of_snapshot) throw ApiError("RequestThrottledException", "Request limit exceeded for the snapshot.", 400, "RESOURCE_LEVEL_THROTTLE");
  throw ApiError("ThrottlingException", "Rate exceeded", 400, "ACCOUNT_THROTTLED");
}

void permit_ebs(EbsCall& ebs, const std::string& id, const json& snapshot, const json& request_tags) {
  const std::string action = "ebs:" + ebs.call.action;
  const std::string arn = "arn:aws:ec2:" + ebs.call.region->name + "::snapshot/" + id;
  ConditionContext context = {{"aws:requestedregion", {ebs.call.region->name}}, {"aws:principalarn", {ebs.call.principal.arn}}};
  for (const json& tag : tags_of(snapshot)) context["aws:resourcetag/" + lowercase(tag.value("Key", ""))] = {tag.value("Value", "")};
  for (const json& tag : request_tags) {
    context["aws:requesttag/" + lowercase(tag.value("Key", ""))] = {tag.value("Value", "")};
    context["aws:tagkeys"].push_back(tag.value("Key", ""));
  }
  const Decision decision = ebs.call.principal.may({action, arn, context});
  if (decision != Decision::allowed)
    throw ApiError("AccessDeniedException",
                   "User: " + ebs.call.principal.arn + " is not authorized to perform: " + action + " on resource: " + arn +
                       (decision == Decision::explicitly_denied ? " with an explicit deny in an identity-based policy"
                                                                : " because no identity-based policy allows the " + action + " action"),
                   403, "UNAUTHORIZED_ACCOUNT");
  // An encrypted snapshot's data needs the key as well.
  const bool reads = ebs.call.action == "GetSnapshotBlock" || ebs.call.action.starts_with("List");
  const std::string key = snapshot.value("KmsKeyId", "");
  if (!reads || !snapshot.value("Encrypted", false) || key.empty()) return;
  if (ebs.call.principal.may({"kms:Decrypt", key, context}) != Decision::allowed)
    throw ApiError("AccessDeniedException", "User: " + ebs.call.principal.arn + " is not authorized to perform: kms:Decrypt on resource: " + key, 403,
                   "DEPENDENCY_ACCESS_DENIED");
}

ReadableSnapshot open_snapshot(EbsCall& ebs, const std::string& id) {
  if (!id.starts_with("snap-") || id.size() > 64 || id.find_first_not_of("0123456789abcdef", 5) != std::string::npos || id.size() == 5)
    ebs_invalid("The snapshot ID '" + id + "' is malformed.", "INVALID_SNAPSHOT_ID");
  World& world = *ebs.call.lab.world;
  const std::lock_guard lock(world.mutex);
  world.settle();
  Table& snapshots = (*ebs.call.region)["snapshots"];
  const auto found = snapshots.find(id);
  permit_ebs(ebs, id, found == snapshots.end() ? json::object() : found->second);
  if (found == snapshots.end()) throw does_not_exist(id);
  const json& snapshot = found->second;
  const json shared = snapshot.value("_accounts", json::array());
  const bool ours = snapshot.value("OwnerId", "") == world.account || std::find(shared.begin(), shared.end(), world.account) != shared.end();
  // A public snapshot is hidden from EBS direct even though EC2 describes it: copy it first.
  if (!ours && snapshot.value("_public", false)) throw does_not_exist(id);
  if (!ours) throw ApiError("AccessDeniedException", "The caller is not allowed to read the snapshot '" + id + "'", 403, "UNAUTHORIZED_ACCOUNT");
  check_state(ebs.call.lab, id, snapshot);
  return {id, snapshot.value("VolumeSize", std::int64_t{1}), world.image(id)};
}

Reply ebs_json(const std::string& output_shape, const json& body, int status) {
  Reply reply;
  reply.status = status;
  reply.headers.emplace_back("Content-Type", "application/json");
  reply.body = service_models().at("ebs").to_json(output_shape, body).dump();
  return reply;
}

Reply serve_ebs(Call& call) {
  const auto query = parse_form(call.request.query);
  if (!query) ebs_invalid("The query string is malformed");
  EbsCall ebs{call, *query};
  const LabOptions& options = call.lab.options;
  if (call.action == "ListSnapshotBlocks" || call.action == "ListChangedBlocks") {
    const bool changed = call.action == "ListChangedBlocks";
    check_known_parameters(ebs, changed ? std::vector<std::string>{"firstSnapshotId", "pageToken", "maxResults", "startingBlockIndex"}
                                        : std::vector<std::string>{"pageToken", "maxResults", "startingBlockIndex"});
    ebs.take(call.action, options.ebs_list);
    return changed ? list_changed_blocks(ebs) : list_snapshot_blocks(ebs);
  }
  if (call.action == "GetSnapshotBlock") {
    check_known_parameters(ebs, {"blockToken"});
    ebs.take("get", options.ebs_get);
    ebs.take("get|" + ebs.part(2), options.ebs_get, true);
    return get_snapshot_block(ebs);
  }
  check_known_parameters(ebs, {});
  if (call.action == "PutSnapshotBlock") {
    ebs.take("put", options.ebs_put);
    ebs.take("put|" + ebs.part(2), options.ebs_put, true);
    return put_snapshot_block(ebs);
  }
  ebs.take(call.action, options.ebs_start);
  if (call.action == "StartSnapshot") return start_snapshot(ebs);
  if (call.action == "CompleteSnapshot") return complete_snapshot(ebs);
  throw ApiError("UnknownOperationException", "There is no such operation", 404);
}

}  // namespace icelab
