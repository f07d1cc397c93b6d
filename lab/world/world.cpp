#include "world/world.h"

#include <algorithm>

namespace icelab {

using nlohmann::json;

const std::vector<std::string>& known_regions() {
  static const std::vector<std::string> kRegions = {
      "af-south-1",     "ap-east-1",    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1",
      "ap-southeast-2", "ca-central-1", "eu-central-1",   "eu-north-1",     "eu-south-1",     "eu-west-1",  "eu-west-2",
      "eu-west-3",      "me-south-1",   "sa-east-1",      "us-east-1",      "us-east-2",      "us-west-1",  "us-west-2"};
  return kRegions;
}

json* find_by(json& array, const std::string& member, const std::string& value) {
  const auto found = std::find_if(array.begin(), array.end(), [&](const json& item) { return item.value(member, std::string()) == value; });
  return found == array.end() ? nullptr : &*found;
}

Region* World::region(const std::string& name) {
  if (const auto found = regions_.find(name); found != regions_.end()) return found->second.get();
  const auto& known = known_regions();
  if (std::find(known.begin(), known.end(), name) == known.end()) return nullptr;
  auto region = std::make_unique<Region>();
  region->name = name;
  for (const char letter : {'a', 'b', 'c'})
    region->zones.push_back({{"ZoneName", name + letter}, {"ZoneId", name + "-az" + std::to_string(letter - 'a' + 1)}});
  return (regions_[name] = std::move(region)).get();
}

std::shared_ptr<const BlockImage> World::image(const std::string& id) const {
  const auto found = images_.find(id);
  if (found != images_.end() && found->second) return found->second;
  static const auto kZeros = std::make_shared<const BlockImage>(nullptr, BlockPieces());
  return kZeros;
}

void World::settle() {
  // A change may schedule another that is due already.
  while (!scheduled_.empty() && scheduled_.begin()->first <= clock_.now()) {
    const auto change = std::move(scheduled_.begin()->second);
    scheduled_.erase(scheduled_.begin());
    change();
  }
}

}  // namespace icelab
