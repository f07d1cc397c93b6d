#include "ebs/tokens.h"

#include "util/api_error.h"
#include "util/digest.h"
#include "util/encoding.h"

namespace icelab {
namespace {

// "b|snap-…|7|expiry|listing" and "p|listing|7|e|expiry|nonce"
constexpr std::size_t kBlockFields = 5;
constexpr std::size_t kPageFields = 6;

}  // namespace

std::string block_token(const Lab& lab, const std::string& snapshot, BlockIndex index, const std::string& listing) {
  const Millis expiry = lab.clock.now() + lab.options.block_token_ms;
  return lab.sealer.seal("b|" + snapshot + "|" + std::to_string(index) + "|" + std::to_string(expiry) + "|" + listing);
}

void check_block_token(const Lab& lab, const std::string& token, const std::string& snapshot, BlockIndex index) {
  const ApiError invalid("ValidationException", "The provided block token is invalid or expired", 400, "INVALID_BLOCK_TOKEN");
  const auto payload = lab.sealer.open(token);
  if (!payload) throw invalid;
  const auto fields = split(*payload, '|');
  if (fields.size() != kBlockFields || fields[0] != "b" || fields[1] != snapshot || fields[2] != std::to_string(index)) throw invalid;
  if (std::stoll(fields[3]) < lab.clock.now()) throw invalid;
}

std::string page_token(const Lab& lab, const std::string& listing, const PagePosition& position) {
  const Millis expiry = lab.clock.now() + lab.options.page_token_ms;
  return lab.sealer.seal("p|" + listing + "|" + std::to_string(position.next) + "|" + (position.after_empty ? "e" : "d") + "|" +
                         std::to_string(expiry) + "|" + random_hex(8));
}

PagePosition open_page_token(const Lab& lab, const std::string& token, const std::string& listing) {
  const ApiError invalid("ValidationException", "The provided page token is invalid or expired", 400, "INVALID_PAGE_TOKEN");
  const auto payload = lab.sealer.open(token);
  if (!payload) throw invalid;
  const auto fields = split(*payload, '|');
  if (fields.size() != kPageFields || fields[0] != "p" || fields[1] != listing || std::stoll(fields[4]) < lab.clock.now()) throw invalid;
  return {static_cast<BlockIndex>(std::stoul(fields[2])), fields[3] == "e"};
}

}  // namespace icelab
