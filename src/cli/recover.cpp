// icecore recover TARGET [DIR]
#include "engine/recover.h"

#include <fmt/format.h>
#include <map>

#include "cli/files.h"
#include "core/safe_json.h"
#include "core/text.h"

namespace icecore::cli {
namespace {

constexpr const char* kRecoverFooter =
    R"(Contents are written below DIR by their path, those without a name as inode-N; DIR/manifest.jsonl has a line for every
deleted file: path, inode, sha256, size, state (intact, partly-overwritten, overwritten, unknown, none), how sure, and
where that is known from (inode table, journal transaction, directory). Without DIR they are only listed.
A file is called intact when no live file and none deleted later holds its blocks.)";

std::string line_of(const engine::RecoveredEntry& one) {
  const std::string path = one.path.empty() ? fmt::format("inode-{}", one.file->info.inode) : printable(one.path);
  const std::string about =
      fmt::format("{:<18}  {:<6}  {:>10}  {}", fs::state_name(one.file->content), fs::sureness_name(one.file->sureness), one.file->info.size,
                  one.file->info.deleted ? to_iso8601(*one.file->info.deleted, 0) : "-                   ");
  if (!one.local.empty()) return fmt::format("{}  {}  {}\n", about, one.sha256, printable(one.local.string()));
  return fmt::format("{}  {}{}\n", about, path, one.left_out.empty() ? "" : "  (" + printable(one.left_out) + ")");
}

struct RecoverFlags {
  FileArguments files;
  std::string destination;
  engine::RecoverOptions options;
};

void say_summary(const Globals& globals, const RecoverFlags& flags, const engine::RecoverSummary& summary) {
  if (flags.options.list_only)
    say(globals, fmt::format("{} deleted files; name a folder to have their contents", summary.found));
  else
    say(globals, fmt::format("{} deleted files, {} written ({}); {}/manifest.jsonl says what each is and how that is known", summary.found,
                             summary.written, human_size(summary.bytes), flags.destination));
  if (summary.only_partly > 0)
    say(globals,
        fmt::format("{} of them {}, because their content is certain only in part or partly overwritten; with --partly what there is of them "
                    "is written, zeros where it is lost",
                    summary.only_partly, flags.options.list_only ? "would not be written" : "were not written"));
  if (summary.overwritten > 0)
    say(globals, fmt::format("of {} other files have all the blocks by now; nothing is left to write", summary.overwritten));
}

Result<void> recover(const Globals& globals, const RecoverFlags& flags, engine::Workspace& workspace, const engine::Target& target) {
  Result<void> printed;
  ICECORE_ASSIGN(const auto summary, engine::recover(workspace, target, flags.destination, flags.options, [&](const engine::RecoveredEntry& one) {
                   if (!printed) return;
                   if (!globals.json) {
                     printed = print(line_of(one));
                     return;
                   }
                   OrderedJson json = engine::manifest_line(one);
                   if (!one.local.empty()) json["file"] = valid_utf8(one.local.string());
                   printed = print(safe_json(json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace)) + '\n');
                 }));
  ICECORE_CHECK(printed);
  say_summary(globals, flags, summary);
  if (const std::string fetched = engine::fetch_summary(target); !fetched.empty()) say(globals, fetched);
  return {};
}

}  // namespace

void add_recover(CLI::App& app, Globals& globals, Chosen& chosen) {
  static const std::map<std::string, fs::Sureness> kSureness = {
      {"guess", fs::Sureness::kGuess}, {"likely", fs::Sureness::kLikely}, {"sure", fs::Sureness::kSure}};
  CLI::App& command = *app.add_subcommand("recover", "give back deleted files, with what is known of each and how sure");
  command.footer(kRecoverFooter);
  const auto flags = std::make_shared<RecoverFlags>();
  command.add_option("TARGET", flags->files.target, "a case, a snapshot (snap-…), an image file or a block device")->required();
  command.add_option("DIR", flags->destination, "where to; an empty folder, made where it is missing");
  command.add_option("--path", flags->options.pattern, "only paths that match: '/var/tmp/*', '*.sh' (* matches / too)");
  command.add_option("--sure", flags->options.least, "at least so sure: guess, likely or sure")
      ->transform(CLI::CheckedTransformer(kSureness, CLI::ignore_case).description(""))
      ->type_name("guess|likely|sure")
      ->default_str("likely");
  command.add_flag("--partly", flags->options.partly,
                   "also files that are partly overwritten or whose content is certain only in part (FAT: behind the first "
                   "cluster), with zeros where it is lost");
  add_case_flag(command, globals);
  add_view_flag(command, globals);
  add_aws_flags(command, globals);
  command.callback([&globals, &chosen, flags] {
    flags->options.list_only = flags->destination.empty();
    chosen = [&globals, flags] {
      return run_on_machine(globals, flags->files, [&](engine::Workspace& workspace, const engine::Target& target, const machine::Machine&) {
        return recover(globals, *flags, workspace, target);
      });
    };
  });
}

}  // namespace icecore::cli
