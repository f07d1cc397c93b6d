// Names of partition types, as sgdisk and fdisk give them, for people.
#pragma once

#include <cstdint>
#include <string_view>

namespace icecore::volume {

/// `guid` in upper case with hyphens; empty where unknown.
std::string_view gpt_type_name(std::string_view guid);

/// Empty where unknown.
std::string_view mbr_type_name(std::uint8_t type);

}  // namespace icecore::volume
