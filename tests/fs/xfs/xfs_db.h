// What xfs_db says of an image: the oracle for how things lie on the disk.
#pragma once

#include <fmt/format.h>

#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "fs/xfs/tree.h"
#include "fs/xfs/xfs_image.h"

namespace icecore::fs::xfs::test {

/// The output of some commands, in order.
inline std::string xfs_db(const Path& image, const std::vector<std::string>& commands) {
  std::string line = "xfs_db -r";
  for (const std::string& command : commands) line += fmt::format(" -c '{}'", command);
  return run(fmt::format("{} '{}'", line, image.string()), true).output;
}

/// Where the structure that the commands lead to begins, in bytes.
inline std::uint64_t xfs_db_offset(const Path& image, std::vector<std::string> commands) {
  commands.emplace_back("daddr");
  const std::string said = xfs_db(image, commands);
  const auto at = said.rfind("current daddr is ");
  EXPECT_NE(at, std::string::npos) << said;
  return at == std::string::npos ? 0 : std::stoull(said.substr(at + 17)) * 512;
}

/// Paths of what populate() makes in each form, and those forms as forms_on_disk() has them.
inline const std::vector<std::string> kPathsOfForms{"/short",
                                                    "/block",
                                                    "/leaf",
                                                    "/node",
                                                    "/pieces",
                                                    "/large",
                                                    "/fragmented",
                                                    "/link-short",
                                                    "/link-long",
                                                    "/attributes/few",
                                                    "/attributes/leaf",
                                                    "/attributes/tree",
                                                    "/attributes/remote"};
inline const std::set<std::string> kAllForms{"directory short",  "directory block", "directory leaf",  "directory node",   "directory extents",
                                             "directory tree",   "file extents",    "file tree",       "link short",       "link extents",
                                             "attributes short", "attributes leaf", "attributes node", "attributes remote"};

/// The forms of what lies at `paths` of `tree`: "directory short", "directory node", "fork tree", "attributes remote", …
inline std::set<std::string> forms_on_disk(const Path& image, const Tree& tree, const std::vector<std::string>& paths) {
  std::set<std::string> forms;
  for (const std::string& path : paths) {
    const auto node = tree.find(path);
    EXPECT_NE(node, tree.end()) << path;
    if (node == tree.end()) continue;
    const std::string inode = "inode " + std::to_string(std::stoull(node->second.status.substr(4)));
    const std::string core = xfs_db(image, {inode, "p core.format core.aformat core.naextents"});
    const auto has = [&](std::string_view text) { return core.find(text) != std::string::npos; };
    const bool folder = node->second.status.find("mode=4") != std::string::npos;
    const bool link = node->second.status.find("mode=12") != std::string::npos;
    const std::string kind = folder ? "directory" : link ? "link" : "file";
    if (has("core.format = 1")) forms.insert(kind + " short");
    if (has("core.format = 2")) forms.insert(kind + " extents");
    if (has("core.format = 3")) forms.insert(kind + " tree");
    if (folder && !has("core.format = 1")) {
      // Hashes are from 32 GiB on, the index of free space from 64 GiB on: a leaf has none, a block is all in one.
      const std::uint64_t block = std::stoull(xfs_db(image, {"sb 0", "p blocksize"}).substr(12));
      std::istringstream map(xfs_db(image, {inode, "bmap -d"}));
      std::string form = "block";
      for (std::string line; std::getline(map, line);) {
        unsigned long long offset = 0;
        if (std::sscanf(line.c_str(), "data offset %llu", &offset) != 1) continue;
        if (offset >= (std::uint64_t{1} << 35) / block && form == "block") form = "leaf";
        if (offset >= (std::uint64_t{1} << 36) / block) form = "node";
      }
      forms.insert("directory " + form);
    }
    if (has("core.aformat = 1")) forms.insert("attributes short");
    if (!has("core.aformat = 2") || has("core.naextents = 0")) continue;
    const std::string block = xfs_db(image, {inode, "ablock 0", "p"});
    const bool tree_of_leaves = block.find("magic = 0x3ebe") != std::string::npos || block.find("magic = 0xfebe") != std::string::npos;
    forms.insert(tree_of_leaves ? "attributes node" : "attributes leaf");
    if (block.find("valueblk") != std::string::npos) forms.insert("attributes remote");
  }
  return forms;
}

}  // namespace icecore::fs::xfs::test
