// icecore reset TARGET: what was changed in the writable copy is thrown away; the evidence was never touched.
#include <fmt/format.h>

#include "cli/context.h"
#include "core/safe_json.h"
#include "core/text.h"
#include "engine/mount_job.h"

namespace icecore::cli {
namespace {

struct Arguments {
  std::string target;
  std::string layer;
};

Result<Outcome> report(const Globals& globals, const std::vector<engine::DiscardedLayer>& discarded) {
  OrderedJson json = OrderedJson::array();
  for (const engine::DiscardedLayer& layer : discarded) {
    json.push_back({{"layer", layer.file.string()}, {"bytes", layer.bytes}});
    if (!globals.json)
      say(globals, fmt::format("{} ({}) is gone: the next mount --writable begins pristine", layer.file.string(), human_size(layer.bytes)));
  }
  if (globals.json) ICECORE_CHECK(print(safe_json(json.dump(2)) + '\n'));
  return Outcome{kDone, fmt::format("threw {} layers away", discarded.size())};
}

int reset(const Globals& globals, const Arguments& arguments) {
  const engine::TargetKind kind = engine::kind_of(arguments.target);
  if (!arguments.layer.empty() || kind == engine::TargetKind::kImage)
    return run(globals, {}, false, [&](engine::Workspace&) -> Result<Outcome> {
      if (arguments.layer.empty()) return fail(Code::kInvalidArgument, "--layer FILE says which layer of the image to throw away");
      ICECORE_ASSIGN(const std::uint64_t bytes, image::Layer::discard_file(arguments.layer));
      return report(globals, {{arguments.layer, bytes}});
    });
  const bool by_flag = !globals.case_folder.empty() && kind != engine::TargetKind::kCase;
  const Path folder = by_flag ? Path(globals.case_folder) : engine::default_case_folder(arguments.target);
  return run(globals, folder, true, [&](engine::Workspace& workspace) -> Result<Outcome> {
    const bool one = kind == engine::TargetKind::kSnapshot;
    ICECORE_ASSIGN(const auto discarded,
                   engine::discard_layers(workspace.folder().path(), one ? std::optional<std::string_view>(arguments.target) : std::nullopt));
    return report(globals, discarded);
  });
}

}  // namespace

void add_reset(CLI::App& app, Globals& globals, Chosen& chosen) {
  CLI::App& command = *app.add_subcommand("reset", "throw away what was changed under mount --writable: pristine again at once");
  const auto arguments = std::make_shared<Arguments>();
  command.add_option("TARGET", arguments->target, "a case or a snapshot (snap-…); an image file with --layer")->required();
  command.add_option("--layer", arguments->layer, "the layer of a local image");
  add_case_flag(command, globals);
  command.callback([&globals, &chosen, arguments] { chosen = [&globals, arguments] { return reset(globals, *arguments); }; });
}

}  // namespace icecore::cli
