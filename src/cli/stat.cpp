// icecore stat TARGET PATH: everything about a file: inode, times to the nanosecond, attributes, where its bytes lie.
#include <fmt/format.h>

#include "cli/files.h"
#include "core/safe_json.h"
#include "core/text.h"

namespace icecore::cli {
namespace {

// Each run of the content with its place on a disk; the disk is named where the volume lies on several.
Result<OrderedJson> extents_json(const machine::Machine& machine, const machine::FileRef& file) {
  OrderedJson runs = OrderedJson::array();
  const bool several = !machine.partition_of(file).disks.empty();
  if (!several) {
    ICECORE_ASSIGN(const auto extents, machine.content_extents(file));
    for (const machine::ImageRange& extent : extents) runs.push_back({{"image_offset", extent.offset}, {"length", extent.length}});
    return runs;
  }
  ICECORE_ASSIGN(const auto stored, machine.filesystem_of(file).extents(file.info.inode));
  for (const fs::Extent& extent : stored) {
    std::uint64_t at = extent.file_offset;
    ICECORE_ASSIGN(const auto pieces, machine.content_extents(file, extent.file_offset, extent.length));
    for (const machine::ImageRange& piece : pieces) {
      runs.push_back({{"snapshot", machine.provenance(file, at).snapshot}, {"image_offset", piece.offset}, {"length", piece.length}});
      at += piece.length;
    }
  }
  return runs;
}

Result<OrderedJson> describe(const machine::Machine& machine, const std::string& path) {
  ICECORE_ASSIGN(const machine::FileRef file, machine.resolve(path, machine::Links::kKeep));
  OrderedJson json = file_json(file);
  const machine::Partition& partition = machine.partition_of(file);
  json["snapshot"] = partition.snapshot;
  if (!partition.volume.empty()) json["volume"] = partition.volume;
  if (partition.number) json["partition"] = *partition.number;
  json["filesystem"] = machine.filesystem_of(file).info().type;
  json["inode_offset"] = machine.filesystem_of(file).source().image_offset(file.info.inode_offset);
  if (file.info.type == fs::FileType::kSymlink) {
    ICECORE_ASSIGN(const std::string target, machine.readlink(file));
    json["target"] = valid_utf8(target);
  }
  ICECORE_ASSIGN(const auto attributes, machine.filesystem_of(file).xattrs(file.info.inode));
  for (const fs::ExtendedAttribute& attribute : attributes) json["xattrs"][valid_utf8(attribute.name)] = valid_utf8(attribute.value);
  if (file.info.type == fs::FileType::kRegular) {
    ICECORE_ASSIGN(json["extents"], extents_json(machine, file));
  }
  return json;
}

std::string as_text_lines(const OrderedJson& json) {
  std::string text;
  for (const auto& [name, value] : json.items())
    text += fmt::format("{:>13}: {}\n", name, value.is_string() ? printable(value.get<std::string>()) : safe_json(value.dump()));
  return text;
}

}  // namespace

void add_stat(CLI::App& app, Globals& globals, Chosen& chosen) {
  CLI::App& command = *app.add_subcommand("stat", "everything about a file: times, attributes, where its bytes lie");
  const auto arguments = std::make_shared<FileArguments>();
  add_file_arguments(command, globals, *arguments, true);
  command.callback([&globals, &chosen, arguments] {
    chosen = [&globals, arguments] {
      return run_on_machine(globals, *arguments, [&](engine::Workspace&, const engine::Target&, const machine::Machine& machine) -> Result<void> {
        ICECORE_ASSIGN(const OrderedJson json, describe(machine, arguments->path));
        return print(globals.json ? safe_json(json.dump(2)) + '\n' : as_text_lines(json));
      });
    };
  });
}

}  // namespace icecore::cli
