#include "detect/heuristics/credential_files.h"

#include <algorithm>
#include <array>

#include "core/text.h"
#include "detect/evidence.h"

namespace icecore::detect {
namespace {

constexpr std::uint64_t kLimit = std::uint64_t{256} << 10;
constexpr std::array<std::string_view, 10> kFiles = {".aws/credentials",
                                                     ".git-credentials",
                                                     ".docker/config.json",
                                                     ".kube/config",
                                                     ".pgpass",
                                                     ".my.cnf",
                                                     ".netrc",
                                                     ".s3cfg",
                                                     ".boto",
                                                     ".config/gcloud/credentials.db"};

// "aws_access_key_id = AKIA…" in any of its files.
std::vector<std::string> access_keys(std::string_view content) {
  std::vector<std::string> keys;
  for (const TextLine& line : lines_of(content)) {
    const std::size_t equals = line.text.find('=');
    if (equals == std::string_view::npos || to_lower(trim(line.text.substr(0, equals))).find("access_key") == std::string::npos) continue;
    const std::string value(trim(line.text.substr(equals + 1)));
    if (value.size() >= 16 && value.size() <= 128 && value.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == std::string::npos &&
        keys.size() < 32)
      keys.push_back(value);
  }
  return keys;
}

}  // namespace

Result<std::vector<CredentialFile>> credential_files(const Scene& scene) {
  std::vector<CredentialFile> files;
  ICECORE_ASSIGN(const auto homes, machine::home_folders(*scene.machine, scene.facts));
  for (const machine::HomeFolder& home : homes) {
    for (const std::string_view name : kFiles) {
      const std::string path = (home.folder.path == "/" ? "" : home.folder.path) + "/" + std::string(name);
      ICECORE_ASSIGN(const auto file, scene.machine->find(path));
      if (!file || file->info.type != fs::FileType::kRegular) continue;
      CredentialFile found{*file, std::string(name), home.user, home.folder.path, {}};
      if (name.find("aws") != std::string_view::npos || name == ".boto" || name == ".s3cfg") {
        ICECORE_ASSIGN(const auto content, scene.machine->content(*file, kLimit));
        if (content) found.keys = access_keys(*content);
      }
      files.push_back(std::move(found));
    }
  }
  return files;
}

}  // namespace icecore::detect
