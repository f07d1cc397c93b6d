#include "volume/lvm.h"

#include <fmt/format.h>
#include <algorithm>
#include <map>
#include <set>

#include "core/text.h"
#include "volume/map_source.h"
#include "volume/thin.h"

namespace icecore::volume {
namespace {

constexpr std::uint64_t kSector = 512;
constexpr int kMaximumDepth = 16;  // of logical volumes on logical volumes
constexpr std::uint64_t kMaximumBytes = std::uint64_t{1} << 60;
constexpr std::size_t kMaximumSegments = 100'000;

std::optional<std::uint64_t> number(const Json& object, std::string_view name) {
  const Json& value = json_at(object, {name});
  if (!value.is_number_integer()) return std::nullopt;
  const auto whole = value.get<std::int64_t>();
  return whole < 0 ? std::nullopt : std::optional(static_cast<std::uint64_t>(whole));
}

bool has_word(const Json& object, std::string_view list, std::string_view word) {
  const Json& words = json_at(object, {list});
  return words.is_array() &&
         std::ranges::any_of(words, [&](const Json& item) { return item.is_string() && item.get_ref<const std::string&>() == word; });
}

struct Built {
  image::SourcePtr source;
  std::set<std::size_t> members;
};

class Group {
 public:
  Group(const Json& text, const std::vector<PhysicalVolume>& disks, Anomalies& anomalies) : text_(text), disks_(disks), anomalies_(anomalies) {}

  Result<void> read(std::vector<LogicalVolume>& volumes) {
    name_ = text_at(text_, "name");
    uuid_ = lvm_uuid_plain(text_at(text_, "id"));
    extent_ = number(text_, "extent_size").value_or(0) * kSector;
    const Json& listed = json_at(text_, {"logical_volumes"});
    if (extent_ == 0 || extent_ > kMaximumBytes) {
      report("lvm.metadata", Code::kCorrupt, fmt::format("extents of {} bytes", extent_));
      return {};
    }
    find_disks();
    if (!listed.is_object()) return {};
    find_snapshots(listed);
    for (const auto& [name, volume] : listed.items()) {
      if (!has_word(volume, "status", "VISIBLE") || stores_.contains(name)) continue;
      auto built = build(name, 0);
      if (!built && built.error().code != Code::kCorrupt && built.error().code != Code::kUnsupported && built.error().code != Code::kNotFound)
        return Failure(std::move(built).error());
      if (!built) {
        const bool unread = built.error().code == Code::kUnsupported;
        if (!is_pool(volume))
          report(unread ? "lvm.segment" : "lvm.volume", built.error().code,
                 fmt::format("logical volume {}/{}: {}", name_, name, to_string(built.error())));
        continue;
      }
      volumes.push_back({name_,
                         name,
                         "LVM-" + uuid_ + lvm_uuid_plain(text_at(volume, "id")),
                         (*built)->source,
                         {(*built)->members.begin(), (*built)->members.end()}});
    }
    return {};
  }

 private:
  void report(std::string kind, Code code, const std::string& message) {
    anomalies_.add(std::move(kind), Error{code, printable(message), std::nullopt, nullptr});
  }

  void find_disks() {
    const Json& listed = json_at(text_, {"physical_volumes"});
    if (!listed.is_object()) return;
    for (const auto& [name, disk] : listed.items()) {
      const std::string uuid = lvm_uuid_plain(text_at(disk, "id"));
      const auto found = std::ranges::find(disks_, uuid, &PhysicalVolume::uuid);
      places_[name] = {found == disks_.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - disks_.begin())),
                       number(disk, "pe_start").value_or(0) * kSector, uuid};
      if (found == disks_.end())
        report(
            "lvm.missing", Code::kNotFound,
            fmt::format("physical volume {} of volume group {} is not among the disks given (the group last saw it as {}): add its snapshot or image",
                        lvm_uuid_text(uuid), name_, text_at(disk, "device", "?")));
    }
  }

  // Copy-on-write snapshots: the origin is read as it is; the store is no volume of its own.
  void find_snapshots(const Json& listed) {
    for (const auto& [name, volume] : listed.items()) {
      for (const auto& [key, segment] : volume.items()) {
        if (!key.starts_with("segment") || text_at(segment, "type") != "snapshot") continue;
        const std::string store = text_at(segment, "cow_store");
        stores_.insert(store);
        stores_.insert(name);
        report("lvm.segment", Code::kUnsupported,
               fmt::format("{}/{} is a copy-on-write snapshot of {}, which this version does not read", name_, store, text_at(segment, "origin")));
      }
    }
  }

