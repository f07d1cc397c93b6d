// icecore: from "we were hacked" to signed findings that anyone can check.
#include <fmt/format.h>
#include <cstdio>

#include "cli/commands.h"
#include "cli/progress_bar.h"
#include "cli/version.h"
#include "core/interrupt.h"
#include "core/log.h"

namespace icecore::cli {
namespace {

constexpr const char* kFooter = R"(TARGET is a case folder, a snapshot (snap-…), an image file or a block device.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 partial (something could not be read: see the anomalies),
4 findings present (only with --exit-code), 5 integrity failure, 130 interrupted (run again to go on).

Start with:  icecore investigate i-0123456789abcdef0)";

void add_globals(CLI::App& app, Globals& globals) {
  app.add_flag("--json", globals.json, "results as JSON on standard output");
  app.add_flag("-q,--quiet", globals.quiet, "no progress and no remarks on standard error");
  app.add_flag("-v,--verbose", globals.verbose, "more remarks on standard error");
  app.add_flag("--no-color", globals.no_color, "no colours (NO_COLOR does the same)");
  app.set_version_flag("--version", std::string("icecore ") + kVersion);
}

std::string joined(int argc, char** argv) {
  std::string line;
  for (int i = 0; i < argc; ++i) line += (i > 0 ? " " : "") + std::string(argv[i]);
  return line;
}

int guarded_main(int argc, char** argv) {
  CLI::App app{"icecore: cloud forensics in one command. Takes an EC2 instance, an EBS snapshot or a disk image to signed findings.", "icecore"};
  Globals globals;
  Chosen chosen;
  globals.command_line = joined(argc, argv);
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(kFooter);
  app.get_formatter()->column_width(34);
  add_globals(app, globals);
  add_investigate(app, globals, chosen);
  add_collect(app, globals, chosen);
  add_triage(app, globals, chosen);
  add_timeline(app, globals, chosen);
  add_ls(app, globals, chosen);
  add_cat(app, globals, chosen);
  add_stat(app, globals, chosen);
  add_extract(app, globals, chosen);
  add_recover(app, globals, chosen);
  add_acquire(app, globals, chosen);
  add_mount(app, globals, chosen);
  add_upload(app, globals, chosen);
  add_export(app, globals, chosen);
  add_reset(app, globals, chosen);
  add_archive(app, globals, chosen);
  add_verify(app, globals, chosen);
  add_report(app, globals, chosen);
  add_workstation(app, globals, chosen);
  add_share(app, globals, chosen);
  add_cleanup(app, globals, chosen);
  add_policy(app, globals, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kUsage;
  }
  set_log_level(globals.quiet ? LogLevel::kQuiet : globals.verbose ? LogLevel::kDebug : LogLevel::kWarning);
  catch_interrupts();
  return chosen();
}

}  // namespace
}  // namespace icecore::cli

int main(int argc, char** argv) {
  try {
    return icecore::cli::guarded_main(argc, argv);
  } catch (const std::exception& error) {
    icecore::cli::print_error({icecore::Code::kInternal, std::string("this should not have happened: ") + error.what(), std::nullopt, nullptr});
    return icecore::cli::kFailed;
  }
}
