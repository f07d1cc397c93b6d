// Opaque tokens (pages, blocks) that only the lab can make and read, without remembering any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace icelab {

class Sealer {
 public:
  Sealer();
  std::string seal(std::string_view payload) const;               // base64: [A-Za-z0-9+/=]+
  std::optional<std::string> open(std::string_view token) const;  // nothing when it is not one of ours

 private:
  std::string secret_;
};

}  // namespace icelab