  static bool is_pool(const Json& volume) { return text_at(json_at(volume, {"segment1"}), "type") == "thin-pool"; }

  // Each volume once: in hostile metadata everything lies on everything else, and the paths through it cannot be counted.
  Result<const Built*> build(const std::string& name, int depth) {
    if (depth > kMaximumDepth) return fail(Code::kCorrupt, "logical volumes lie too deep in each other");
    const auto [at, is_new] = built_.try_emplace(name, fail(Code::kCorrupt, "logical volumes lie on each other in circles"));
    if (is_new) at->second = build_new(name, depth);
    if (!at->second) return Failure(at->second.error());
    return &*at->second;
  }

  Result<Built> build_new(const std::string& name, int depth) {
    const Json& volume = json_at(text_, {"logical_volumes", name});
    if (!volume.is_object()) return fail(Code::kCorrupt, fmt::format("there is no logical volume {}", name));
    const std::string what = fmt::format("logical volume {}/{}", name_, name);
    const std::uint64_t count = number(volume, "segment_count").value_or(0);
    if (count == 0 || count > kMaximumSegments) return fail(Code::kCorrupt, fmt::format("{} segments", count));
    Built built;
    std::vector<MapRun> runs;
    std::uint64_t size = 0;
    for (std::uint64_t i = 1; i <= count; ++i) {
      const Json& segment = json_at(volume, {fmt::format("segment{}", i)});
      const auto start = number(segment, "start_extent"), extents = number(segment, "extent_count");
      if (!start || !extents || *extents == 0 || *extents > kMaximumBytes / extent_ || *start * extent_ != size)
        return fail(Code::kCorrupt, fmt::format("segment {} is not where the one before it ends", i));
      const std::uint64_t length = *extents * extent_;
      if (length > kMaximumBytes - size) return fail(Code::kCorrupt, "larger than any disk");
      ICECORE_CHECK(add_segment(segment, size, length, what, depth, runs, built.members));
      size += length;
    }
    // One straight run of another volume is that volume.
    if (runs.size() == 1 && runs[0].parts.size() == 1 && runs[0].parts[0].source && runs[0].parts[0].offset == 0 &&
        runs[0].parts[0].source->size() == size) {
      built.source = runs[0].parts[0].source;
    } else {
      built.source = std::make_shared<MapSource>(std::move(runs), what);
    }
    return built;
  }

  Result<void> add_segment(const Json& segment, std::uint64_t at, std::uint64_t length, const std::string& what, int depth, std::vector<MapRun>& runs,
                           std::set<std::size_t>& members) {
    const std::string type = text_at(segment, "type");
    if (type == "striped" || type == "linear") return add_stripes(segment, "stripes", 2, at, length, depth, runs, members);
    if (type == "raid0" || type == "raid0_meta") return add_raid0(segment, at, length, depth, runs, members);
    if (type == "mirror") return add_first(segment, "mirrors", 0, 2, at, length, depth, runs, members);
    if (type == "raid1") return add_first(segment, "raids", 1, 2, at, length, depth, runs, members);
    if (type == "thin") return add_thin(segment, at, length, what, depth, runs, members);
    if (type == "zero" || type == "error") {
      runs.push_back({at, length, {}, 0, 0});
      return {};
    }
    return fail(Code::kUnsupported, fmt::format("a segment of type \"{}\", which this version does not read", type));
  }

  /// `offset` bytes into a physical volume's extents, or into a logical volume.
  Result<MapRun::Part> part(const Json& named, std::uint64_t extent, int depth, std::set<std::size_t>& members) {
    if (!named.is_string()) return fail(Code::kCorrupt, "a segment that names nothing");
    const auto& name = named.get_ref<const std::string&>();
    if (extent > kMaximumBytes / extent_) return fail(Code::kCorrupt, "a segment beyond any disk");
    const auto place = places_.find(name);
    if (place != places_.end()) {
      const std::uint64_t offset = place->second.start + extent * extent_;
      if (!place->second.disk) return MapRun::Part{nullptr, offset, "physical volume " + lvm_uuid_text(place->second.uuid)};
      members.insert(*place->second.disk);
      return MapRun::Part{disks_[*place->second.disk].source, offset, ""};
    }
    ICECORE_ASSIGN(const Built* const below, build(name, depth + 1));
    members.insert(below->members.begin(), below->members.end());
    return MapRun::Part{below->source, extent * extent_, ""};
  }

