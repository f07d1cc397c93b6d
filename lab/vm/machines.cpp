#include "vm/machines.h"

#include <stdlib.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <stdexcept>

namespace icelab {

namespace fs = std::filesystem;

std::string machine_problem(const std::string& parts) {
  for (const char* file : {"vmlinuz", "initramfs"}) {
    if (!fs::exists(fs::path(parts) / file)) return parts + "/" + file + " is missing: lab/vm/build --out " + parts + " makes it";
  }
  const char* path = std::getenv("PATH");
  std::stringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access((folder + "/qemu-system-x86_64").c_str(), X_OK) == 0) return {};
  }
  return "qemu-system-x86_64 is not installed (package qemu-system-x86)";
}

Machines::~Machines() {
  machines_.clear();
  std::error_code ignored;
  if (!home_.empty()) fs::remove_all(home_, ignored);
}

void Machines::start(const std::string& instance) {
  if (!on() || machines_.contains(instance)) return;
  if (home_.empty()) {
    home_ = (fs::temp_directory_path() / "icecore-vm-XXXXXX").string();
    if (::mkdtemp(home_.data()) == nullptr) throw std::runtime_error(home_ + ": cannot be made");
  }
  // Short names: the path of a socket has at most 107 characters.
  machines_[instance] = std::make_unique<Machine>(parts_, home_ + "/" + instance.substr(0, 8) + std::to_string(machines_.size()));
}

Machine* Machines::of(const std::string& instance) {
  const auto found = machines_.find(instance);
  return found == machines_.end() ? nullptr : found->second.get();
}

}  // namespace icelab
