// icecore extract TARGET PATH DIR
#include "engine/extract.h"

#include <fmt/format.h>

#include "cli/files.h"
#include "core/safe_json.h"
#include "core/text.h"

namespace icecore::cli {
namespace {

std::string line_of(const engine::Extracted& one) {
  if (one.file.empty()) return fmt::format("left out  {}  ({})\n", printable(one.path), printable(one.left_out));
  return fmt::format("{}  {}\n", one.sha256, printable(one.file.string()));
}

OrderedJson json_of(const engine::Extracted& one) {
  OrderedJson json = {{"path", valid_utf8(one.path)}};
  if (one.file.empty()) {
    json["left_out"] = valid_utf8(one.left_out);
  } else {
    json.update({{"file", valid_utf8(one.file.string())}, {"sha256", one.sha256}, {"size", one.size}});
  }
  return json;
}

}  // namespace

void add_extract(CLI::App& app, Globals& globals, Chosen& chosen) {
  CLI::App& command = *app.add_subcommand("extract", "copy files out of the image, as plain files, with their SHA-256");
  const auto arguments = std::make_shared<FileArguments>();
  const auto destination = std::make_shared<std::string>();
  add_file_arguments(command, globals, *arguments, true);
  command.add_option("DIR", *destination, "where to; made where it is missing")->required();
  command.callback([&globals, &chosen, arguments, destination] {
    chosen = [&globals, arguments, destination] {
      return run_on_machine(globals, *arguments, [&](engine::Workspace&, const engine::Target& target, const machine::Machine&) -> Result<void> {
        Result<void> printed;
        ICECORE_CHECK(engine::extract(target, arguments->path, *destination, [&](const engine::Extracted& one) {
          if (printed) printed = print(globals.json ? safe_json(json_of(one).dump()) + '\n' : line_of(one));
        }));
        return printed;
      });
    };
  });
}

}  // namespace icecore::cli
