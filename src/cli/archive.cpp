// icecore archive CASE s3://bucket/prefix
#include "engine/archive.h"

#include <fmt/format.h>

#include "cli/context.h"
#include "cli/plan_output.h"
#include "cli/progress_bar.h"
#include "core/safe_json.h"
#include "core/text.h"
#include "engine/verify_job.h"

namespace icecore::cli {
namespace {

struct ArchiveFlags {
  Path folder;
  std::string destination, mode = "governance", until;
  engine::ArchiveOptions options;
  bool dry_run = false;
};

Result<void> read_flags(ArchiveFlags& flags) {
  ICECORE_CHECK(engine::read_destination(flags.destination, flags.options));
  flags.options.mode = flags.mode == "compliance" ? "COMPLIANCE" : "GOVERNANCE";
  if (!flags.until.empty()) {
    // A day is meant to its end.
    ICECORE_ASSIGN(flags.options.retain_until, parse_iso8601(flags.until.size() == 10 ? flags.until + "T23:59:59Z" : flags.until));
  }
  return engine::check_retention(flags.options, system_clock());
}

// Nothing damaged is archived: the archive would vouch for it.
Result<evidence::VerifyReport> verified(const Globals& globals, const ArchiveFlags& flags) {
  engine::VerifyJob job;
  job.folder = flags.folder;
  auto report = engine::verify(job, terminal_progress(globals.quiet));
  clear_progress();
  if (!report || report->ok()) return report;
  std::string words;
  for (std::size_t i = 0; i < report->problems.size() && i < 5; ++i) words += "\n  " + evidence::to_string(report->problems[i]);
  return fail(Code::kIntegrity, fmt::format("{} is not intact, so it is not archived ({} problems; icecore verify lists them all):{}",
                                            flags.folder.string(), report->problems.size(), words));
}

Result<Outcome> plan(const Globals& globals, const engine::SealedCase& sealed, const ArchiveFlags& flags, engine::Workspace& workspace) {
  ICECORE_ASSIGN(const auto plan, engine::plan_archive(workspace, sealed, flags.options));
  std::string text = fmt::format("{} to {}: {} objects, {} (images are sent compressed, holes cost nothing)\n", flags.folder.string(),
                                 plan.destination, plan.objects, human_size(plan.bytes));
  text += calls_text(plan.calls);
  const double dollars = aws::cost_dollars(plan.calls);
  text += fmt::format("about ${:.4f} for the calls, without storage\n", dollars) + actions_text(plan.calls);
  const OrderedJson json = {{"destination", plan.destination}, {"objects", plan.objects}, {"bytes", plan.bytes},
                            {"calls", calls_json(plan.calls)}, {"cost_dollars", dollars}, {"iam_actions", aws::iam_actions(plan.calls)}};
  ICECORE_CHECK(print(globals.json ? safe_json(json.dump(2)) + '\n' : text));
  return Outcome{};
}

Result<Outcome> store(const Globals& globals, const engine::SealedCase& sealed, const ArchiveFlags& flags, engine::Workspace& workspace) {
  ICECORE_ASSIGN(const auto done, engine::archive(workspace, sealed, flags.options));
  clear_progress();
  const std::string until = done.retention ? to_iso8601(done.retention->until, 0) : "";
  const OrderedJson json = {{"destination", done.destination},
                            {"objects", done.objects},
                            {"already_there", done.already_there},
                            {"bytes", done.bytes},
                            {"sent_bytes", done.sent},
                            {"mode", done.retention ? done.retention->mode : ""},
                            {"retain_until", until},
                            {"receipt", done.receipt},
                            {"case", flags.folder.string()}};
  const std::string kept = done.retention ? fmt::format(", kept until {} ({})", until, to_lower(done.retention->mode)) : ", without a retention";
  const std::string text = fmt::format(
      "{}  {} objects, {}{}\n  {} sent in this run, {} objects were there; each was read back and has the checksum of what was sent\n"
      "  receipt: {}\n",
      done.destination, done.objects, human_size(done.bytes), kept, human_size(done.sent), done.already_there,
      (flags.folder / done.receipt).string());
  ICECORE_CHECK(print(globals.json ? safe_json(json.dump(2)) + '\n' : text));
  return Outcome{kDone, fmt::format("archived to {}", done.destination)};
}

int archive(const Globals& globals, ArchiveFlags& flags) {
  if (const auto read = read_flags(flags); !read) return failed(read.error());
  const auto report = verified(globals, flags);
  if (!report) return failed(report.error());
  if (!report->finished && !flags.dry_run) {
    // A killed run left the case open: it is closed and signed as it is, and that is what is stored.
    const int closed = run(globals, flags.folder, true, [](engine::Workspace&) -> Result<Outcome> {
      return Outcome{kDone, "closed a run that was killed"};
    });
    if (closed != kDone) return closed;
  }
  const auto sealed = engine::read_sealed_case(flags.folder);
  if (!sealed) return failed(sealed.error());
  if (flags.dry_run) return run(globals, {}, false, [&](engine::Workspace& workspace) { return plan(globals, *sealed, flags, workspace); });
  return run(globals, flags.folder, true, [&](engine::Workspace& workspace) { return store(globals, *sealed, flags, workspace); });
}

}  // namespace

void add_archive(CLI::App& app, Globals& globals, Chosen& chosen) {
  CLI::App& command =
      *app.add_subcommand("archive", "store a verified case in an S3 bucket, under Object Lock; run again, it goes on where it stopped");
  const auto flags = std::make_shared<ArchiveFlags>();
  command.add_option("CASE", flags->folder, "a case folder")->required();
  command.add_option("DESTINATION", flags->destination, "s3://bucket/prefix; the case's id and the files' paths follow it")->required();
  auto* days =
      command
          .add_option("--retain-days", flags->options.retain_days, "no version may be deleted for so many days (the bucket must have Object Lock)")
          ->check(CLI::Range(1, 36'500));
  command.add_option("--retain-until", flags->until, "… or until this day (2027-12-31, or a time in ISO 8601)")->excludes(days);
  command.add_option("--mode", flags->mode, "governance: who has s3:BypassGovernanceRetention may delete all the same; compliance: no one may")
      ->check(CLI::IsMember({"governance", "compliance"}))
      ->capture_default_str();
  command.add_flag("--dry-run", flags->dry_run, "verify the case, look at the bucket, print what would be sent and what it costs");
  add_aws_flags(command, globals);
  command.callback([&globals, &chosen, flags] { chosen = [&globals, flags] { return archive(globals, *flags); }; });
}

}  // namespace icecore::cli
