// icecore verify CASE
#include <fmt/format.h>

#include "cli/context.h"
#include "cli/progress_bar.h"
#include "core/safe_json.h"
#include "core/text.h"
#include "engine/export_job.h"
#include "engine/verify_job.h"

namespace icecore::cli {
namespace {

OrderedJson report_json(const evidence::VerifyReport& report) {
  OrderedJson problems = OrderedJson::array();
  for (const evidence::Problem& problem : report.problems) {
    OrderedJson one = {{"kind", problem.kind}, {"file", valid_utf8(problem.file)}};
    if (problem.line) one["line"] = *problem.line;
    if (problem.offset) one["offset"] = *problem.offset;
    if (problem.block) one["block"] = *problem.block;
    one["message"] = valid_utf8(problem.message);
    problems.push_back(std::move(one));
  }
  return {{"ok", report.ok()},
          {"problems", std::move(problems)},
          {"notes", report.notes},
          {"entries", report.entries},
          {"files", report.files},
          {"bytes", report.bytes},
          {"checkpoints", report.checkpoints},
          {"timestamps", report.timestamps},
          {"images", report.images},
          {"finished", report.finished}};
}

std::string several(std::uint64_t count, std::string_view one, std::string_view more) { return fmt::format("{} {}", count, count == 1 ? one : more); }

std::string report_text(const evidence::VerifyReport& report, const report::Style& style) {
  std::string text;
  for (const evidence::Problem& problem : report.problems) text += evidence::to_string(problem) + '\n';
  for (const std::string& note : report.notes) text += report::wrap("note: " + printable(note), 0, style);
  const std::string counts = fmt::format("{}, {}, {} ({}), {}", several(report.entries, "ledger entry", "ledger entries"),
                                         several(report.checkpoints, "signed checkpoint", "signed checkpoints"),
                                         several(report.files, "file", "files"), human_size(report.bytes), several(report.images, "image", "images"));
  return text + (report.ok() ? report::bold("intact", style) + ": " + counts + '\n'
                             : report::bold("NOT intact: " + several(report.problems.size(), "problem", "problems"), style) + " in " + counts + '\n');
}

int verify_case(const Globals& globals, const engine::VerifyJob& job) {
  const auto report = engine::verify(job, terminal_progress(globals.quiet));
  clear_progress();
  if (!report) {
    print_error(report.error());
    return exit_code_of(report.error().code);
  }
  const auto printed = print(globals.json ? safe_json(report_json(*report).dump(2)) + '\n' : report_text(*report, globals.style()));
  if (!printed) return exit_code_of(printed.error().code);
  return report->ok() ? kDone : kIntegrity;
}

// A disk in a container brings the hashes that its maker stored.
int verify_image(const Globals& globals, const std::string& image) {
  const auto check = engine::check_container(image, terminal_progress(globals.quiet));
  clear_progress();
  if (!check) {
    print_error(check.error());
    return exit_code_of(check.error().code);
  }
  std::string text;
  for (const std::string& line : check->lines) text += line + '\n';
  const OrderedJson json = {{"fits", check->fits}, {"hashes", check->lines}};
  const auto printed = print(globals.json ? safe_json(json.dump(2)) + '\n' : text);
  if (!printed) return exit_code_of(printed.error().code);
  return check->fits ? kDone : kIntegrity;
}

}  // namespace

void add_verify(CLI::App& app, Globals& globals, Chosen& chosen) {
  CLI::App& command = *app.add_subcommand("verify", "find any changed, missing, added or reordered byte of a case; hold an E01 against its hashes");
  const auto job = std::make_shared<engine::VerifyJob>();
  command.add_option("CASE", job->folder, "a case folder, or an E01")->required();
  command.add_option("--trusted-key", job->trusted_key, "key id that must have signed everything (default: the key that the case brings)");
  command.add_option("--tsa-ca", job->tsa_ca_file, "certificates that time-stamps must chain to")->check(CLI::ExistingFile);
  command.callback([&globals, &chosen, job] {
    chosen = [&globals, job] {
      std::error_code ignored;
      const std::string folder = job->folder.string();
      return std::filesystem::is_regular_file(folder, ignored) ? verify_image(globals, folder) : verify_case(globals, *job);
    };
  });
}

}  // namespace icecore::cli
