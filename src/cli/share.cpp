// icecore share CASE --account … [--lock …]
#include "workstation/share.h"

#include <fmt/format.h>

#include "cli/context.h"
#include "cli/workstation_output.h"
#include "core/safe_json.h"

namespace icecore::cli {
namespace {

struct ShareFlags {
  std::string folder;
  bool dry_run = false;
  workstation::ShareOptions options;
};

int share(const Globals& globals, const ShareFlags& flags) {
  if (const auto fine = flags.options.check(); !fine) return failed(fine.error());
  return run(globals, Path(flags.folder), true, [&](engine::Workspace& workspace) -> Result<Outcome> {
    ICECORE_ASSIGN(auto account, workstation::CaseAccount::open(workspace));
    if (flags.dry_run) {
      ICECORE_ASSIGN(const auto plan, workstation::plan_share(account, flags.options));
      ICECORE_CHECK(print(globals.json ? safe_json(plan_json(plan).dump(2)) + '\n' : plan_text(plan)));
      return Outcome{kDone, "dry run"};
    }
    ICECORE_ASSIGN(const auto shared, workstation::share(account, flags.options));
    ICECORE_CHECK(print(globals.json ? safe_json(shared_json(shared).dump(2)) + '\n' : shared_text(shared, flags.options)));
    return Outcome{code_for(workspace), "shared"};
  });
}

}  // namespace

void add_share(CLI::App& app, Globals& globals, Chosen& chosen) {
  CLI::App& command = *app.add_subcommand("share", "let a forensics account use the evidence snapshots, and lock them");
  const auto flags = std::make_shared<ShareFlags>();
  command.add_option("CASE", flags->folder, "the case folder")->required();
  command.add_option("--account", flags->options.accounts, "account (12 digits) that may make volumes and copies; may be repeated");
  command.add_option("--kms-key", flags->options.kms_key, "key for copies of what the default key encrypts (default: one is made for the case)");
  command.add_option("--lock", flags->options.lock_mode,
                     "lock the evidence snapshots: governance or compliance (nobody, not even root, undoes the latter)");
  command.add_option("--lock-days", flags->options.lock_days, "for so long")->needs("--lock");
  command.add_flag("--dry-run", flags->dry_run, "print calls, resources and IAM actions; change nothing");
  add_aws_flags(command, globals);
  command.callback([&globals, &chosen, flags] { chosen = [&globals, flags] { return share(globals, *flags); }; });
}

}  // namespace icecore::cli
