// StartSnapshot, PutSnapshotBlock, CompleteSnapshot: a snapshot made of uploaded blocks.
#include "ebs/call.h"
#include "ec2/call.h"
#include "ec2/snapshots.h"
#include "model/service_model.h"
#include "util/digest.h"

namespace icelab {
namespace {

// A snapshot that StartSnapshot made and CompleteSnapshot has not closed. The caller holds the world's lock.
json& open_for_writing(EbsCall& ebs, const std::string& id) {
  ebs.call.lab.world->settle();
  Table& snapshots = (*ebs.call.region)["snapshots"];
  const auto found = snapshots.find(id);
  permit_ebs(ebs, id, found == snapshots.end() ? json::object() : found->second);
  if (found == snapshots.end()) throw ApiError("ResourceNotFoundException", "The snapshot '" + id + "' does not exist.", 404, "SNAPSHOT_NOT_FOUND");
  if (!found->second.value("_writing", false)) throw ApiError("ConflictException", "The snapshot '" + id + "' is not open for writing.", 409);
  return found->second;
}

void check_checksum(const EbsCall& ebs, const std::string& actual) {
  const std::string algorithm(ebs.call.request.header("x-amz-Checksum-Algorithm"));
  if (algorithm != "SHA256") ebs_invalid("x-amz-Checksum-Algorithm must be SHA256");
  if (ebs.call.request.header("x-amz-Checksum") != actual) ebs_invalid("The checksum does not match the data", "INVALID_BLOCK");
}

json body_of(const EbsCall& ebs) {
  json body = json::parse(ebs.call.request.body, nullptr, false);
  if (!body.is_object()) throw ApiError("SerializationException", "The body is not a JSON object");
  const ServiceModel& model = service_models().at("ebs");
  model.check_json(*model.find("StartSnapshot"), body);
  return body;
}

}  // namespace

Reply start_snapshot(EbsCall& ebs) {
  const json in = body_of(ebs);
  World& world = *ebs.call.lab.world;
  const std::lock_guard lock(world.mutex);
  world.settle();
  permit_ebs(ebs, "*", json::object(), in.value("Tags", json::array()));
  const std::int64_t size = in["VolumeSize"];
  if (size < 1 || size > 65'536) ebs_invalid("VolumeSize must be 1 to 65536 GiB", "INVALID_VOLUME_SIZE");
  const std::string token = in.value("ClientToken", "");
  Table& tokens = (*ebs.call.region)["_ebs_tokens"];
  if (const auto found = tokens.find(token); !token.empty() && found != tokens.end()) {
    if (found->second["in"] != in) throw ApiError("ConflictException", "The client token was used with other parameters", 409);
    return ebs_json("StartSnapshotResponse", found->second["out"], 201);
  }
  const std::string parent = in.value("ParentSnapshotId", "");
  if (!parent.empty() && !(*ebs.call.region)["snapshots"].contains(parent))
    throw ApiError("ResourceNotFoundException", "The snapshot '" + parent + "' does not exist.", 404, "SNAPSHOT_NOT_FOUND");
  json snapshot = new_snapshot(ebs.call.lab, in.value("Description", ""));
  snapshot["VolumeId"] = "vol-ffffffff";
  snapshot["VolumeSize"] = size;
  snapshot["Encrypted"] = in.value("Encrypted", false);
  snapshot["Tags"] = in.value("Tags", json::array());
  snapshot["_writing"] = true;
  snapshot["_written"] = json::object();
  if (!parent.empty()) snapshot["_parent"] = parent;
  const std::string id = snapshot["SnapshotId"];
  json out = {{"SnapshotId", id},   {"OwnerId", world.account}, {"Status", "pending"},      {"StartTime", snapshot["StartTime"]},
              {"VolumeSize", size}, {"BlockSize", kBlockSize},  {"Tags", snapshot["Tags"]}, {"Description", snapshot["Description"]}};
  if (!parent.empty()) out["ParentSnapshotId"] = parent;
  (*ebs.call.region)["snapshots"][id] = std::move(snapshot);
  world.set_image(id, parent.empty() ? std::make_shared<const BlockImage>(nullptr, BlockPieces()) : world.image(parent));
  if (!token.empty()) tokens[token] = {{"in", in}, {"out", out}};
  return ebs_json("StartSnapshotResponse", out, 201);
}

Reply put_snapshot_block(EbsCall& ebs) {
  const std::string id = ebs.part(2);
  const auto index = static_cast<BlockIndex>(ebs.number(ebs.part(4), "blockIndex", 0, 0x7fffffff));
  const std::string& data = ebs.call.request.body;
  const std::string length(ebs.call.request.header("x-amz-Data-Length"));
  if (ebs.number(length, "dataLength", 1, kBlockSize) != static_cast<std::int64_t>(data.size()) || data.size() != kBlockSize)
    ebs_invalid("A block is 524288 bytes, and x-amz-Data-Length says so", "INVALID_BLOCK");
  const std::string checksum = base64_encode(sha256(data));
  check_checksum(ebs, checksum);
  World& world = *ebs.call.lab.world;
  const std::lock_guard lock(world.mutex);
  json& snapshot = open_for_writing(ebs, id);
  if (index >= static_cast<std::uint64_t>(snapshot.value("VolumeSize", std::int64_t{1})) * 2048)
    ebs_invalid("The block index is beyond the volume's end");
  world.set_image(id, world.image(id)->with(index, data));
  snapshot["_written"][std::to_string(index)] = checksum;
  Reply reply;
  reply.status = 201;
  reply.headers = {{"x-amz-Checksum", checksum}, {"x-amz-Checksum-Algorithm", "SHA256"}, {"Content-Type", "application/json"}};
  reply.body = "{}";
  return reply;
}

// The LINEAR aggregate is the SHA-256 of all blocks' checksums (raw bytes), in the order of their indexes.
Reply complete_snapshot(EbsCall& ebs) {
  const std::string id = ebs.part(3);
  World& world = *ebs.call.lab.world;
  const std::lock_guard lock(world.mutex);
  json& snapshot = open_for_writing(ebs, id);
  const json& written = snapshot["_written"];
  const std::string count(ebs.call.request.header("x-amz-ChangedBlocksCount"));
  if (ebs.number(count, "changedBlocksCount", 0, 0x7fffffff) != static_cast<std::int64_t>(written.size()))
    ebs_invalid("x-amz-ChangedBlocksCount is not the number of blocks that were written (" + std::to_string(written.size()) + ")");
  if (!ebs.call.request.header("x-amz-Checksum").empty()) {
    if (ebs.call.request.header("x-amz-Checksum-Aggregation-Method") != "LINEAR") ebs_invalid("x-amz-Checksum-Aggregation-Method must be LINEAR");
    std::map<std::uint64_t, std::string> ordered;
    for (const auto& [index, sum] : written.items()) ordered[std::stoull(index)] = sum.get<std::string>();
    std::string all;
    for (const auto& [index, sum] : ordered) all += base64_decode(sum).value_or("");
    check_checksum(ebs, base64_encode(sha256(all)));
  }
  json finished = snapshot;
  finished.erase("_writing");
  finished.erase("_written");
  finished["_began"] = ebs.call.lab.clock.now();
  finished["_done"] = ebs.call.lab.clock.now() + ebs.call.lab.options.snapshot_ms;
  begin_snapshot(ebs.call.lab, *ebs.call.region, std::move(finished), world.image(id));
  return ebs_json("CompleteSnapshotResponse", {{"Status", "pending"}}, 202);
}

}  // namespace icelab
