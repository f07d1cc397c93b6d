#include "aws/ebs.h"

#include <fmt/format.h>

#include "aws/json_values.h"
#include "aws/signer.h"

namespace icecore::aws {
namespace {

/// A block is 512 KiB and the service answers in milliseconds; a stalled connection is worth dropping early.
constexpr HttpLimits kBlockLimits = {.connect_ms = 5'000, .stall_ms = 10'000, .total_ms = 30'000, .body_bytes = std::uint64_t{1} << 20};

std::string blocks_path(const std::string& snapshot) { return fmt::format("/snapshots/{}/blocks", percent_encode(snapshot)); }

void add_paging(Call& call, std::uint32_t max_results, const std::optional<std::uint64_t>& start, const std::optional<std::string>& token) {
  call.query.push_back({"maxResults", std::to_string(max_results)});
  if (token) {
    call.query.push_back({"pageToken", *token});
  } else if (start) {
    call.query.push_back({"startingBlockIndex", std::to_string(*start)});
  }
  // The record has all but the page token.
  for (const NameValue& one : call.query) {
    if (one.name != "pageToken") call.parameters.push_back(one);
  }
}

ServiceError naming(ServiceError error, const std::string& what) {
  error.message = fmt::format("{}: {}", what, error.message);
  return error;
}

/// A listing that does not parse is fetched again, like a block whose checksum is wrong.
template <typename Page>
std::optional<std::string> parse_into(Result<Page> parsed, Page& page) {
  if (!parsed) return std::move(parsed).error().message;
  page = std::move(*parsed);
  return std::nullopt;
}

/// Words where the body has not the shape that the headers promise.
std::optional<std::string> shape_damage(const HttpReply& reply) {
  if (reply.body.size() != kBlockBytes) return fmt::format("the body is {} bytes long instead of {}", reply.body.size(), kBlockBytes);
  const std::string_view length = header(reply.headers, "x-amz-Data-Length");
  if (length != std::to_string(kBlockBytes)) return fmt::format("x-amz-Data-Length is '{}'", length.substr(0, 32));
  const std::string_view algorithm = header(reply.headers, "x-amz-Checksum-Algorithm");
  if (algorithm != "SHA256") return fmt::format("x-amz-Checksum-Algorithm is '{}', not SHA256", algorithm.substr(0, 32));
  return std::nullopt;
}

std::string_view stated_checksum(const HttpReply& reply) { return header(reply.headers, "x-amz-Checksum"); }

/// Words where the body is not the block that the headers promise; else `digest` is its SHA-256.
std::optional<std::string> content_damage(const HttpReply& reply, Sha256Digest& digest) {
  digest = sha256(reply.body);
  const std::string computed = to_base64(digest);
  const std::string_view sent = stated_checksum(reply);
  if (sent != computed) return fmt::format("the SHA-256 of the body is {}, x-amz-Checksum says {}", computed, sent.substr(0, 64));
  return std::nullopt;
}

/// Words where x-amz-Checksum is no SHA-256; else `digest` is what it says.
std::optional<std::string> read_checksum(const HttpReply& reply, Sha256Digest& digest) {
  const auto bytes = from_base64(stated_checksum(reply));
  if (!bytes || bytes->size() != digest.size()) return fmt::format("x-amz-Checksum '{}' is no SHA-256", stated_checksum(reply).substr(0, 64));
  std::ranges::copy(*bytes, digest.begin());
  return std::nullopt;
}

}  // namespace

CallResult<BlockPage> Ebs::list_snapshot_blocks(const ListRequest& request) {
  Call call{.operation = &operation("ebs", "ListSnapshotBlocks"), .path = blocks_path(request.snapshot)};
  call.parameters = {{"snapshotId", request.snapshot}};
  add_paging(call, request.max_results, request.starting_block, request.page_token);
  call.not_found_grace_ms = request.not_found_grace_ms;
  BlockPage page;
  call.damage = [&page](const HttpReply& reply) { return parse_into(parse_block_page(as_text(reply.body)), page); };
  auto reply = executor_.run(std::move(call), origin_, region_);
  if (!reply) return CallFailure(naming(std::move(reply).error(), request.snapshot));
  return page;
}

CallResult<ChangedPage> Ebs::list_changed_blocks(const ChangedRequest& request) {
  Call call{.operation = &operation("ebs", "ListChangedBlocks"),
            .path = fmt::format("/snapshots/{}/changedblocks", percent_encode(request.second_snapshot))};
  call.parameters = {{"secondSnapshotId", request.second_snapshot}};
  call.query = {{"firstSnapshotId", request.first_snapshot}};
  add_paging(call, request.max_results, request.starting_block, request.page_token);
  const std::string what = fmt::format("{} against {}", request.second_snapshot, request.first_snapshot);
  ChangedPage page;
  call.damage = [&page](const HttpReply& reply) { return parse_into(parse_changed_page(as_text(reply.body)), page); };
  auto reply = executor_.run(std::move(call), origin_, region_);
  if (!reply) return CallFailure(naming(std::move(reply).error(), what));
  return page;
}

CallResult<CallReply> Ebs::get_block(const std::string& snapshot, std::uint64_t index, const std::string& token, Bytes buffer,
                                     std::function<std::optional<std::string>(const HttpReply&)> damage) {
  static const Operation& described = operation("ebs", "GetSnapshotBlock");
  Call call{.operation = &described, .path = fmt::format("{}/{}", blocks_path(snapshot), index)};
  call.query = {{"blockToken", token}};
  call.parameters = {{"snapshotId", snapshot}, {"blockIndex", std::to_string(index)}};
  call.limits = kBlockLimits;
  call.buffer = std::move(buffer);
  call.damage_code = Code::kIntegrity;
  call.damage = std::move(damage);
  auto reply = executor_.run(std::move(call), origin_, region_);
  if (!reply) return CallFailure(naming(std::move(reply).error(), fmt::format("{} block {}", snapshot, index)));
  return reply;
}

CallResult<VerifiedBlock> Ebs::get_snapshot_block(const std::string& snapshot, std::uint64_t index, const std::string& token, Bytes buffer) {
  Sha256Digest digest{};
  ICECORE_CALL(CallReply reply, get_block(snapshot, index, token, std::move(buffer), [&digest](const HttpReply& http) {
                 auto damage = shape_damage(http);
                 return damage ? damage : content_damage(http, digest);
               }));
  return VerifiedBlock{std::move(reply.http.body), digest};
}

CallResult<StatedBlock> Ebs::get_unhashed_block(const std::string& snapshot, std::uint64_t index, const std::string& token, Bytes buffer) {
  Sha256Digest stated{};
  ICECORE_CALL(CallReply reply, get_block(snapshot, index, token, std::move(buffer), [&stated](const HttpReply& http) {
                 auto damage = shape_damage(http);
                 return damage ? damage : read_checksum(http, stated);
               }));
  return StatedBlock{std::move(reply.http.body), stated};
}

CallResult<std::string> Ebs::start_snapshot(const StartRequest& request) {
  if (request.client_token.empty()) return fail(Code::kInvalidArgument, "StartSnapshot needs a ClientToken, so that it can be sent again safely");
  Json input = {{"VolumeSize", request.volume_size_gib}, {"ClientToken", request.client_token}, {"Timeout", request.timeout_minutes}};
  if (!request.description.empty()) input["Description"] = request.description;
  if (!request.parent_snapshot.empty()) input["ParentSnapshotId"] = request.parent_snapshot;
  for (const NameValue& tag : request.tags) input["Tags"].push_back({{"Key", tag.name}, {"Value", tag.value}});
  Call call{.operation = &operation("ebs", "StartSnapshot"), .method = "POST", .path = "/snapshots"};
  call.headers = {{"Content-Type", "application/json"}};
  call.body = input.dump(-1, ' ', false, Json::error_handler_t::replace);
  call.parameters = {{"VolumeSize", std::to_string(request.volume_size_gib)}, {"Description", request.description}};
  ICECORE_CALL(const CallReply reply, executor_.run(std::move(call), origin_, region_));
  ICECORE_CALL(const Json output, parse_json(as_text(reply.http.body), "the reply of StartSnapshot"));
  const auto id = filled_text_at(output, "SnapshotId");
  if (!id) return fail(Code::kCorrupt, "the reply of StartSnapshot names no snapshot");
  return *id;
}

CallResult<void> Ebs::put_snapshot_block(const std::string& snapshot, std::uint64_t index, ByteView bytes) {
  if (bytes.size() != kBlockBytes) return fail(Code::kInvalidArgument, fmt::format("a block has {} bytes, not {}", kBlockBytes, bytes.size()));
  Call call{.operation = &operation("ebs", "PutSnapshotBlock"), .method = "PUT", .path = fmt::format("{}/{}", blocks_path(snapshot), index)};
  call.headers = {{"Content-Type", "application/octet-stream"},
                  {"x-amz-Data-Length", std::to_string(bytes.size())},
                  {"x-amz-Checksum", to_base64(sha256(bytes))},
                  {"x-amz-Checksum-Algorithm", "SHA256"}};
  call.body = as_text(bytes);
  call.parameters = {{"snapshotId", snapshot}, {"blockIndex", std::to_string(index)}};
  call.limits = kBlockLimits;
  auto reply = executor_.run(std::move(call), origin_, region_);
  if (!reply) return CallFailure(naming(std::move(reply).error(), fmt::format("{} block {}", snapshot, index)));
  return {};
}

CallResult<void> Ebs::complete_snapshot(const std::string& snapshot, std::uint64_t changed_blocks, const std::optional<Sha256Digest>& linear) {
  Call call{.operation = &operation("ebs", "CompleteSnapshot"),
            .method = "POST",
            .path = fmt::format("/snapshots/completion/{}", percent_encode(snapshot))};
  call.headers = {{"x-amz-ChangedBlocksCount", std::to_string(changed_blocks)}};
  if (linear) {
    call.headers.push_back({"x-amz-Checksum", to_base64(*linear)});
    call.headers.push_back({"x-amz-Checksum-Algorithm", "SHA256"});
    call.headers.push_back({"x-amz-Checksum-Aggregation-Method", "LINEAR"});
  }
  call.parameters = {{"snapshotId", snapshot}, {"ChangedBlocksCount", std::to_string(changed_blocks)}};
  auto reply = executor_.run(std::move(call), origin_, region_);
  if (!reply) return CallFailure(naming(std::move(reply).error(), snapshot));
  return {};
}

}  // namespace icecore::aws
