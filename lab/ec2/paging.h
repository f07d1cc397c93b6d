// NextToken and MaxResults, for every call that pages.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "lab.h"

namespace icelab {

struct PageRequest {
  std::string query;            // what was asked, without the paging: a token is good for this only
  std::string token;            // empty: the first page
  std::size_t max_results = 0;  // 0: not given
  bool whole = false;           // --page-size and --empty-pages do not apply
};

struct Page {
  nlohmann::json items;
  std::string next_token;  // empty: no more
  bool valid = true;       // false: the token is not one of ours, or of another query
};

// Cuts one page out of `all`; obeys --page-size and --empty-pages.
Page cut_page(const Lab& lab, const nlohmann::json& all, const PageRequest& request);

}  // namespace icelab