  Result<void> add_run(MapRun run, std::uint64_t chunk, std::vector<MapRun>& runs) {
    if (run.parts.size() > 1) {
      if (chunk == 0 || chunk > kMaximumBytes) return fail(Code::kCorrupt, fmt::format("stripes of {} bytes", chunk));
      run.chunk = chunk;
    }
    runs.push_back(std::move(run));
    return {};
  }

  // A list of name, first extent, name, first extent, …
  Result<void> add_stripes(const Json& segment, std::string_view list, std::size_t step, std::uint64_t at, std::uint64_t length, int depth,
                           std::vector<MapRun>& runs, std::set<std::size_t>& members) {
    const Json& areas = json_at(segment, {list});
    if (!areas.is_array() || areas.empty() || areas.size() % step != 0) return fail(Code::kCorrupt, "a segment without areas");
    MapRun run{at, length, {}, 0, 0};
    for (std::size_t i = 0; i + 1 < areas.size(); i += step) {
      const Json& extent = areas[i + 1];
      if (!extent.is_number_integer() || extent.get<std::int64_t>() < 0) return fail(Code::kCorrupt, "an area without its first extent");
      ICECORE_ASSIGN(auto one, part(areas[i], static_cast<std::uint64_t>(extent.get<std::int64_t>()), depth, members));
      run.parts.push_back(std::move(one));
    }
    return add_run(std::move(run), number(segment, "stripe_size").value_or(0) * kSector, runs);
  }

  // A list of metadata volume, image volume, … ("raid0" has no metadata volumes).
  Result<void> add_raid0(const Json& segment, std::uint64_t at, std::uint64_t length, int depth, std::vector<MapRun>& runs,
                         std::set<std::size_t>& members) {
    const bool with_metadata = text_at(segment, "type") == "raid0_meta";
    const Json& areas = json_at(segment, {with_metadata ? "raids" : "raid0_lvs"});
    if (!areas.is_array() || areas.empty()) return fail(Code::kCorrupt, "a segment without areas");
    MapRun run{at, length, {}, 0, 0};
    for (std::size_t i = with_metadata ? 1 : 0; i < areas.size(); i += with_metadata ? 2 : 1) {
      ICECORE_ASSIGN(auto one, part(areas[i], 0, depth, members));
      run.parts.push_back(std::move(one));
    }
    if (run.parts.empty()) return fail(Code::kCorrupt, "a segment without areas");
    return add_run(std::move(run), number(segment, "stripe_size").value_or(0) * kSector, runs);
  }

  // Every image is the same: the first that is whole.
  Result<void> add_first(const Json& segment, std::string_view list, std::size_t first, std::size_t step, std::uint64_t at, std::uint64_t length,
                         int depth, std::vector<MapRun>& runs, std::set<std::size_t>& members) {
    const Json& areas = json_at(segment, {list});
    if (!areas.is_array() || areas.size() <= first) return fail(Code::kCorrupt, "a segment without images");
    std::optional<Error> why;
    for (std::size_t i = first; i < areas.size(); i += step) {
      std::set<std::size_t> below;
      auto one = part(areas[i], 0, depth, below);
      if (!one && one.error().code != Code::kCorrupt && one.error().code != Code::kNotFound) return Failure(std::move(one).error());
      if (!one || !is_whole(areas[i])) {
        why = one ? Error{Code::kNotFound, "no image of it is whole", std::nullopt, nullptr} : std::move(one).error();
        continue;
      }
      members.insert(below.begin(), below.end());
      runs.push_back({at, length, {std::move(*one)}, 0, 0});
      return {};
    }
    return fail(Code::kNotFound, why ? why->message : "no image of it is left");
  }

  // Whether every physical volume under a logical volume is here. Each is asked once, as in build().
  bool is_whole(const Json& named, int depth = 0) {
    if (!named.is_string() || depth > kMaximumDepth) return false;
    const auto& name = named.get_ref<const std::string&>();
    if (const auto place = places_.find(name); place != places_.end()) return place->second.disk.has_value();
    const auto [at, is_new] = whole_.try_emplace(name, false);
    if (is_new) at->second = is_whole_volume(name, depth);
    return at->second;
  }

  bool is_whole_volume(const std::string& name, int depth) {
    const Json& volume = json_at(text_, {"logical_volumes", name});
    for (const auto& [key, segment] : volume.items()) {
      if (!key.starts_with("segment") || !segment.is_object()) continue;
      for (const char* list : {"stripes", "mirrors", "raids", "raid0_lvs"}) {
        const Json& areas = json_at(segment, {list});
        if (!areas.is_array()) continue;
        for (const Json& area : areas)
          if (area.is_string() && !is_whole(area, depth + 1)) return false;
      }
    }
    return true;
  }

