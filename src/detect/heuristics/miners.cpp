#include "detect/heuristics/miners.h"

#include <algorithm>
#include <map>

#include "detect/evidence.h"
#include "detect/heuristics/program_text.h"
#include "detect/heuristics/programs.h"
#include "detect/heuristics/shell.h"

namespace icecore::detect {
namespace {

constexpr std::uint64_t kHead = 4096;

std::string folder_of(std::string_view path) { return std::string(path.substr(0, path.rfind('/'))); }

// A log holds pool URLs too; it is told by another rule.
bool may_be_config(std::string_view path) {
  const std::string_view name = base_name(path);
  for (const std::string_view end : {".log", ".gz", ".so", ".php", ".html", ".md", ".py", ".pyc"})
    if (name.ends_with(end)) return false;
  return name.find(".log.") == std::string_view::npos && name.find("history") == std::string_view::npos;
}

}  // namespace

Result<std::vector<MinerHome>> miner_homes(const Scene& scene) {
  std::map<std::string, MinerHome> homes;
  const auto programs = foreign_programs(scene);
  std::vector<machine::FileRef> wanted;
  wanted.reserve(programs.size());
  for (const Foreign& program : programs) wanted.push_back(program.file);
  ICECORE_CHECK(prefetch(scene, wanted, kHead));
  wanted.clear();
  for (const Foreign& program : programs) {
    ICECORE_ASSIGN(const bool elf, begins_with(scene, program.file, kElfMagic));
    if (elf) wanted.push_back(program.file);
  }
  for (const machine::FileRef& program : wanted) {
    ICECORE_ASSIGN(const std::string bytes, program_text(scene, program));
    MiningSigns signs = mining_signs(bytes);
    if (signs.convincing()) homes[folder_of(program.path)].programs.emplace_back(program, std::move(signs));
  }
  std::vector<std::string> folders = odd_folders(scene);
  for (const auto& [folder, home] : homes) folders.push_back(folder);
  const auto small = small_files_in(scene, folders);
  ICECORE_CHECK(prefetch(scene, small));
  for (const machine::FileRef& file : small) {
    if (!may_be_config(file.path)) continue;
    ICECORE_ASSIGN(auto content, scene.machine->content(file));
    if (!content || content->starts_with(kElfMagic)) continue;
    MiningSigns signs = mining_signs(*content);
    if (!signs.pool) continue;
    std::string wallet = wallet_in(*content);
    homes[folder_of(file.path)].configs.push_back({file, std::move(*content), std::move(signs), std::move(wallet)});
  }
  std::vector<MinerHome> found;
  for (auto& [folder, home] : homes) {
    home.folder = folder;
    found.push_back(std::move(home));
  }
  return found;
}

}  // namespace icecore::detect
