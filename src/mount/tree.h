// The files of a mount without FUSE: names to nodes, nodes to attributes, listings, link targets and content.
#pragma once

#include <sys/stat.h>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mount/attributes.h"
#include "mount/layout.h"
#include "mount/listing_cache.h"
#include "mount/node.h"

namespace icecore::mount {

/// A node and what stat says of it.
struct Entry {
  NodeId id = 0;
  struct stat status {};
};

/// Where the bytes of a file come from: a raw image (`source`), or a file of a filesystem.
struct Content {
  const image::BlockSource* source = nullptr;
  const fs::Filesystem* filesystem = nullptr;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  image::Layer* layer = nullptr;  ///< where the file may be written to
};

/// Thread-safe. Folders and links that were handed out by lookup() and enter() are remembered until forget() has been called as often; other files
/// take no memory. Errors are those of the filesystems: kNotFound, kCorrupt, kIntegrity, kNetwork, …
class Tree {
 public:
  /// kUnsupported where there are more partitions than node numbers can tell apart.
  static Result<std::unique_ptr<Tree>> make(Layout layout);

  Result<Entry> lookup(NodeId parent, std::string_view name);
  /// lookup() of an item of a listing of `parent`.
  Result<Entry> enter(NodeId parent, const ListedName& item);
  void forget(NodeId id, std::uint64_t count);

  Result<struct stat> attributes(NodeId id) const;
  /// All names of a folder, in byte order, without "." and "..".
  Result<ListingPtr> list(NodeId folder) const;
  /// What st_ino of a listed name will be.
  std::uint64_t shown_inode(NodeId folder, const ListedName& item) const;
  /// The target, rewritten so that following it never leaves the tree in which the link is: absolute targets become relative to the link, "..":s
  /// that would climb out of the top are cut, as in a chroot.
  Result<std::string> readlink(NodeId link) const;
  Result<std::vector<Attribute>> xattrs(NodeId id) const;
  /// kInvalidArgument for what has no content. Special files are empty.
  Result<Content> content(NodeId id) const;

  /// "partition 1 of vol-…, inode 12": for messages about a node.
  std::string describe(NodeId id) const;
  /// Folders and links that are remembered at the moment.
  std::size_t remembered() const;

 private:
  struct Fixed {  // a folder or an image that exists only in the mount
    NodeId parent = kMountFolder;
    std::map<std::string, NodeId, std::less<>> children;
    image::SourcePtr source;  // null: a folder
    std::shared_ptr<image::Layer> layer;
  };
  struct Known {
    NodeId parent = 0;
    std::uint64_t references = 0;
    StoredFile file;
  };
  struct Place {  // a folder on the way from the top of a tree
    NodeId id = 0;
    std::string name;
  };

  explicit Tree(Layout layout);
  NodeId add_fixed(NodeId parent, const std::string& name, const RawFile* file = nullptr);
  Result<NodeId> add_top(NodeId parent, const std::string& name, View view, std::size_t partition);
  Result<void> build();
  Result<void> place_mount(NodeId top, const machine::Mount& mount);

  const Fixed& fixed(NodeId id) const { return fixed_[static_cast<std::size_t>(id) - 1]; }
  const fs::Filesystem& filesystem(const StoredFile& file) const { return *layout_.machine->partitions()[file.partition].filesystem; }
  Result<StoredFile> file_of(NodeId id) const;
  Result<Entry> remember(NodeId parent, const StoredFile& file, const fs::FileInfo& info);
  struct stat fixed_attributes(NodeId id) const;
  struct stat stored_attributes(const StoredFile& file, const fs::FileInfo& info) const;
  std::uint64_t shown_inode(const StoredFile& file) const;
  Result<ListingPtr> read_listing(NodeId folder) const;
  NodeId parent_of(NodeId folder) const;
  std::vector<NodeId> ancestry(NodeId folder) const;
  Result<std::string> resolve_inside(const std::vector<NodeId>& way, std::vector<std::string> names, std::size_t up) const;

  const Layout layout_;
  std::size_t root_partition_ = 0;
  std::int64_t started_ = 0;                                               // the time that the mount's own folders show
  std::vector<Fixed> fixed_;                                               // by id - 1
  std::map<NodeId, std::map<std::string, NodeId, std::less<>>> overlays_;  // folders of a disk over whose entries something is mounted
  std::map<NodeId, NodeId> tops_;                                          // filesystems' root folders → the folder that shows them
  std::set<NodeId> tree_tops_;                                             // where ".." of links ends: `root`, `partition-N`
  mutable ListingCache listings_;
  mutable std::mutex mutex_;  // guards what follows
  std::unordered_map<NodeId, Known> known_;
  std::map<std::pair<NodeId, std::uint64_t>, NodeId> links_;  // (folder, inode) → link
  NodeId next_link_ = kLinkBit + 1;
};

}  // namespace icecore::mount
