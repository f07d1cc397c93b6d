// JSON's own escapes stop at U+001F: DEL, C1 controls and marks that turn the direction of text pass through a JSON writer as they are.
#pragma once

#include <string>

namespace icecore {

/// `json`, a JSON text in valid UTF-8, with every character that could steer a terminal or disguise a name written as \uXXXX: the same document, safe
/// to print. Line feeds between members stay.
std::string safe_json(std::string json);

}  // namespace icecore
