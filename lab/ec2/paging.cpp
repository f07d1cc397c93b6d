#include "ec2/paging.h"

#include <algorithm>

#include "util/digest.h"
#include "util/encoding.h"

namespace icelab {
namespace {

// A token holds the position and whether an empty page went before it.
struct Position {
  std::size_t offset = 0;
  bool after_empty = false;
};

std::string prefix_of(const PageRequest& request) { return "page|" + hex_encode(sha256(request.query)).substr(0, 16) + "|"; }

}  // namespace

Page cut_page(const Lab& lab, const nlohmann::json& all, const PageRequest& request) {
  Page page{nlohmann::json::array(), "", true};
  Position position;
  const std::string prefix = prefix_of(request);
  if (!request.token.empty()) {
    const auto payload = lab.sealer.open(request.token);
    if (!payload || !payload->starts_with(prefix)) return {nlohmann::json::array(), "", false};
    const auto parts = split(*payload, '|');
    position = {std::stoul(parts.at(2)), parts.at(3) == "e"};
  }
  const auto token = [&](std::size_t offset, bool after_empty) {
    // A fresh nonce, so that no two tokens are equal and nobody can rely on it.
    return lab.sealer.seal(prefix + std::to_string(offset) + "|" + (after_empty ? "e" : "d") + "|" + random_hex(8));
  };
  const std::size_t begin = std::min(position.offset, all.size());
  if (lab.options.empty_pages && !request.whole && !position.after_empty && begin < all.size()) {
    page.next_token = token(begin, true);
    return page;
  }
  std::size_t size = request.max_results == 0 ? all.size() : request.max_results;
  if (lab.options.page_size > 0 && !request.whole) size = std::min(size, lab.options.page_size);
  const std::size_t end = std::min(all.size(), begin + size);
  for (std::size_t i = begin; i < end; ++i) page.items.push_back(all[i]);
  if (end < all.size()) page.next_token = token(end, false);
  return page;
}

}  // namespace icelab
