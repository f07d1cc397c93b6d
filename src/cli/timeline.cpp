// icecore timeline TARGET: every file's times and every parsed log, one order.
#include <fcntl.h>
#include <unistd.h>
#include <map>

#include "cli/context.h"
#include "core/safe_json.h"
#include "engine/journal_diff.h"
#include "engine/timeline_job.h"

namespace icecore::cli {
namespace {

struct TimelineFlags {
  std::string target, output;
  engine::TimelineFormat format = engine::TimelineFormat::kJsonl;
  bool files_only = false, deleted = false, journal_diff = false;
};

// A file takes its name only when it is whole; what stood there before stays until then.
Result<void> write_to_file(const Path& path, const std::function<Result<void>(timeline::TextSink&)>& write) {
  if (is_special_file(path)) {
    ICECORE_ASSIGN(const FileDescriptor device, open_file(path, O_WRONLY));
    timeline::DescriptorSink sink(device.get(), path.string());
    return write(sink);
  }
  const Path temporary = path.string() + ".tmp";
  {
    ICECORE_ASSIGN(const FileDescriptor file, open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600));
    timeline::DescriptorSink sink(file.get(), temporary.string());
    ICECORE_CHECK(write(sink));
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return errno_failure(errno, "rename to", path);
  return {};
}

Result<void> write_journal_diff(const Globals& globals, engine::Workspace& workspace, const engine::Target& target, timeline::TextSink& sink) {
  ICECORE_ASSIGN(const std::uint64_t changes, engine::journal_diff(workspace, target, [&](const engine::JournalChange& change) {
                   return sink.write((globals.json ? safe_json(engine::json_of(change).dump()) : engine::text_of(change)) + '\n');
                 }));
  say(globals, changes == 0 ? "no journal to replay, or nothing that it changes" : std::to_string(changes) + " changes are in the journal only");
  return {};
}

int timeline_of(const Globals& globals, const TimelineFlags& flags) {
  return run_on_target(globals, flags.target, [&](engine::Workspace& workspace) -> Result<Outcome> {
    ICECORE_ASSIGN(engine::Target target, engine::open_target(workspace, flags.target, view_options(globals)));
    if (!target.machine)  // without a case there is no anomalies.jsonl to look into
      for (const Anomaly& anomaly : workspace.anomalies().list()) say(globals, anomaly.kind + ": " + to_string(anomaly.error));
    const auto write = [&](timeline::TextSink& sink) -> Result<void> {
      if (flags.journal_diff) return write_journal_diff(globals, workspace, target, sink);
      return engine::write_timeline(workspace, target, {flags.format, !flags.files_only, flags.deleted}, sink);
    };
    timeline::DescriptorSink standard_output(STDOUT_FILENO, "standard output");
    ICECORE_CHECK(flags.output.empty() ? write(standard_output) : write_to_file(flags.output, write));
    if (const std::string fetched = engine::fetch_summary(target); !fetched.empty()) say(globals, fetched);
    ICECORE_CHECK(engine::close_target(target));
    return Outcome{code_for(workspace), "timeline written"};
  });
}

}  // namespace

void add_timeline(CLI::App& app, Globals& globals, Chosen& chosen) {
  static const std::map<std::string, engine::TimelineFormat> kFormats = {
      {"bodyfile", engine::TimelineFormat::kBodyfile}, {"jsonl", engine::TimelineFormat::kJsonl}, {"csv", engine::TimelineFormat::kCsv}};
  CLI::App& command = *app.add_subcommand("timeline", "every file's times and every parsed log, in one order");
  const auto flags = std::make_shared<TimelineFlags>();
  command.add_option("TARGET", flags->target, "a case, a snapshot (snap-…), an image file or a block device")->required();
  command.add_option("--format", flags->format, "jsonl (Timesketch), csv, or bodyfile (mactime; files only)")
      ->transform(CLI::CheckedTransformer(kFormats, CLI::ignore_case).description(""))
      ->type_name("jsonl|csv|bodyfile")
      ->default_str("jsonl");
  command.add_option("-o,--output", flags->output, "file to write (default: standard output)");
  command.add_flag("--deleted", flags->deleted,
                   "deleted files out of the journal too: reads all of it (tens of MiB); without, only what inode tables and folders still show");
  CLI::Option* diff =
      command.add_flag("--journal-diff", flags->journal_diff,
                       "instead of times: what the disk's journal changes (created, removed, changed, names added and taken away), text or --json");
  command.add_flag("--files-only", flags->files_only, "no logs, only the times of files");
  add_case_flag(command, globals);
  add_view_flag(command, globals);
  diff->excludes("--no-journal");
  add_aws_flags(command, globals);
  command.callback([&globals, &chosen, flags] { chosen = [&globals, flags] { return timeline_of(globals, *flags); }; });
}

}  // namespace icecore::cli
