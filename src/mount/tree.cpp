#include "mount/tree.h"

#include <fmt/format.h>
#include <unistd.h>
#include <algorithm>
#include <ctime>

#include "core/text.h"

namespace icecore::mount {
namespace {

constexpr std::uint64_t kFixedInodes = std::uint64_t{0xFFFF} << kInodeBits;

bool usable_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

}  // namespace

Tree::Tree(Layout layout) : layout_(std::move(layout)), started_(std::time(nullptr)) { fixed_.push_back({}); }

Result<std::unique_ptr<Tree>> Tree::make(Layout layout) {
  if (layout.machine && layout.machine->partitions().size() > kMostPartitions)
    return fail(Code::kUnsupported, fmt::format("more than {} filesystems in one mount", kMostPartitions));
  std::unique_ptr<Tree> tree(new Tree(std::move(layout)));
  ICECORE_CHECK(tree->build());
  return tree;
}

Result<Entry> Tree::lookup(NodeId parent, std::string_view name) {
  ICECORE_ASSIGN(const ListingPtr listing, list(parent));
  const auto found = std::ranges::lower_bound(listing->names, name, {}, [](const ListedName& item) -> std::string_view { return item.name; });
  if (found == listing->names.end() || found->name != name) return fail(Code::kNotFound, fmt::format("{}: no such file", printable(name)));
  return enter(parent, *found);
}

Result<Entry> Tree::enter(NodeId parent, const ListedName& item) {
  if (item.target != 0) {
    ICECORE_ASSIGN(const struct stat status, attributes(item.target));
    return Entry{item.target, status};
  }
  StoredFile file = stored_file(parent);
  file.inode = item.inode;
  ICECORE_ASSIGN(const fs::FileInfo info, filesystem(file).stat(file.inode));
  return remember(parent, file, info);
}

// Links are nodes of the folder they were met in; folders remember their parent, so that a link's depth can be told.
Result<Entry> Tree::remember(NodeId parent, const StoredFile& file, const fs::FileInfo& info) {
  const auto id = stored_id(file);
  if (!id) return fail(Code::kCorrupt, fmt::format("inode number {} is beyond what a disk can hold", file.inode));
  const Entry entry{*id, stored_attributes(file, info)};
  if (info.type != fs::FileType::kDirectory && info.type != fs::FileType::kSymlink) return entry;
  const std::scoped_lock lock(mutex_);
  if (info.type == fs::FileType::kSymlink) {
    const auto [place, is_new] = links_.try_emplace({parent, file.inode}, next_link_);
    if (is_new) ++next_link_;
    Known& known = known_[place->second];
    known.parent = parent;
    known.file = file;
    ++known.references;
    return Entry{place->second, entry.status};
  }
  const auto twice = [&] { return fail(Code::kCorrupt, "a folder that stands in two places"); };
  if (tops_.contains(*id)) return twice();
  Known& known = known_[*id];
  if (known.references > 0 && known.parent != parent) return twice();
  known.parent = parent;
  known.file = file;
  ++known.references;
  return entry;
}

void Tree::forget(NodeId id, std::uint64_t count) {
  const std::scoped_lock lock(mutex_);
  const auto found = known_.find(id);
  if (found == known_.end()) return;
  found->second.references -= std::min(found->second.references, count);
  if (found->second.references > 0) return;
  if (is_link(id)) links_.erase({found->second.parent, found->second.file.inode});
  known_.erase(found);
}

std::size_t Tree::remembered() const {
  const std::scoped_lock lock(mutex_);
  return known_.size();
}

Result<StoredFile> Tree::file_of(NodeId id) const {
  if (is_stored(id)) return stored_file(id);
  const std::scoped_lock lock(mutex_);
  const auto found = known_.find(id);
  if (found == known_.end()) return fail(Code::kInternal, "a link that was forgotten is asked for");
  return found->second.file;
}

std::uint64_t Tree::shown_inode(const StoredFile& file) const {
  // The root filesystem's inodes keep their own numbers; others have the number of their filesystem above them. Stable from mount to mount.
  const std::size_t above = file.partition == root_partition_ ? 0 : file.partition < root_partition_ ? file.partition + 1 : file.partition;
  return static_cast<std::uint64_t>(above) << kInodeBits | (file.inode & kInodeMask);
}

std::uint64_t Tree::shown_inode(NodeId folder, const ListedName& item) const {
  if (item.target != 0) return is_stored(item.target) ? shown_inode(stored_file(item.target)) : kFixedInodes | item.target;
  StoredFile file = stored_file(folder);
  file.inode = item.inode;
  return shown_inode(file);
}

struct stat Tree::fixed_attributes(NodeId id) const {
  const Fixed& node = fixed(id);
  struct stat status {};
  status.st_ino = kFixedInodes | id;
  status.st_mode = node.layer ? S_IFREG | 0600 : node.source ? S_IFREG | 0444 : S_IFDIR | 0555;
  status.st_nlink = node.source ? 1 : 2;
  status.st_uid = ::getuid();
  status.st_gid = ::getgid();
  status.st_atim.tv_sec = status.st_mtim.tv_sec = status.st_ctim.tv_sec = started_;
  status.st_blksize = 128 << 10;
  if (node.source) {
    status.st_size = static_cast<off_t>(node.source->size());
    status.st_blocks = static_cast<blkcnt_t>(node.source->size() / 512);
  }
  return status;
}

struct stat Tree::stored_attributes(const StoredFile& file, const fs::FileInfo& info) const {
  struct stat status = attributes_of(info);
  status.st_ino = shown_inode(file);
  return status;
}

Result<struct stat> Tree::attributes(NodeId id) const {
  if (is_fixed(id)) return fixed_attributes(id);
  ICECORE_ASSIGN(const StoredFile file, file_of(id));
  ICECORE_ASSIGN(const fs::FileInfo info, filesystem(file).stat(file.inode));
  return stored_attributes(file, info);
}

Result<ListingPtr> Tree::list(NodeId folder) const {
  if (ListingPtr known = listings_.find(folder)) return known;
  ICECORE_ASSIGN(ListingPtr listing, read_listing(folder));
  listings_.add(folder, listing);
  return listing;
}

Result<ListingPtr> Tree::read_listing(NodeId folder) const {
  auto listing = std::make_shared<Listing>();
  if (is_fixed(folder)) {
    for (const auto& [name, target] : fixed(folder).children) {
      const bool is_file = is_fixed(target) && fixed(target).source;
      listing->names.push_back({name, is_file ? fs::FileType::kRegular : fs::FileType::kDirectory, 0, target});
    }
    return ListingPtr(listing);
  }
  const StoredFile file = stored_file(folder);
  ICECORE_ASSIGN(auto entries, filesystem(file).list(file.inode));
  const auto overlay = overlays_.find(folder);
  const bool plain = overlay == overlays_.end();
  listing->names.reserve(entries.size());
  for (fs::DirectoryEntry& entry : entries)
    if (usable_name(entry.name) && (plain || !overlay->second.contains(entry.name)))
      listing->names.push_back({std::move(entry.name), entry.type, entry.inode, 0});
  if (!plain)
    for (const auto& [name, target] : overlay->second) listing->names.push_back({name, fs::FileType::kDirectory, 0, target});
  std::ranges::sort(listing->names, {}, &ListedName::name);
  return ListingPtr(listing);
}

Result<std::vector<Attribute>> Tree::xattrs(NodeId id) const {
  if (is_fixed(id)) return std::vector<Attribute>();
  ICECORE_ASSIGN(const StoredFile file, file_of(id));
  ICECORE_ASSIGN(const fs::FileInfo info, filesystem(file).stat(file.inode));
  std::vector<Attribute> all = own_attributes(info);
  ICECORE_ASSIGN(auto stored, filesystem(file).xattrs(file.inode));
  for (fs::ExtendedAttribute& attribute : stored)
    if (attribute.name.find('\0') == std::string::npos) all.push_back({shown_name(attribute.name), std::move(attribute.value)});
  return all;
}

Result<Content> Tree::content(NodeId id) const {
  if (is_fixed(id)) {
    if (!fixed(id).source) return fail(Code::kInvalidArgument, "a folder has no content");
    return Content{fixed(id).source.get(), nullptr, 0, fixed(id).source->size(), fixed(id).layer.get()};
  }
  ICECORE_ASSIGN(const StoredFile file, file_of(id));
  ICECORE_ASSIGN(const fs::FileInfo info, filesystem(file).stat(file.inode));
  if (info.type == fs::FileType::kDirectory || info.type == fs::FileType::kSymlink) return fail(Code::kInvalidArgument, "it is no regular file");
  return Content{nullptr, &filesystem(file), file.inode, info.type == fs::FileType::kRegular ? info.size : 0, nullptr};
}

std::string Tree::describe(NodeId id) const {
  if (is_fixed(id)) return fixed(id).source ? fixed(id).source->name() : "a folder of the mount";
  const auto file = file_of(id);
  if (!file) return "a link";
  return fmt::format("inode {} of {}", file->inode, filesystem(*file).source().name());
}

}  // namespace icecore::mount
