// Folders that were read lately, so that looking up every name of a large folder reads it once. Internal to mount/.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "fs/file_table.h"
#include "mount/node.h"

namespace icecore::mount {

struct ListedName {
  std::string name;  ///< raw bytes
  fs::FileType type = fs::FileType::kUnknown;
  std::uint64_t inode = 0;
  NodeId target = 0;  ///< where the mount puts something else here: a mounted volume, an image; 0 for a file of the folder's own filesystem
};

struct Listing {
  std::vector<ListedName> names;  ///< in byte order
};
using ListingPtr = std::shared_ptr<const Listing>;

/// Thread-safe. Keeps the folders used last, up to a number of names in all; the newest always.
class ListingCache {
 public:
  static constexpr std::size_t kNames = 200'000;

  ListingPtr find(NodeId folder);
  void add(NodeId folder, ListingPtr listing);

 private:
  struct Slot {
    NodeId folder;
    ListingPtr listing;
  };
  std::mutex mutex_;
  std::list<Slot> slots_;  // newest first
  std::unordered_map<NodeId, std::list<Slot>::iterator> places_;
  std::size_t names_ = 0;
};

}  // namespace icecore::mount
