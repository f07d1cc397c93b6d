#include "artefact/dpkg_database.h"

#include <fmt/format.h>
#include <algorithm>

#include "artefact/scan.h"

namespace icecore::artefact {
namespace {

constexpr std::uint64_t kMostStatus = 64 << 20;
constexpr std::size_t kMostPaths = 5'000'000;
constexpr std::string_view kInfo = "/var/lib/dpkg/info/";

// Debian's usrmerge: /bin, /sbin and /lib* are links into /usr, while lists may still say "/bin/ss".
std::string canonical(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  for (const std::string_view folder : {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"})
    if (path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/')) return "/usr" + std::string(path);
  return std::string(path);
}

// "openssl:amd64" or "openssl"
std::string_view package_of(std::string_view info_file, std::string_view suffix) {
  info_file.remove_prefix(info_file.rfind('/') + 1);
  info_file.remove_suffix(suffix.size());
  return info_file;
}

}  // namespace

const DebPackage* DpkgDatabase::package(std::string_view name) const {
  const std::string_view architecture = name.find(':') == std::string_view::npos ? std::string_view() : name.substr(name.find(':') + 1);
  name = name.substr(0, name.find(':'));
  const auto found = std::ranges::find_if(
      packages_, [&](const DebPackage& package) { return package.name == name && (architecture.empty() || package.architecture == architecture); });
  return found == packages_.end() ? nullptr : &*found;
}

std::string DpkgDatabase::place_of(std::string_view path, const DebPackage& package) const {
  const auto diverted = diverted_.find(std::string(path));
  const bool moved = diverted != diverted_.end() && diverted->second.package != package.name;
  return canonical(moved ? diverted->second.to : path);
}

void DpkgDatabase::add_path(std::string_view path, std::uint32_t package) {
  if (paths_.size() >= kMostPaths || !path.starts_with('/') || path == "/.") return;
  paths_.try_emplace(place_of(path, packages_[package]), Entry{package, false, {}});
}

void DpkgDatabase::add_checksum(std::string_view path, std::string_view md5, std::uint32_t package, bool conffile) {
  if (paths_.size() >= kMostPaths) return;
  Entry& entry = paths_[place_of(path, packages_[package])];
  entry = Entry{package, conffile, std::string(md5)};
}

Result<DpkgDatabase> DpkgDatabase::load(const machine::Machine& machine) {
  DpkgDatabase database;
  ICECORE_ASSIGN(const auto status, machine.content("/var/lib/dpkg/status", kMostStatus));
  if (!status) return database;
  database.packages_ = parse_dpkg_status(*status);
  ICECORE_ASSIGN(const auto diversions, machine.content("/var/lib/dpkg/diversions"));
  for (const Diversion& one : parse_diversions(diversions.value_or(""))) database.diverted_[one.from] = {one.to, one.package};
  ICECORE_CHECK(database.read_lists(machine));
  return database;
}

Result<void> DpkgDatabase::read_lists(const machine::Machine& machine) {
  std::unordered_map<std::string, std::uint32_t> index;
  for (std::uint32_t i = 0; i < packages_.size(); ++i) {
    index.try_emplace(packages_[i].name, i);
    index.try_emplace(packages_[i].name + ':' + packages_[i].architecture, i);
  }
  // Lists before checksums: a checksum is said by the package that has the content.
  for (const std::string_view suffix : {".list", ".md5sums"}) {
    ICECORE_ASSIGN(const auto files, machine.glob(fmt::format("{}*{}", kInfo, suffix)));
    ICECORE_CHECK(machine.prefetch(files));
    for (const machine::FileRef& file : files) {
      const auto package = index.find(std::string(package_of(file.path, suffix)));
      if (package == index.end()) continue;
      ICECORE_ASSIGN(const auto text, machine.content(file));
      if (!text) continue;
      if (suffix == ".list") {
        for (std::string_view rest = *text; !rest.empty();) add_path(take_until(rest, "\n"), package->second);
      } else {
        for (const auto& [path, md5] : parse_md5sums(*text)) add_checksum(path, md5, package->second, false);
      }
    }
  }
  for (std::uint32_t i = 0; i < packages_.size(); ++i)
    for (const auto& [path, md5] : packages_[i].conffiles)
      if (md5.size() == 32) add_checksum(path, md5, i, true);
  return {};
}

std::optional<DpkgDatabase::Owner> DpkgDatabase::owner(std::string_view path) const {
  const auto found = paths_.find(canonical(path));
  if (found == paths_.end()) return std::nullopt;
  return Owner{found->second.package, found->second.md5, found->second.conffile};
}

void DpkgDatabase::for_each_checksum(const std::function<void(std::string_view, const Owner&)>& visit) const {
  for (const auto& [path, entry] : paths_)
    if (!entry.md5.empty()) visit(path, Owner{entry.package, entry.md5, entry.conffile});
}

}  // namespace icecore::artefact
