// Commands that look at files of a target: ls, cat, stat, extract share their arguments and their way in.
#pragma once

#include <functional>
#include <string>

#include "cli/context.h"
#include "core/json.h"
#include "engine/target.h"

namespace icecore::cli {

struct FileArguments {
  std::string target;
  std::string path = "/";
};

/// Adds TARGET and PATH and the flags of targets.
void add_file_arguments(CLI::App& command, Globals& globals, FileArguments& arguments, bool path_required);

/// Opens the target and gives its machine to `work`. Partial where `work` left an anomaly.
int run_on_machine(const Globals& globals, const FileArguments& arguments,
                   const std::function<Result<void>(engine::Workspace&, const engine::Target&, const machine::Machine&)>& work);

/// One file as JSON: path, inode, type, mode, owner, size, all times with nanoseconds.
OrderedJson file_json(const machine::FileRef& file);

}  // namespace icecore::cli
