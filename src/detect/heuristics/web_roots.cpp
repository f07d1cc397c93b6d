#include "detect/heuristics/web_roots.h"

#include <algorithm>

#include "core/text.h"
#include "detect/evidence.h"

namespace icecore::detect {

Result<std::vector<std::string>> web_roots(const Scene& scene) {
  std::vector<std::string> roots = {"/var/www", "/srv/www", "/srv/http", "/usr/share/nginx/html", "/usr/local/apache2/htdocs"};
  for (const machine::Mount& mount : scene.machine->mounts())
    if (mount.path.starts_with("/volumes/"))
      for (const std::string_view name : {"/www", "/html", "/htdocs", "/public_html", "/wwwroot", "/http"})
        roots.push_back(mount.path + std::string(name));
  for (const std::string_view pattern : {"/etc/nginx/nginx.conf", "/etc/nginx/conf.d/*", "/etc/nginx/sites-enabled/*", "/etc/apache2/sites-enabled/*",
                                         "/etc/httpd/conf/httpd.conf", "/etc/httpd/conf.d/*"}) {
    ICECORE_ASSIGN(const auto files, scene.machine->glob(pattern));
    for (const machine::FileRef& file : files) {
      if (file.info.type != fs::FileType::kRegular || file.info.size > (std::uint64_t{1} << 20)) continue;
      ICECORE_ASSIGN(const auto content, scene.machine->content(file));
      if (!content) continue;
      std::string text(*content);
      std::ranges::replace_if(
          text, [](char c) { return c == ';' || c == '{' || c == '}' || c == '"' || c == '\n' || c == '\r'; }, ' ');
      const auto words = split_fields(text);
      for (std::size_t i = 0; i + 1 < words.size() && roots.size() < 256; ++i) {
        const std::string_view folder = words[i + 1];
        if ((words[i] == "root" || words[i] == "DocumentRoot" || words[i] == "alias") && folder.starts_with('/') && folder.size() > 1 &&
            std::ranges::find(roots, folder) == roots.end())
          roots.emplace_back(folder);
      }
    }
  }
  return roots;
}

bool is_below_any(std::string_view path, const std::vector<std::string>& folders) {
  return std::ranges::any_of(folders, [&](std::string_view folder) {
    while (folder.ends_with('/')) folder.remove_suffix(1);
    return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
  });
}

}  // namespace icecore::detect
