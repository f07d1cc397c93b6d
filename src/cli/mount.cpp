// icecore mount TARGET DIR: the machine's files and its volumes' raw images, for every other tool.
#include <fmt/format.h>

#include "cli/background.h"
#include "cli/context.h"
#include "core/safe_json.h"
#include "core/text.h"
#include "engine/mount_job.h"
#include "mount/serve.h"

namespace icecore::cli {
namespace {

struct Arguments {
  std::string target;
  std::string folder;
  bool background = false;
  bool allow_other = false;
  bool writable = false;
  std::string layer;
};

constexpr const char* kDescription = R"(DIR/root/…                              the files as the instance saw them
DIR/volumes/VOLUME/image.raw            the whole disk: for fls, mmls, sha256sum, dissect, plaso
DIR/volumes/VOLUME/partition-N/…        one partition's files (`filesystem` where the disk has no partitions)
DIR/volumes/VOLUME/partition-N.raw      one partition's bytes

With --writable only DIR/volumes/VOLUME/image.raw is there, and it can be written to: for a kernel (losetup) or a
virtual machine. Changes go to a layer (CASE.layers/snap-….layer, or --layer FILE); evidence stays as it is, and
`icecore reset TARGET` throws the layer away: a pristine copy at once.

What is read is fetched, checked and kept in the case; nothing has to be downloaded before. Devices, sockets and
fifos are shown as empty files with the attribute user.icecore.type; set-id bits are off (user.icecore.mode has
them); links cannot lead out of DIR/root. Runs until Ctrl-C or `fusermount3 -u DIR`; the case is in use meanwhile, and
ls, cat, stat, extract, recover and further mounts read it beside that run as long as its images are complete.)";

Result<void> announce(const Globals& globals, const Arguments& arguments, const std::string& name, const mount::Layout& layout) {
  if (globals.json) {
    OrderedJson json = {{"target", valid_utf8(name)}, {"folder", arguments.folder}, {"root", layout.machine != nullptr}};
    json["volumes"] = OrderedJson::array();
    for (const mount::DiskFolder& disk : layout.disks) json["volumes"].push_back(valid_utf8(disk.name));
    return print(safe_json(json.dump()) + '\n');
  }
  say(globals, fmt::format("{} is mounted {}: {}{}/volumes. It ends with {}fusermount3 -u {}", name,
                           arguments.writable ? "as a copy that can be written to" : "read-only", layout.machine ? arguments.folder + "/root, " : "",
                           arguments.folder, arguments.background ? "" : "Ctrl-C or ", arguments.folder));
  return {};
}

int mount_foreground(const Globals& globals, const Arguments& arguments, const std::function<void()>& ready) {
  return run_beside(globals, arguments.target, [&](engine::Workspace& workspace, const engine::TargetOptions& view) -> Result<Outcome> {
    if (arguments.writable && !view.beside.empty()) return fail(Code::kBusy, "the layer of a case belongs to the run that holds it");
    if (arguments.writable && arguments.layer.empty() && !workspace.has_case())
      return fail(Code::kInvalidArgument, "--layer FILE says where the changes to a local image shall go");
    ICECORE_CHECK(mount::check_mount_point(arguments.folder));
    ICECORE_ASSIGN(engine::Target target, engine::open_target(workspace, arguments.target, view));
    const std::size_t before = workspace.anomalies().count();
    if (!target.machine)
      for (const Anomaly& anomaly : workspace.anomalies().list()) say(globals, anomaly.kind + ": " + to_string(anomaly.error));
    engine::MountOptions options{arguments.folder, arguments.allow_other, arguments.writable, arguments.layer,
                                 [&](const mount::Layout& layout) -> Result<void> {
                                   ICECORE_CHECK(announce(globals, arguments, target.name, layout));
                                   ready();
                                   return {};
                                 }};
    const auto mounted = engine::mount_target(workspace, target, options);
    if (const std::string fetched = engine::fetch_summary(target); !fetched.empty()) say(globals, fetched);
    ICECORE_CHECK(engine::close_target(target));
    if (!mounted) return Failure(mounted.error());
    return Outcome{workspace.anomalies().count() > before ? kPartial : kDone,
                   fmt::format("mounted on {}; {} reads could not be answered", arguments.folder, mounted->errors)};
  });
}

}  // namespace

void add_mount(CLI::App& app, Globals& globals, Chosen& chosen) {
  CLI::App& command = *app.add_subcommand("mount", "a target's files and raw volumes as a folder, for every other tool");
  command.footer(kDescription);
  const auto arguments = std::make_shared<Arguments>();
  command.add_option("TARGET", arguments->target, "a case, a snapshot (snap-…), an image file or a block device")->required();
  command.add_option("DIR", arguments->folder, "an empty folder, or a new one")->required();
  command.add_flag("-b,--background", arguments->background, "give the prompt back once the mount works; it ends with fusermount3 -u DIR");
  CLI::Option* const writable = command.add_flag("-w,--writable", arguments->writable, "a copy of the raw volumes that can be written to");
  command.add_option("--layer", arguments->layer, "the file for the changes to a local image (made where it is missing)")->needs(writable);
  command.add_flag("--allow-other", arguments->allow_other,
                   "other users may read it too, everything in it (needs user_allow_other in /etc/fuse.conf unless root mounts)");
  add_case_flag(command, globals);
  add_view_flag(command, globals);
  add_aws_flags(command, globals);
  command.callback([&globals, &chosen, arguments] {
    chosen = [&globals, arguments] {
      if (!arguments->background) return mount_foreground(globals, *arguments, [] {});
      return in_background([&](const std::function<void()>& ready) { return mount_foreground(globals, *arguments, ready); });
    };
  });
}

}  // namespace icecore::cli
