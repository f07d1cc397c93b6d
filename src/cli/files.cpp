#include "cli/files.h"

#include "core/text.h"

namespace icecore::cli {

void add_file_arguments(CLI::App& command, Globals& globals, FileArguments& arguments, bool path_required) {
  command.add_option("TARGET", arguments.target, "a case, a snapshot (snap-…), an image file or a block device")->required();
  CLI::Option* path = command.add_option("PATH", arguments.path, "as the instance saw it");
  if (path_required) path->required();
  add_case_flag(command, globals);
  add_view_flag(command, globals);
  add_aws_flags(command, globals);
}

int run_on_machine(const Globals& globals, const FileArguments& arguments,
                   const std::function<Result<void>(engine::Workspace&, const engine::Target&, const machine::Machine&)>& work) {
  return run_beside(globals, arguments.target, [&](engine::Workspace& workspace, const engine::TargetOptions& options) -> Result<Outcome> {
    ICECORE_ASSIGN(engine::Target target, engine::open_target(workspace, arguments.target, options));
    if (!target.machine) {
      for (const Anomaly& anomaly : workspace.anomalies().list()) say(globals, anomaly.kind + ": " + to_string(anomaly.error));
      return fail(Code::kNotFound, arguments.target + " holds no filesystem that can be read");
    }
    // Damage elsewhere on the disk does not matter to who asked for one file; damage that the work met does.
    const std::size_t before = workspace.anomalies().count();
    ICECORE_CHECK(work(workspace, target, *target.machine));
    ICECORE_CHECK(engine::close_target(target));
    return Outcome{workspace.anomalies().count() > before ? kPartial : kDone, "looked at " + arguments.path};
  });
}

OrderedJson file_json(const machine::FileRef& file) {
  const fs::FileInfo& info = file.info;
  OrderedJson json = {{"path", valid_utf8(file.path)},
                      {"inode", info.inode},
                      {"mode", fs::mode_string(info.type, info.mode)},
                      {"uid", info.uid},
                      {"gid", info.gid},
                      {"links", info.links},
                      {"size", info.size},
                      {"modified", to_iso8601(info.modified)},
                      {"accessed", to_iso8601(info.accessed)},
                      {"changed", to_iso8601(info.changed)}};
  if (info.born) json["born"] = to_iso8601(*info.born);
  return json;
}

}  // namespace icecore::cli
