#include "engine/journal_diff.h"

#include <fmt/format.h>
#include <algorithm>
#include <tuple>

#include "core/text.h"
#include "engine/deleted.h"

namespace icecore::engine {
namespace {

using Kind = JournalChange::Kind;

/// One view: its table, its paths, and its names in an order to be compared in.
struct View {
  explicit View(fs::FileTable swept) : table(std::move(swept)), paths(table) {
    for (std::uint32_t i = 0; i < table.names.size(); ++i) order.push_back(i);
    std::ranges::sort(order, {}, [&](std::uint32_t i) { return key(i); });
  }
  std::tuple<std::uint64_t, std::uint64_t, std::string_view> key(std::uint32_t index) const {
    const fs::Name& name = table.names[index];
    return {name.inode, name.parent, table.text_of(name)};
  }
  std::string path(std::uint32_t index) const { return paths.path_of(table.names[index]); }
  std::string path_of_inode(std::uint64_t inode) const {
    if (inode == table.root_inode) return "/";
    const auto first = std::ranges::lower_bound(order, inode, {}, [&](std::uint32_t i) { return table.names[i].inode; });
    return first != order.end() && table.names[*first].inode == inode ? path(*first) : fmt::format("/$OrphanFiles/OrphanFile-{}", inode);
  }

  const fs::FileTable table;
  const fs::PathIndex paths;
  std::vector<std::uint32_t> order;
};

std::vector<std::string> fields_that_differ(const fs::FileInfo& a, const fs::FileInfo& b) {
  std::vector<std::string> fields;
  const auto compare = [&](bool same, const char* name) {
    if (!same) fields.emplace_back(name);
  };
  compare(a.size == b.size, "size");
  compare(a.mode == b.mode, "mode");
  compare(a.uid == b.uid, "uid");
  compare(a.gid == b.gid, "gid");
  compare(a.links == b.links, "links");
  compare(a.modified == b.modified, "modified");
  compare(a.accessed == b.accessed, "accessed");
  compare(a.changed == b.changed, "changed");
  compare(a.born == b.born, "born");
  return fields;
}

// The number with another generation is another file.
bool same_file(const fs::FileInfo* a, const fs::FileInfo* b) { return a != nullptr && b != nullptr && a->generation == b->generation; }

class Comparison {
 public:
  Comparison(const machine::Machine& machine, std::size_t mount, const View& before, const View& after)
      : machine_(machine), mount_(mount), before_(before), after_(after) {}

  std::vector<JournalChange> run() {
    files();
    names();
    std::ranges::stable_sort(changes_, {}, [](const JournalChange& change) { return std::tie(change.kind, change.path); });
    return std::move(changes_);
  }

 private:
  void add(Kind kind, std::string path, std::uint64_t inode, std::vector<std::string> fields = {}) {
    changes_.push_back(
        {kind, mount_, machine_path(machine_, mount_, path), inode, before_.table.find(inode), after_.table.find(inode), std::move(fields)});
  }

  void files() {
    for (const fs::FileInfo& now : after_.table.files) {
      const fs::FileInfo* then = before_.table.find(now.inode);
      if (!same_file(then, &now)) {
        add(Kind::kCreated, after_.path_of_inode(now.inode), now.inode);
      } else if (auto fields = fields_that_differ(*then, now); !fields.empty()) {
        add(Kind::kChanged, after_.path_of_inode(now.inode), now.inode, std::move(fields));
      }
    }
    for (const fs::FileInfo& then : before_.table.files)
      if (!same_file(&then, after_.table.find(then.inode))) add(Kind::kRemoved, before_.path_of_inode(then.inode), then.inode);
  }

  // Of files that are in both views; and further names of those that are not.
  void names() {
    auto then = before_.order.begin();
    auto now = after_.order.begin();
    while (then != before_.order.end() || now != after_.order.end()) {
      const bool only_then = now == after_.order.end() || (then != before_.order.end() && before_.key(*then) < after_.key(*now));
      const bool only_now = !only_then && (then == before_.order.end() || after_.key(*now) < before_.key(*then));
      if (only_then)
        name(Kind::kNameRemoved, before_, *then++);
      else if (only_now)
        name(Kind::kNameAdded, after_, *now++);
      else
        ++then, ++now;
    }
  }

