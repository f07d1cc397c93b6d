#include "workstation/prices.h"

#include <array>
#include <string>
#include <utility>

namespace icecore::workstation {
namespace {

// Dollars an hour of the family's `large`; other sizes double or halve from there.
constexpr std::array<std::pair<std::string_view, double>, 21> kLarge = {
    {{"t2", 0.0928}, {"t3", 0.0832},  {"t3a", 0.0752}, {"t4g", 0.0672}, {"m4", 0.1},     {"m5", 0.096},   {"m5a", 0.086},
     {"m6i", 0.096}, {"m6a", 0.0864}, {"m6g", 0.077},  {"m7i", 0.1008}, {"m7g", 0.0816}, {"m7a", 0.1159}, {"c5", 0.085},
     {"c6i", 0.085}, {"c6g", 0.068},  {"c7i", 0.0893}, {"c7g", 0.0725}, {"r5", 0.126},   {"r6i", 0.126},  {"r7i", 0.1323}}};
constexpr std::array<std::pair<std::string_view, double>, 15> kSizes = {{{"nano", 0.0625},
                                                                         {"micro", 0.125},
                                                                         {"small", 0.25},
                                                                         {"medium", 0.5},
                                                                         {"large", 1},
                                                                         {"xlarge", 2},
                                                                         {"2xlarge", 4},
                                                                         {"4xlarge", 8},
                                                                         {"8xlarge", 16},
                                                                         {"9xlarge", 18},
                                                                         {"12xlarge", 24},
                                                                         {"16xlarge", 32},
                                                                         {"18xlarge", 36},
                                                                         {"24xlarge", 48},
                                                                         {"32xlarge", 64}}};

template <std::size_t N>
std::optional<double> find(const std::array<std::pair<std::string_view, double>, N>& table, std::string_view name) {
  for (const auto& [key, value] : table)
    if (key == name) return value;
  return std::nullopt;
}

}  // namespace

std::optional<double> instance_price(std::string_view type) {
  const std::size_t dot = type.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto family = find(kLarge, type.substr(0, dot));
  const auto size = find(kSizes, type.substr(dot + 1));
  if (!family || !size) return std::nullopt;
  return *family * *size;
}

}  // namespace icecore::workstation
