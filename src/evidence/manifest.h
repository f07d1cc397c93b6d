// MANIFEST.sha256 as `sha256sum -c` reads it: with no icecore at hand, anyone can check the case. Rewritten at the end of each run, gone while one
// runs.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.h"

namespace icecore::evidence {

struct ManifestLine {
  std::string sha256;
  std::string path;  ///< relative, raw bytes
  std::uint64_t line = 0;
};

struct ManifestContent {
  std::vector<ManifestLine> files;
  std::map<std::string, std::string> left_out;  ///< path → reason, from our `# left out:` comments
};

/// One line with its newline; names with a backslash, newline or carriage return are escaped as coreutils 9 does.
std::string format_manifest_line(std::string_view sha256, std::string_view path);
std::string format_manifest(const ManifestContent& content);
/// kIntegrity names the line that is not as format_manifest writes it.
Result<ManifestContent> parse_manifest(std::string_view text);

struct CaseFile {
  std::string path;  ///< relative, raw bytes
  std::uint64_t size = 0;
  bool regular = true;  ///< links, devices, sockets have no place in a case
};

/// Every file under the case, sorted by name, without following links; without the manifest, its signature and the lock.
Result<std::vector<CaseFile>> list_case(const Path& folder);

/// SHA-256 (hex) of a file of the case that may be larger than memory; opened like open_beneath.
Result<std::string> hash_beneath(const Path& folder, std::string_view relative);

}  // namespace icecore::evidence
