// Where symbolic links of the evidence lead inside the mount: never out of the tree in which they are, whatever they say.
#include <algorithm>
#include <deque>

#include "core/text.h"
#include "mount/tree.h"

namespace icecore::mount {
namespace {

constexpr int kMaximumLinks = 40;              // as the kernel's MAXSYMLINKS
constexpr std::size_t kLongestWay = 4096 * 4;  // names still to go, after links were put in

std::vector<std::string> names_of(std::string_view target) {
  std::vector<std::string> names;
  for (const std::string_view name : split(target, '/'))
    if (!name.empty() && name != ".") names.emplace_back(name);
  return names;
}

std::string relative(std::size_t up, const std::vector<std::string>& names) {
  std::string path;
  for (std::size_t i = 0; i < up; ++i) path += path.empty() ? ".." : "/..";
  for (const std::string& name : names) path += (path.empty() ? "" : "/") + name;
  return path.empty() ? "." : path;
}

}  // namespace

NodeId Tree::parent_of(NodeId folder) const {
  if (is_fixed(folder)) return fixed(folder).parent;
  if (const auto top = tops_.find(folder); top != tops_.end()) return top->second;
  const std::scoped_lock lock(mutex_);
  const auto known = known_.find(folder);
  return known == known_.end() ? kMountFolder : known->second.parent;
}

// From the top of the folder's tree to the folder itself. The kernel holds the parents of what it holds, so the chain is there.
std::vector<NodeId> Tree::ancestry(NodeId folder) const {
  std::vector<NodeId> way = {folder};
  while (!tree_tops_.contains(way.back()) && way.back() != kMountFolder) way.push_back(parent_of(way.back()));
  std::ranges::reverse(way);
  return way;
}

Result<std::string> Tree::readlink(NodeId link) const {
  ICECORE_ASSIGN(const StoredFile file, file_of(link));
  ICECORE_ASSIGN(const std::string target, filesystem(file).readlink(file.inode));
  if (target.empty() || target.find('\0') != std::string::npos) return fail(Code::kCorrupt, "a link that leads nowhere");
  NodeId folder = 0;
  {
    const std::scoped_lock lock(mutex_);
    const auto known = known_.find(link);
    if (known == known_.end()) return fail(Code::kInternal, "a link that was forgotten is asked for");
    folder = known->second.parent;
  }
  const std::vector<NodeId> way = ancestry(folder);
  const std::size_t depth = way.size() - 1;
  const bool absolute = target.front() == '/';
  std::vector<std::string> names = names_of(target);
  const auto climbs = static_cast<std::size_t>(std::ranges::find_if(names, [](const std::string& name) { return name != ".."; }) - names.begin());
  names.erase(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(climbs));
  const std::size_t up = absolute ? depth : std::min(climbs, depth);
  // ".." behind a name goes up from wherever that name leads: only following it tells.
  if (std::ranges::find(names, "..") != names.end()) return resolve_inside(way, std::move(names), up);
  if (!absolute && climbs == up) return target;
  return relative(up, names);
}

Result<std::string> Tree::resolve_inside(const std::vector<NodeId>& way, std::vector<std::string> names, std::size_t up) const {
  std::vector<Place> stack;
  // The names on the way are not needed: the answer goes down from the point to which it climbed.
  for (std::size_t i = 0; i + up < way.size(); ++i) stack.push_back({way[i], ""});
  std::size_t kept = stack.size();  // of the folders above the link, how many are still the way
  std::deque<std::string> ahead(names.begin(), names.end());
  int followed = 0;
  const auto answer = [&](const std::string& rest) {
    std::vector<std::string> down;
    for (std::size_t i = kept; i < stack.size(); ++i) down.push_back(stack[i].name);
    if (!rest.empty()) down.push_back(rest);
    for (const std::string& name : ahead)
      if (name != "..") down.push_back(name);
    return relative(way.size() - kept, down);
  };
  while (!ahead.empty()) {
    const std::string name = std::move(ahead.front());
    ahead.pop_front();
    if (name == "..") {
      if (stack.size() > 1) stack.pop_back();
      kept = std::min(kept, stack.size());
      continue;
    }
    ICECORE_ASSIGN(const ListingPtr listing, list(stack.back().id));
    const auto found = std::ranges::lower_bound(listing->names, name, {}, &ListedName::name);
    if (found == listing->names.end() || found->name != name) return answer(name);
    if (found->target != 0) {
      stack.push_back({found->target, name});
      continue;
    }
    StoredFile file = stored_file(stack.back().id);
    file.inode = found->inode;
    ICECORE_ASSIGN(const fs::FileInfo info, filesystem(file).stat(file.inode));
    const auto id = stored_id(file);
    if (info.type == fs::FileType::kDirectory && id) {
      stack.push_back({*id, name});
      continue;
    }
    if (info.type != fs::FileType::kSymlink || ahead.empty()) return answer(name);
    ICECORE_ASSIGN(const std::string target, filesystem(file).readlink(file.inode));
    const std::vector<std::string> more = names_of(target);
    if (++followed > kMaximumLinks || ahead.size() + more.size() > kLongestWay) return fail(Code::kCorrupt, "too many symbolic links");
    if (target.starts_with('/')) stack.resize(1);
    kept = std::min(kept, stack.size());
    ahead.insert(ahead.begin(), more.begin(), more.end());
  }
  return answer("");
}

}  // namespace icecore::mount
