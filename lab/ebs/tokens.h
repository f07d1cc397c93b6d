// Block and page tokens of EBS direct: sealed, of limited life, new with every listing.
#pragma once

#include <optional>
#include <string>

#include "lab.h"

namespace icelab {

std::string block_token(const Lab& lab, const std::string& snapshot, BlockIndex index, const std::string& listing);

// Throws ValidationException (INVALID_BLOCK_TOKEN) for a token that is forged, expired or of another block.
void check_block_token(const Lab& lab, const std::string& token, const std::string& snapshot, BlockIndex index);

struct PagePosition {
  BlockIndex next = 0;
  bool after_empty = false;
};

std::string page_token(const Lab& lab, const std::string& listing, const PagePosition& position);

// Throws ValidationException (INVALID_PAGE_TOKEN).
PagePosition open_page_token(const Lab& lab, const std::string& token, const std::string& listing);

}  // namespace icelab
