// icecore upload IMAGE: a local disk becomes a snapshot.
#include "engine/upload.h"

#include <fmt/format.h>

#include "cli/context.h"
#include "cli/plan_output.h"
#include "core/safe_json.h"
#include "core/text.h"
#include "engine/command_calls.h"
#include "engine/local_image.h"

namespace icecore::cli {
namespace {

struct UploadFlags {
  engine::UploadOptions options;
  std::vector<std::string> tags;
  bool dry_run = false;
};

Result<void> read_tags(UploadFlags& flags) {
  for (const std::string& tag : flags.tags) {
    const std::size_t equals = tag.find('=');
    if (equals == 0 || equals == std::string::npos) return fail(Code::kInvalidArgument, fmt::format("--tag wants KEY=VALUE, not '{}'", tag));
    flags.options.tags[tag.substr(0, equals)] = tag.substr(equals + 1);
  }
  return {};
}

Result<Outcome> plan(const Globals& globals, const UploadFlags& flags, engine::Workspace& workspace) {
  ICECORE_ASSIGN(const auto opened, engine::open_local_image(flags.options.image));
  ICECORE_ASSIGN(const auto plan, engine::plan_upload(workspace, *opened.source, flags.options));
  std::vector<aws::PlannedCall> calls = engine::calls_of("upload");
  if (!flags.options.parent.empty()) {
    const auto& more = engine::calls_of("upload parent");
    calls.insert(calls.end(), more.begin(), more.end());
  }
  const OrderedJson json = {
      {"size_gib", plan.size_gib}, {"blocks", plan.blocks}, {"cost_dollars", plan.dollars}, {"iam_actions", aws::iam_actions(calls)}};
  const std::string text = fmt::format("{}: a snapshot of {} GiB, {} to send in {} calls of PutSnapshotBlock, about ${:.4f}\n", flags.options.image,
                                       plan.size_gib, human_size(plan.blocks * image::kBlockSize), plan.blocks, plan.dollars) +
                           actions_text(calls);
  ICECORE_CHECK(print(globals.json ? safe_json(json.dump(2)) + '\n' : text));
  return Outcome{};
}

Result<Outcome> send(const Globals& globals, const UploadFlags& flags, engine::Workspace& workspace) {
  ICECORE_ASSIGN(const auto opened, engine::open_local_image(flags.options.image));
  ICECORE_ASSIGN(const auto done, engine::upload(workspace, *opened.source, flags.options));
  const OrderedJson json = {{"snapshot", done.snapshot}, {"size_gib", done.size_gib},           {"blocks", done.blocks},
                            {"sent_blocks", done.sent},  {"linear_sha256", done.linear_sha256}, {"case", workspace.folder().path().string()}};
  const std::string text = fmt::format("{}  {} GiB, {} blocks ({} sent in this run)\n  SHA-256 over the blocks' SHA-256s, as AWS confirmed it: {}\n",
                                       done.snapshot, done.size_gib, done.blocks, done.sent, done.linear_sha256);
  ICECORE_CHECK(print(globals.json ? safe_json(json.dump(2)) + '\n' : text));
  return Outcome{kDone, fmt::format("uploaded {} as {}", flags.options.image, done.snapshot)};
}

int upload(const Globals& globals, UploadFlags& flags) {
  if (const auto read = read_tags(flags); !read) {
    print_error(read.error());
    return kUsage;
  }
  if (flags.dry_run) return run(globals, {}, false, [&](engine::Workspace& workspace) { return plan(globals, flags, workspace); });
  const Path folder = globals.case_folder.empty() ? Path("case-upload-" + Path(flags.options.image).stem().string()) : Path(globals.case_folder);
  // Nothing is made for an image that cannot be opened.
  if (const auto opened = engine::open_local_image(flags.options.image); !opened) return failed(opened.error());
  return run(globals, folder, false, [&](engine::Workspace& workspace) { return send(globals, flags, workspace); });
}

}  // namespace

void add_upload(CLI::App& app, Globals& globals, Chosen& chosen) {
  CLI::App& command = *app.add_subcommand("upload", "a local image becomes a snapshot; run again, it goes on where it stopped");
  const auto flags = std::make_shared<UploadFlags>();
  command.add_option("IMAGE", flags->options.image, "a disk image or a block device")->required();
  command.add_option("--parent", flags->options.parent, "snapshot of which the new one is a change (snap-…)");
  command.add_option("--size", flags->options.size_gib, "GiB of the volume (default: the image's, rounded up)")->check(CLI::Range(1, 65536));
  command.add_option("--description", flags->options.description, "of the snapshot");
  command.add_option("--tag", flags->tags, "KEY=VALUE, as often as wanted")->expected(1)->allow_extra_args(false);
  command.add_flag("--dry-run", flags->dry_run, "read the image, print what would be sent and what it costs");
  command.add_option("--case", globals.case_folder, "case folder, whose ledger tells of the upload (default: case-upload-<image>)");
  add_aws_flags(command, globals);
  command.callback([&globals, &chosen, flags] { chosen = [&globals, flags] { return upload(globals, *flags); }; });
}

}  // namespace icecore::cli
