#include "engine/ebs_store.h"

#include <fmt/format.h>
#include <cstring>

namespace icecore::engine {
namespace {

// A snapshot that completed a moment ago can be unknown to the EBS direct APIs for a little while.
constexpr std::int64_t kNotFoundGraceMs = 15'000;

Failure explained(const aws::ServiceError& error, const std::string& snapshot) {
  if (error.code == Code::kNotFound)
    return wrap(
        error,
        fmt::format("the EBS direct APIs do not show {}: a pending, public, archived or other account's snapshot has to be completed, copied into "
                    "this account (aws ec2 copy-snapshot) or restored first",
                    snapshot));
  return Failure(static_cast<const Error&>(error));
}

}  // namespace

Result<aws::Ebs*> EbsStore::ebs() {
  const std::scoped_lock lock(mutex_);
  if (!ebs_) {
    ICECORE_ASSIGN(aws::Session* const session, workspace_.aws());
    ICECORE_ASSIGN(auto client, session->ebs(region_));
    ebs_.emplace(std::move(client));
  }
  return &*ebs_;
}

Result<image::BlockPage> EbsStore::list(std::uint64_t from, const std::optional<std::string>& page) {
  ICECORE_ASSIGN(aws::Ebs* const client, ebs());
  auto reply =
      client->list_snapshot_blocks({.snapshot = snapshot_, .starting_block = from, .page_token = page, .not_found_grace_ms = kNotFoundGraceMs});
  if (!reply) return explained(reply.error(), snapshot_);
  image::BlockPage found;
  found.next_page = std::move(reply->next_token);
  found.blocks.reserve(reply->blocks.size());
  for (aws::ListedBlock& block : reply->blocks) found.blocks.push_back({block.index, std::move(block.token)});
  return found;
}

Result<image::BlockAnswer> EbsStore::get(std::uint64_t index, const std::string& token, std::span<std::byte> out) {
  ICECORE_ASSIGN(aws::Ebs* const client, ebs());
  thread_local Bytes buffer;  // one allocation a thread, whatever the number of blocks
  auto reply = client->get_unhashed_block(snapshot_, index, token, std::move(buffer));
  if (!reply) {
    if (reply.error().reason == "INVALID_BLOCK_TOKEN") return fail(Code::kConflict, "the block token is not valid any more");
    return explained(reply.error(), snapshot_);
  }
  std::memcpy(out.data(), reply->bytes.data(), out.size());
  buffer = std::move(reply->bytes);
  return image::BlockAnswer{reply->stated, {}};
}

}  // namespace icecore::engine
