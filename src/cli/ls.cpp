// icecore ls TARGET [PATH]
#include <fmt/format.h>

#include "cli/files.h"
#include "core/safe_json.h"
#include "core/text.h"

namespace icecore::cli {
namespace {

std::string line_of(const machine::Machine& machine, const machine::FileRef& file, std::string_view name) {
  std::string shown = printable(name);
  if (file.info.type == fs::FileType::kSymlink)
    if (const auto target = machine.readlink(file)) shown += " -> " + printable(*target);
  return fmt::format("{}  {:>5} {:>5}  {:>10}  {}  {}\n", fs::mode_string(file.info.type, file.info.mode), file.info.uid, file.info.gid,
                     file.info.size, to_iso8601(file.info.modified, 0), shown);
}

Result<void> list(const Globals& globals, const FileArguments& arguments, engine::Workspace& workspace, const machine::Machine& machine) {
  ICECORE_ASSIGN(const machine::FileRef start, machine.resolve(arguments.path));
  std::vector<std::pair<std::string, machine::FileRef>> rows;
  if (start.info.type != fs::FileType::kDirectory) {
    rows.emplace_back(arguments.path, start);
  } else {
    ICECORE_ASSIGN(const auto items, machine.list(start));
    for (const machine::DirectoryItem& item : items) {
      auto file = machine.child(start, item.name);
      if (file) {
        rows.emplace_back(item.name, std::move(*file));
      } else {
        say(globals, fmt::format("{}: {}", item.name, to_string(file.error())));
        workspace.anomalies().add("file.unreadable", file.error());
      }
    }
  }
  std::string text;
  OrderedJson json = OrderedJson::array();
  for (const auto& [name, file] : rows) {
    if (globals.json) {
      json.push_back(file_json(file));
    } else {
      text += line_of(machine, file, name);
    }
  }
  return print(globals.json ? safe_json(json.dump(2)) + '\n' : text);
}

}  // namespace

void add_ls(CLI::App& app, Globals& globals, Chosen& chosen) {
  CLI::App& command = *app.add_subcommand("ls", "list a folder as the instance saw it");
  const auto arguments = std::make_shared<FileArguments>();
  add_file_arguments(command, globals, *arguments, false);
  command.callback([&globals, &chosen, arguments] {
    chosen = [&globals, arguments] {
      return run_on_machine(globals, *arguments, [&](engine::Workspace& workspace, const engine::Target&, const machine::Machine& machine) {
        return list(globals, *arguments, workspace, machine);
      });
    };
  });
}

}  // namespace icecore::cli
