// icecore export TARGET: a disk as a file for other tools.
#include <fmt/format.h>
#include <unistd.h>
#include <cstdlib>

#include "cli/commands.h"
#include "cli/context.h"
#include "core/safe_json.h"
#include "core/text.h"
#include "engine/export_job.h"

namespace icecore::cli {
namespace {

struct Arguments {
  std::string target, disk, backing, hashdeep, file;
  engine::ExportOptions options;
};

Result<void> report(const Globals& globals, const engine::Exported& done) {
  OrderedJson json = {{"files", OrderedJson::array()}, {"sha256", done.disk.sha256}, {"manifest", done.manifest.string()}};
  std::string text;
  for (const Path& file : done.disk.files) {
    json["files"].push_back(file.string());
    text += fmt::format("{}\n", file.string());
  }
  text += fmt::format("  SHA-256 of the disk's bytes {}\n", done.disk.sha256);
  if (!done.disk.md5.empty()) {
    json["md5"] = done.disk.md5;
    json["sha1"] = done.disk.sha1;
    text += fmt::format("  MD5 {}  SHA-1 {}\n", done.disk.md5, done.disk.sha1);
  }
  text += fmt::format("  sha256sum -c {}\n", done.manifest.string());
  return print(globals.json ? safe_json(json.dump(2)) + '\n' : text);
}

Result<Outcome> work(const Globals& globals, Arguments& arguments, engine::Workspace& workspace) {
  ICECORE_ASSIGN(engine::Target target, engine::open_target(workspace, arguments.target, view_options(globals)));
  const std::size_t before = workspace.anomalies().count();
  std::string summary;
  if (!arguments.file.empty()) {
    ICECORE_ASSIGN(const auto done, engine::export_disk(workspace, target, arguments.options));
    ICECORE_CHECK(report(globals, done));
    summary = fmt::format("exported as {}: {}, SHA-256 of the disk {}", arguments.options.format, arguments.file, done.disk.sha256);
  }
  if (!arguments.hashdeep.empty()) {
    ICECORE_ASSIGN(const std::uint64_t files, engine::write_hashdeep(workspace, target, arguments.hashdeep));
    say(globals, fmt::format("{}: hashes of {} files", arguments.hashdeep, files));
    summary += fmt::format("{}hashes of {} files in {}", summary.empty() ? "" : "; ", files, arguments.hashdeep);
  }
  if (const std::string fetched = engine::fetch_summary(target); !fetched.empty()) say(globals, fetched);
  ICECORE_CHECK(engine::close_target(target));
  return Outcome{workspace.anomalies().count() > before ? kPartial : kDone, summary};
}

int export_target(const Globals& globals, Arguments& arguments) {
  if (arguments.file.empty() && arguments.hashdeep.empty()) {
    print_error({Code::kInvalidArgument, "-o FILE says where the image shall go (or --hashdeep FILE where the hashes shall)", std::nullopt, nullptr});
    return kUsage;
  }
  arguments.options.file = arguments.file;
  arguments.options.backing = arguments.backing;
  if (!arguments.disk.empty()) arguments.options.disk = arguments.disk;
  if (const char* user = std::getenv("USER"); arguments.options.header.examiner.empty() && user != nullptr) arguments.options.header.examiner = user;
  return run_on_target(globals, arguments.target, [&](engine::Workspace& workspace) { return work(globals, arguments, workspace); });
}

constexpr const char* kFooter = R"(FILE.sha256 is written beside FILE for sha256sum -c. Nothing appears under FILE's name before it is whole.
  icecore export case-i-… --disk vol-… --format e01 -o root.E01 --examiner "A. Name"
  icecore export case-i-… --disk vol-… --format qcow2 -o root.qcow2 --backing ami.qcow2
  icecore export case-i-… --hashdeep files.hashdeep)";

}  // namespace

void add_export(CLI::App& app, Globals& globals, Chosen& chosen) {
  CLI::App& command = *app.add_subcommand("export", "a whole disk as raw, qcow2 or E01, with manifests");
  command.footer(kFooter);
  const auto arguments = std::make_shared<Arguments>();
  command.add_option("TARGET", arguments->target, "a case, a snapshot (snap-…), an image file or a block device")->required();
  command.add_option("-o,--output", arguments->file, "the file to make; an E01's ends in .E01");
  command.add_option("--format", arguments->options.format, "raw (sparse), qcow2 (zstd) or e01")
      ->check(CLI::IsMember({"raw", "qcow2", "e01"}))
      ->capture_default_str();
  command.add_option("--disk", arguments->disk, "the snapshot or volume, where the target has several");
  command.add_flag("--fetch", arguments->options.fetch, "fetch first what is missing of the image");
  command.add_option("--backing", arguments->backing, "qcow2: a baseline's image in the same folder; only what differs is written");
  command.add_option("--hashdeep", arguments->hashdeep, "also (or only) the hashes of the machine's files, as hashdeep reads them");
  command.add_option("--case-number", arguments->options.header.case_number, "E01: default the case's id")->group("E01");
  command.add_option("--evidence-number", arguments->options.header.evidence_number, "E01: default the snapshot's id")->group("E01");
  command.add_option("--examiner", arguments->options.header.examiner, "E01: default the user")->group("E01");
  command.add_option("--description", arguments->options.header.description, "E01: default what the snapshot is of")->group("E01");
  command.add_option("--notes", arguments->options.header.notes, "E01: default when and where the snapshot was taken")->group("E01");
  add_case_flag(command, globals);
  add_view_flag(command, globals);
  add_aws_flags(command, globals);
  command.callback([&globals, &chosen, arguments] { chosen = [&globals, arguments] { return export_target(globals, *arguments); }; });
}

}  // namespace icecore::cli
