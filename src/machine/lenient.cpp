// The lenient functions: what is missing is left out, what is damaged is reported, and only what ends the run comes back.
#include <fmt/format.h>
#include <algorithm>
#include <set>

#include "core/interrupt.h"
#include "core/text.h"
#include "machine/machine.h"
#include "machine/pattern.h"

namespace icecore::machine {
namespace {

constexpr std::size_t kMostMatches = 100'000;

}  // namespace

bool Machine::forgive(std::string_view path, const Error& error) const {
  if (ends_the_run(error.code)) return false;
  if (error.code == Code::kCorrupt || error.code == Code::kUnsupported) report(path, error);
  return true;
}

Result<std::optional<FileRef>> Machine::find(std::string_view path, Links links) const {
  auto found = resolve(path, links);
  if (found) return std::optional<FileRef>(std::move(*found));
  if (!forgive(path, found.error())) return Failure(std::move(found).error());
  return std::optional<FileRef>();
}

Result<std::optional<std::string>> Machine::content(const FileRef& file, std::uint64_t limit) const {
  auto text = read(file, limit);
  if (text) return std::optional<std::string>(std::move(*text));
  if (!forgive(file.path, text.error())) return Failure(std::move(text).error());
  return std::optional<std::string>();
}

Result<std::optional<std::string>> Machine::content(std::string_view path, std::uint64_t limit) const {
  ICECORE_ASSIGN(const auto file, find(path));
  if (!file) return std::optional<std::string>();
  return content(*file, limit);
}

Result<std::vector<FileRef>> Machine::glob(std::string_view pattern, Links links) const {
  ICECORE_ASSIGN(const auto start, find("/"));
  std::vector<FileRef> here;
  if (start) here.push_back(*start);
  auto names = split(pattern, '/');
  std::erase(names, std::string_view());
  for (std::size_t level = 0; level < names.size(); ++level) {
    const Links step = level + 1 < names.size() ? Links::kFollow : links;
    std::vector<FileRef> next;
    std::set<std::string, std::less<>> seen;
    const auto add = [&](const FileRef& directory, std::string_view name) -> Result<void> {
      auto found = child(directory, name);
      if (found && found->info.type == fs::FileType::kSymlink && step == Links::kFollow) found = resolve(found->path);
      if (found) {
        if (next.size() < kMostMatches && seen.insert(found->path).second) next.push_back(std::move(*found));
        return {};
      }
      const std::string path = directory.path + '/' + std::string(name);
      if (!forgive(path, found.error())) return Failure(std::move(found).error());
      return {};
    };
    for (const FileRef& directory : here) {
      if (directory.info.type != fs::FileType::kDirectory) continue;
      if (!has_wildcard(names[level])) {
        ICECORE_CHECK(add(directory, names[level]));
        continue;
      }
      auto items = list(directory);
      if (!items) {
        if (!forgive(directory.path, items.error())) return Failure(std::move(items).error());
        continue;
      }
      for (const DirectoryItem& item : *items)
        if (matches_pattern(names[level], item.name)) ICECORE_CHECK(add(directory, item.name));
    }
    here = std::move(next);
  }
  std::ranges::sort(here, {}, &FileRef::path);
  return here;
}

Result<void> Machine::walk(std::string_view directory, const std::function<Walk(const FileRef&)>& visit, const WalkOptions& options) const {
  struct Level {
    FileRef folder;
    std::vector<DirectoryItem> items;
    std::size_t next = 0;
  };
  std::vector<Level> stack;
  // A folder has one parent; a second way into it is damage, and could go on for ever.
  std::set<std::pair<std::size_t, std::uint64_t>> entered;
  std::size_t visited = 0;
  const auto enter = [&](FileRef folder) -> Result<void> {
    if (folder.info.inode != 0 && !entered.emplace(folder.mount, folder.info.inode).second) {
      report(folder.path, Error{Code::kCorrupt, "a folder that stands in two places"});
      return {};
    }
    auto items = list(folder);
    if (items)
      stack.push_back({std::move(folder), std::move(*items)});
    else if (!forgive(folder.path, items.error()))
      return Failure(std::move(items).error());
    return {};
  };
  ICECORE_ASSIGN(auto start, find(directory));
  if (!start || start->info.type != fs::FileType::kDirectory) return {};
  ICECORE_CHECK(enter(std::move(*start)));
  while (!stack.empty()) {
    if (stack.back().next == stack.back().items.size()) {
      stack.pop_back();
      continue;
    }
    if (interrupted()) return interruption();
    Level& level = stack.back();
    const DirectoryItem& item = level.items[level.next++];
    auto file = child(level.folder, item.name);
    if (!file) {
      if (!forgive(level.folder.path + '/' + item.name, file.error())) return Failure(std::move(file).error());
      continue;
    }
    if (++visited > options.maximum_entries) {
      report(directory, Error{Code::kUnsupported, fmt::format("more than {} entries: the rest was not looked at", options.maximum_entries)});
      return {};
    }
    const Walk what = visit(*file);
    if (what == Walk::kStop) return {};
    if (what == Walk::kSkip || file->info.type != fs::FileType::kDirectory) continue;
    if (stack.size() > options.maximum_depth) {
      report(file->path, Error{Code::kUnsupported, fmt::format("deeper than {} folders: not entered", options.maximum_depth)});
      continue;
    }
    ICECORE_CHECK(enter(std::move(*file)));
  }
  return {};
}

}  // namespace icecore::machine
