// The account that the lab serves: loaded from world.json (docs/lab-world.md), then changed by the calls.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "util/clock.h"
#include "world/block_image.h"

namespace icelab {

class S3Store;

using Table = std::map<std::string, nlohmann::json>;  // by id; members in the shapes of botocore's model

// What one region holds. Only the world's own region starts with something in it.
struct Region {
  std::string name;
  nlohmann::json zones = nlohmann::json::array();
  std::map<std::string, Table> tables;  // "instances", "volumes", … as in world.json

  Table& operator[](const std::string& table) { return tables[table]; }
};

class World {
 public:
  // Throws std::runtime_error that names the member which does not fit.
  static std::unique_ptr<World> load(const std::string& directory, const Clock& clock);

  // Whoever reads or changes anything below holds this.
  std::mutex mutex;

  std::string account;
  std::string home_region;
  nlohmann::json principals = nlohmann::json::array();
  nlohmann::json roles = nlohmann::json::array();
  nlohmann::json instance_profiles = nlohmann::json::array();
  std::vector<nlohmann::json> trails;
  std::vector<nlohmann::json> events;  // CloudTrail, newest first
  std::shared_ptr<S3Store> s3;         // never null; it has a lock of its own

  // Null for a name that is no region of AWS.
  Region* region(const std::string& name);
  const std::map<std::string, std::unique_ptr<Region>>& regions() const { return regions_; }

  // Bytes of a volume or snapshot, by id; never null: all zeros when the world gives none.
  std::shared_ptr<const BlockImage> image(const std::string& id) const;
  void set_image(const std::string& id, std::shared_ptr<const BlockImage> image) { images_[id] = std::move(image); }
  void drop_image(const std::string& id) { images_.erase(id); }

  // Runs `change` once the clock has passed `when`; settle() is called before each request looks at anything.
  void schedule(Millis when, std::function<void()> change) { scheduled_.emplace(when, std::move(change)); }
  void settle();

  std::string file(const std::string& name) const { return directory_ + "/" + name; }
  const Clock& clock() const { return clock_; }

 private:
  World(std::string directory, const Clock& clock) : directory_(std::move(directory)), clock_(clock) {}
  friend class WorldLoader;

  std::string directory_;
  const Clock& clock_;
  std::map<std::string, std::unique_ptr<Region>> regions_;
  std::map<std::string, std::shared_ptr<const BlockImage>> images_;
  std::multimap<Millis, std::function<void()>> scheduled_;
};

// Names of AWS's commercial regions.
const std::vector<std::string>& known_regions();

// The first member of a JSON array for which `member` has `value`; null when none.
nlohmann::json* find_by(nlohmann::json& array, const std::string& member, const std::string& value);

}  // namespace icelab
