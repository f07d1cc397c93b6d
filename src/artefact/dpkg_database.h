// dpkg's database under /var/lib/dpkg: which package owns a path, and what its content should be. dpkg(1), dpkg-divert(1), deb-md5sums.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "machine/machine.h"

namespace icecore::artefact {

struct DebPackage {
  std::string name, version, architecture;
  std::string status;  ///< "install ok installed"
  std::string multi_arch;
  std::vector<std::pair<std::string, std::string>> conffiles;  ///< path, MD5 (or "newconffile")
  bool installed() const;
};

/// Paragraphs of /var/lib/dpkg/status. Damage in one loses that one.
std::vector<DebPackage> parse_dpkg_status(std::string_view text);

struct Diversion {
  std::string from, to, package;  ///< package ":" is the administrator's own
};
std::vector<Diversion> parse_diversions(std::string_view text);

/// Lines "md5  usr/bin/ss" → absolute path, lower-case hex.
std::vector<std::pair<std::string, std::string>> parse_md5sums(std::string_view text);

/// In memory: about 100 bytes a packaged file. Const functions are thread-safe.
class DpkgDatabase {
 public:
  struct Owner {
    std::uint32_t package = 0;  ///< index in packages()
    std::string_view md5;       ///< expected, lower-case hex; empty where the package does not say
    bool conffile = false;      ///< the administrator may have changed it
  };

  /// Reads it; an empty database where there is none. What cannot be read becomes an anomaly ("dpkg.…").
  static Result<DpkgDatabase> load(const machine::Machine& machine);

  bool empty() const { return packages_.empty(); }
  const std::vector<DebPackage>& packages() const { return packages_; }
  const DebPackage* package(std::string_view name) const;

  /// The package that installed this path. `path` may be written before or after /usr was merged: "/bin/ss" and "/usr/bin/ss" are the same file.
  /// Diversions are honoured: the name that a file was diverted to belongs to the package that shipped it.
  std::optional<Owner> owner(std::string_view path) const;
  /// Calls with every path that has an expected MD5, in no order.
  void for_each_checksum(const std::function<void(std::string_view path, const Owner& owner)>& visit) const;
  std::size_t path_count() const { return paths_.size(); }

 private:
  struct Entry {
    std::uint32_t package = 0;
    bool conffile = false;
    std::string md5;
  };
  struct Diverted {
    std::string to, package;  ///< target as written; who diverts
  };
  std::string place_of(std::string_view path, const DebPackage& package) const;
  void add_path(std::string_view path, std::uint32_t package);
  void add_checksum(std::string_view path, std::string_view md5, std::uint32_t package, bool conffile);
  Result<void> read_lists(const machine::Machine& machine);

  std::vector<DebPackage> packages_;
  std::unordered_map<std::string, Entry> paths_;
  std::unordered_map<std::string, Diverted> diverted_;  // by the path as written: dpkg does not know that /bin is /usr/bin
};

}  // namespace icecore::artefact