  void name(Kind kind, const View& view, std::uint32_t index) {
    const std::uint64_t inode = view.table.names[index].inode;
    std::string path = view.path(index);
    const bool said = !same_file(before_.table.find(inode), after_.table.find(inode)) && view.path_of_inode(inode) == path;
    if (!said) add(kind, std::move(path), inode);
  }

  const machine::Machine& machine_;
  const std::size_t mount_;
  const View& before_;
  const View& after_;
  std::vector<JournalChange> changes_;
};

OrderedJson json_of(const fs::FileInfo& file) {
  OrderedJson json = {{"size", file.size},
                      {"mode", fs::mode_string(file.type, file.mode)},
                      {"uid", file.uid},
                      {"gid", file.gid},
                      {"links", file.links},
                      {"modified", to_iso8601(file.modified)},
                      {"accessed", to_iso8601(file.accessed)},
                      {"changed", to_iso8601(file.changed)}};
  if (file.born) json["born"] = to_iso8601(*file.born);
  return json;
}

std::string value_of(const fs::FileInfo& file, std::string_view field) {
  const OrderedJson json = json_of(file);
  const auto found = json.find(std::string(field));
  if (found == json.end()) return "-";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

Result<std::uint64_t> diff_mount(Workspace& workspace, const machine::Machine& machine, std::size_t mount,
                                 const std::function<Result<void>(const JournalChange&)>& report) {
  const fs::Filesystem& recovered = *machine.partitions()[machine.mounts()[mount].partition].filesystem;
  ICECORE_ASSIGN(const fs::FilesystemPtr on_disk, recovered.without_recovery(workspace.anomalies()));
  if (!on_disk) return std::uint64_t{0};
  ICECORE_ASSIGN(auto then, on_disk->sweep({.deleted = false}, workspace.anomalies(), workspace.progress()));
  ICECORE_ASSIGN(auto now, recovered.sweep({.deleted = false}, workspace.anomalies(), workspace.progress()));
  const View before(std::move(then)), after(std::move(now));
  const auto changes = Comparison(machine, mount, before, after).run();
  for (const JournalChange& change : changes) ICECORE_CHECK(report(change));
  return std::uint64_t{changes.size()};
}

}  // namespace

std::string_view change_name(Kind kind) {
  static constexpr std::string_view kNames[] = {"created", "removed", "changed", "name-added", "name-removed"};
  return kNames[static_cast<std::size_t>(kind)];
}

OrderedJson json_of(const JournalChange& change) {
  OrderedJson json = {{"change", change_name(change.kind)}, {"path", valid_utf8(change.path)}, {"inode", change.inode}};
  if (!change.fields.empty()) json["fields"] = change.fields;
  if (change.before != nullptr && change.kind != Kind::kCreated) json["before"] = json_of(*change.before);
  if (change.after != nullptr && change.kind != Kind::kRemoved) json["after"] = json_of(*change.after);
  return json;
}

std::string text_of(const JournalChange& change) {
  std::string line = fmt::format("{:<12}  {:>8}  {}", change_name(change.kind), change.inode, printable(change.path));
  if (change.kind == Kind::kCreated && change.after != nullptr && change.after->type == fs::FileType::kRegular) {
    line += change.after->size == 0 ? "  (its content never reached the disk, or there was none)" : fmt::format("  ({} bytes)", change.after->size);
  }
  const char* separator = "  (";
  for (const std::string& field : change.fields) {
    if (change.before == nullptr || change.after == nullptr) break;
    line += fmt::format("{}{} {} -> {}", std::exchange(separator, ", "), field, value_of(*change.before, field), value_of(*change.after, field));
  }
  return line + (change.fields.empty() ? "" : ")");
}

Result<std::uint64_t> journal_diff(Workspace& workspace, const Target& target, const std::function<Result<void>(const JournalChange&)>& report) {
  if (!target.machine) return fail(Code::kNotFound, target.name + " holds no filesystem that can be read; the anomalies say why");
  std::uint64_t changes = 0;
  for (std::size_t mount = 0; mount < target.machine->mounts().size(); ++mount) {
    const auto found = diff_mount(workspace, *target.machine, mount, report);
    if (!found && (machine::ends_the_run(found.error().code) || found.error().code == Code::kIo)) return found;
    if (!found) workspace.anomalies().add("filesystem.sweep", found.error());
    changes += found.value_or(0);
  }
  return changes;
}

}  // namespace icecore::engine
