#include "detect/heuristics/programs.h"

#include <algorithm>
#include <set>

#include "detect/evidence.h"
#include "detect/heuristics/places.h"

namespace icecore::detect {
namespace {

constexpr std::size_t kMostOdd = 300;
constexpr std::size_t kMostOrdinary = 24;
constexpr std::size_t kMostSmall = 500;
constexpr std::uint64_t kSmall = std::uint64_t{1} << 20;

bool is_odd(std::string_view path) { return is_hidden_path(path) || is_temporary_path(path) || is_packages_ground(path); }

bool is_program(const fs::FileInfo& info) {
  return info.type == fs::FileType::kRegular && (info.mode & 0111U) != 0 && info.size >= 1024 && info.size <= std::uint64_t{256} << 20;
}

}  // namespace

std::vector<Foreign> foreign_programs(const Scene& scene) {
  std::vector<Foreign> odd;
  std::vector<Foreign> ordinary;
  for_each_name(scene, [&](const SweptFile& file) {
    if (!is_program(*file.info)) return;
    const std::string path = file.path();
    if (is_container_path(path) || ownership(scene, path) == Ownership::kPackaged) return;
    // Without a package database everything on the packages' ground is unowned, which says nothing.
    const bool strange = ownership(scene, path) == Ownership::kUnknown ? is_hidden_path(path) || is_temporary_path(path) : is_odd(path);
    if (strange && odd.size() < kMostOdd) odd.push_back({file.ref(), true});
    if (!strange && !is_packages_ground(path)) ordinary.push_back({file.ref(), false});
  });
  std::ranges::sort(ordinary, std::ranges::greater{}, [](const Foreign& one) { return appeared(one.file.info); });
  if (ordinary.size() > kMostOrdinary) ordinary.resize(kMostOrdinary);
  odd.insert(odd.end(), ordinary.begin(), ordinary.end());
  return odd;
}

std::vector<machine::FileRef> small_files_in(const Scene& scene, const std::vector<std::string>& folders) {
  const std::set<std::string, std::less<>> wanted(folders.begin(), folders.end());
  std::vector<machine::FileRef> files;
  if (wanted.empty()) return files;
  for_each_name(scene, [&](const SweptFile& file) {
    if (file.info->type != fs::FileType::kRegular || file.info->size == 0 || file.info->size > kSmall || files.size() >= kMostSmall) return;
    if (!wanted.contains(file.folder())) return;
    machine::FileRef ref = file.ref();
    if (ownership(scene, ref.path) != Ownership::kPackaged) files.push_back(std::move(ref));
  });
  return files;
}

std::vector<std::string> odd_folders(const Scene& scene) {
  std::set<std::string> folders;
  for_each_name(scene, [&](const SweptFile& file) {
    if (file.info->type != fs::FileType::kRegular || folders.size() >= kMostOdd) return;
    const std::string folder = file.folder() + "/";
    const bool odd = is_temporary_path(folder) || (is_hidden_path(folder) && !folder.starts_with("/home/"));
    if (odd && !is_container_path(folder) && ownership(scene, file.path()) != Ownership::kPackaged) folders.insert(file.folder());
  });
  return {folders.begin(), folders.end()};
}

}  // namespace icecore::detect
