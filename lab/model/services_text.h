// lab/model/services.json, compiled in so that the program is one file.
#pragma once

#include <string_view>

namespace icelab {

std::string_view services_text();

}  // namespace icelab