  Result<void> add_thin(const Json& segment, std::uint64_t at, std::uint64_t length, const std::string& what, int depth, std::vector<MapRun>& runs,
                        std::set<std::size_t>& members) {
    const std::string pool_name = text_at(segment, "thin_pool");
    const Json& pool = json_at(text_, {"logical_volumes", pool_name, "segment1"});
    const auto device = number(segment, "device_id");
    if (text_at(pool, "type") != "thin-pool" || !device) return fail(Code::kCorrupt, fmt::format("its thin pool {} is none", pool_name));
    ICECORE_ASSIGN(const Built* const metadata, build(text_at(pool, "metadata"), depth + 1));
    ICECORE_ASSIGN(const Built* const data, build(text_at(pool, "pool"), depth + 1));
    members.insert(data->members.begin(), data->members.end());
    image::SourcePtr origin;
    if (const std::string external = text_at(segment, "external_origin"); !external.empty()) {
      ICECORE_ASSIGN(const Built* const below, build(external, depth + 1));
      members.insert(below->members.begin(), below->members.end());
      origin = below->source;
    }
    ICECORE_ASSIGN(auto source, open_thin({metadata->source, data->source}, *device, length, origin, what));
    runs.push_back({at, length, {{std::move(source), 0, ""}}, 0, 0});
    return {};
  }

  struct Place {
    std::optional<std::size_t> disk;
    std::uint64_t start = 0;
    std::string uuid;
  };

  const Json& text_;
  const std::vector<PhysicalVolume>& disks_;
  Anomalies& anomalies_;
  std::string name_, uuid_;
  std::uint64_t extent_ = 0;
  std::map<std::string, Place> places_;
  std::map<std::string, Result<Built>> built_;  // by the volume's name; a failure while it is being built
  std::map<std::string, bool> whole_;
  std::set<std::string> stores_;
};

}  // namespace

std::string mapper_name(std::string_view group, std::string_view volume) {
  std::string name;
  const auto add = [&](std::string_view text) {
    for (const char c : text) name += c == '-' ? std::string("--") : std::string(1, c);
  };
  add(group);
  name += '-';
  add(volume);
  return name;
}

Result<std::vector<LogicalVolume>> read_groups(const std::vector<PhysicalVolume>& disks, Anomalies& anomalies) {
  std::map<std::string, const Json*> groups;  // newest text by the group's uuid
  std::set<std::string> known;
  for (const PhysicalVolume& disk : disks) {
    if (disk.error) anomalies.add("lvm.metadata", *disk.error);
    if (!known.insert(disk.uuid).second)
      anomalies.add("lvm.duplicate",
                    Error{Code::kConflict,
                          fmt::format("two disks say that they are physical volume {}: the first was used", printable(lvm_uuid_text(disk.uuid))),
                          Location{disk.source->name()}, nullptr});
    if (!disk.group) continue;
    const Json*& newest = groups[text_at(*disk.group, "id")];
    const auto sequence = [](const Json& group) { return number(group, "seqno").value_or(0); };
    if (newest != nullptr && sequence(*newest) != sequence(*disk.group))
      anomalies.add("lvm.metadata", Error{Code::kCorrupt,
                                          fmt::format("the disks of volume group {} hold its metadata of different times: the newest was used",
                                                      printable(text_at(*disk.group, "name"))),
                                          Location{disk.source->name()}, nullptr});
    if (newest == nullptr || sequence(*disk.group) > sequence(*newest)) newest = &*disk.group;
  }
  std::vector<LogicalVolume> volumes;
  for (const auto& [uuid, text] : groups) ICECORE_CHECK(Group(*text, disks, anomalies).read(volumes));
  // A physical volume without a group of its own that none of the others names holds data that nobody describes.
  for (const PhysicalVolume& disk : disks) {
    const bool described = std::ranges::any_of(groups, [&](const auto& group) {
      const Json& listed = json_at(*group.second, {"physical_volumes"});
      return listed.is_object() && std::ranges::any_of(listed, [&](const Json& item) { return lvm_uuid_plain(text_at(item, "id")) == disk.uuid; });
    });
    if (!described && disk.error)
      anomalies.add("lvm.metadata", Error{Code::kCorrupt, "the metadata of this physical volume is lost, and no other disk describes it",
                                          Location{disk.source->name()}, nullptr});
  }
  return volumes;
}

}  // namespace icecore::volume
