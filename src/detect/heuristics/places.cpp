#include "detect/heuristics/places.h"

#include <algorithm>
#include <array>

#include "core/text.h"

namespace icecore::detect {
namespace {

template <std::size_t N>
bool starts_with_any(std::string_view path, const std::array<std::string_view, N>& starts) {
  return std::ranges::any_of(starts, [&](std::string_view start) { return path.starts_with(start); });
}

}  // namespace

bool is_hidden_path(std::string_view path) {
  static constexpr std::array<std::string_view, 44> kUsual = {
      ".ssh",   ".config",  ".cache",       ".local",     ".git",     ".svn",           ".hg",         ".github",    ".gnupg", ".aws",
      ".kube",  ".docker",  ".npm",         ".nvm",       ".cargo",   ".rustup",        ".m2",         ".gradle",    ".venv",  ".virtualenvs",
      ".pyenv", ".rbenv",   ".gem",         ".bundle",    ".vscode",  ".vscode-server", ".vim",        ".oh-my-zsh", ".tmux",  ".dotnet",
      ".java",  ".mozilla", ".terraform.d", ".terraform", ".ansible", ".sdkman",        ".well-known", ".bin",       ".pki",   ".node-gyp",
      ".yarn",  ".tox",     ".azure",       ".wp-cli"};
  for (const std::string_view part : split(path, '/')) {
    if (part.size() < 2 || part[0] != '.' || part == "..") continue;
    // The user's own settings, in his home.
    const bool home = path.starts_with("/home/") || path.starts_with("/root/");
    const bool setting = std::ranges::find(kUsual, part) != kUsual.end();
    if (!setting || !(home || part == ".git" || part == ".well-known" || part == ".github" || part == ".venv")) return true;
  }
  return false;
}

bool is_temporary_path(std::string_view path) {
  static constexpr std::array<std::string_view, 5> kStarts = {"/tmp/", "/var/tmp/", "/dev/shm/", "/run/shm/", "/dev/mqueue/"};
  return starts_with_any(path, kStarts);
}

bool is_packages_ground(std::string_view path) {
  static constexpr std::array<std::string_view, 8> kStarts = {"/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/lib32/", "/libx32/", "/boot/"};
  return starts_with_any(path, kStarts) && !path.starts_with("/usr/local/") && !path.starts_with("/usr/src/");
}

bool is_container_path(std::string_view path) {
  static constexpr std::array<std::string_view, 9> kStarts = {"/var/lib/docker/", "/var/lib/containerd/", "/var/lib/containers/",
                                                              "/snap/",           "/var/lib/snapd/",      "/var/lib/lxc/",
                                                              "/var/lib/lxd/",    "/var/lib/machines/",   "/var/lib/flatpak/"};
  return starts_with_any(path, kStarts) || path.find("/containers/storage/overlay/") != std::string_view::npos ||
         path.find("/docker/overlay2/") != std::string_view::npos;
}

bool is_upload_path(std::string_view path) {
  static constexpr std::array<std::string_view, 16> kNames = {"uploads", "upload",  "files",       "images", "img",    "media", "cache", "tmp",
                                                              "temp",    "avatars", "attachments", "assets", "static", "css",   "fonts", "pictures"};
  const auto parts = split(path, '/');
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    const std::string lower = to_lower(parts[i]);
    if (std::ranges::find(kNames, lower) != kNames.end()) return true;
  }
  return false;
}

}  // namespace icecore::detect
