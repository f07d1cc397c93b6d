// icecore acquire TARGET: the complete, verified image.
#include <fmt/format.h>

#include "aws/operations.h"
#include "cli/context.h"
#include "core/safe_json.h"
#include "core/text.h"
#include "engine/target.h"

namespace icecore::cli {
namespace {

std::string plan_line(const engine::Disk& disk) {
  const image::ImageProgress known = disk.on_demand->progress();
  const std::uint64_t missing = known.written_blocks - known.recorded_blocks;
  return fmt::format("{}: {} written of {}, {} to fetch, about ${:.4f}", disk.snapshot, human_size(known.written_blocks * image::kBlockSize),
                     human_size(disk.size()), human_size(missing * image::kBlockSize),
                     aws::cost_dollars(aws::operation("ebs", "GetSnapshotBlock"), missing));
}

Result<Outcome> acquire(const Globals& globals, const std::string& what, engine::Workspace& workspace) {
  ICECORE_ASSIGN(engine::Target target, engine::open_target(workspace, what, {}));
  OrderedJson results = OrderedJson::array();
  std::string text;
  for (engine::Disk& disk : target.disks) {
    if (!disk.on_demand) return fail(Code::kInvalidArgument, what + " is a local image already");
    ICECORE_CHECK(disk.on_demand->list_all());
    say(globals, plan_line(disk));
    ICECORE_CHECK(disk.on_demand->acquire_all(workspace.progress()));
    ICECORE_ASSIGN(const image::WholeImage whole, disk.on_demand->whole_image(workspace.progress()));
    const std::string file = (workspace.folder().path() / "snapshots" / disk.snapshot / "image.raw").string();
    text += fmt::format("{}  {}\n  Merkle root {}\n", whole.sha256, file, whole.merkle_root);
    results.push_back({{"snapshot", disk.snapshot}, {"image", file}, {"sha256", whole.sha256}, {"merkle_root", whole.merkle_root}});
  }
  if (target.disks.empty()) return fail(Code::kNotFound, "the case holds no snapshot; run icecore collect first");
  say(globals, engine::fetch_summary(target));
  ICECORE_CHECK(engine::close_target(target));
  ICECORE_CHECK(print(globals.json ? safe_json(results.dump(2)) + '\n' : text));
  return Outcome{kDone, "acquired " + what};
}

}  // namespace

void add_acquire(CLI::App& app, Globals& globals, Chosen& chosen) {
  CLI::App& command = *app.add_subcommand("acquire", "fetch what is still missing: the complete, verified image");
  const auto target = std::make_shared<std::string>();
  command.add_option("TARGET", *target, "a case or a snapshot (snap-…)")->required();
  add_case_flag(command, globals);
  add_aws_flags(command, globals);
  command.callback([&globals, &chosen, target] {
    chosen = [&globals, target] {
      return run_on_target(globals, *target, [&](engine::Workspace& workspace) { return acquire(globals, *target, workspace); });
    };
  });
}

}  // namespace icecore::cli
