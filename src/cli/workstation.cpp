// icecore workstation up | attach | reset | status | down, and icecore cleanup
#include <fmt/format.h>

#include "cli/context.h"
#include "cli/hand_over.h"
#include "cli/workstation_output.h"
#include "core/file.h"
#include "core/safe_json.h"
#include "core/text.h"

namespace icecore::cli {
namespace {

namespace ws = workstation;

struct Flags {
  std::string folder;
  bool dry_run = false;
  double wait_seconds = 600;
  ws::UpOptions up;
  std::string public_key_file;
  std::string outbound = "web";
  bool no_ssm = false;
  ws::AttachOptions attach;
  bool force = false;

  ws::Patience patience() const { return {static_cast<std::int64_t>(wait_seconds * 1000)}; }
};
using FlagsPtr = std::shared_ptr<Flags>;

using Work = std::function<Result<Outcome>(ws::CaseAccount&)>;

int in_case(const Globals& globals, const Flags& flags, const Work& work) {
  return run(globals, Path(flags.folder), true, [&](engine::Workspace& workspace) -> Result<Outcome> {
    ICECORE_ASSIGN(auto account, ws::CaseAccount::open(workspace));
    return work(account);
  });
}

Result<void> show(const Globals& globals, const std::string& text, const Json& json) {
  return print(globals.json ? safe_json(json.dump(2)) + '\n' : text);
}

Result<void> show_anomalies(const Globals& globals, const ws::CaseAccount& account) {
  if (globals.json) return {};
  for (const Anomaly& anomaly : account.workspace().anomalies().list()) say(globals, "not done: " + to_string(anomaly.error));
  return {};
}

Result<Outcome> show_plan(const Globals& globals, const Result<ws::Plan>& plan) {
  if (!plan) return Failure(plan.error());
  ICECORE_CHECK(show(globals, plan_text(*plan), plan_json(*plan)));
  return Outcome{kDone, "dry run"};
}

Result<void> complete(Flags& flags) {
  flags.up.systems_manager = !flags.no_ssm;
  flags.up.outbound = flags.outbound == "all" ? ws::Outbound::kAll : flags.outbound == "none" ? ws::Outbound::kNone : ws::Outbound::kWeb;
  flags.up.patience = flags.attach.patience = flags.attach.remote.patience = flags.patience();
  if (flags.public_key_file.empty()) return {};
  ICECORE_ASSIGN(const std::string text, read_text_file(flags.public_key_file, 64 * 1024));
  flags.up.public_key = std::string(trim(split_lines(text).empty() ? "" : split_lines(text).front()));
  return {};
}

int up(const Globals& globals, Flags& flags) {
  Result<void> fine = complete(flags);
  if (fine) fine = ws::check_options(flags.up);
  if (!fine) return failed(fine.error());
  return in_case(globals, flags, [&](ws::CaseAccount& account) -> Result<Outcome> {
    if (flags.dry_run) return show_plan(globals, ws::plan_up(account, flags.up));
    ICECORE_ASSIGN(const auto launched, ws::up(account, flags.up));
    ICECORE_CHECK(show(globals, launched_text(launched, flags.folder), launched_json(launched)));
    return Outcome{kDone, "workstation " + launched.instance.id};
  });
}

Result<Outcome> finish_attach(const Globals& globals, ws::CaseAccount& account, const ws::Attached& attached) {
  ICECORE_CHECK(show_anomalies(globals, account));
  Json json = attached_json(attached);
  for (const Anomaly& anomaly : account.workspace().anomalies().list()) json["anomalies"].push_back(valid_utf8(to_string(anomaly.error)));
  ICECORE_CHECK(show(globals, attached_text(attached), json));
  return Outcome{code_for(account.workspace()), fmt::format("{} copies attached", attached.copies.size())};
}

int attach(const Globals& globals, Flags& flags) {
  return in_case(globals, flags, [&](ws::CaseAccount& account) -> Result<Outcome> {
    ICECORE_CHECK(complete(flags));
    if (flags.dry_run) return show_plan(globals, ws::plan_attach(account, flags.attach));
    ICECORE_ASSIGN(const auto attached, ws::attach(account, flags.attach));
    return finish_attach(globals, account, attached);
  });
}

int reset(const Globals& globals, Flags& flags) {
  return in_case(globals, flags, [&](ws::CaseAccount& account) -> Result<Outcome> {
    ICECORE_CHECK(complete(flags));
    const auto hand_over = [&](const std::string& script) { return hand_over_unmounting(globals, script); };
    const ws::ResetOptions options{flags.attach, flags.force, hand_over};
    if (flags.dry_run) return show_plan(globals, ws::plan_reset(account, options));
    ICECORE_ASSIGN(const auto attached, ws::reset(account, options));
    return finish_attach(globals, account, attached);
  });
}

int status(const Globals& globals, Flags& flags) {
  return in_case(globals, flags, [&](ws::CaseAccount& account) -> Result<Outcome> {
    ICECORE_ASSIGN(const auto status, ws::status(account));
    ICECORE_CHECK(show(globals, status_text(status), status_json(status)));
    return Outcome{kDone, "status"};
  });
}

int down(const Globals& globals, Flags& flags) {
  return in_case(globals, flags, [&](ws::CaseAccount& account) -> Result<Outcome> {
    if (flags.dry_run) return show_plan(globals, ws::plan_removal(account));
    ICECORE_ASSIGN(const auto removed, ws::down(account, {flags.patience()}));
    ICECORE_CHECK(show(globals, removed_text(removed), removed_json(removed)));
    return Outcome{kDone, fmt::format("{} things removed", removed.removed.size())};
  });
}

using Action = int (*)(const Globals&, Flags&);

CLI::App& add_command(CLI::App& parent, const char* name, const char* about, Globals& globals, Chosen& chosen, const FlagsPtr& flags, Action action) {
  CLI::App& command = *parent.add_subcommand(name, about);
  command.add_option("CASE", flags->folder, "the case folder")->required();
  add_aws_flags(command, globals);
  command.callback([&globals, &chosen, flags, action] { chosen = [&globals, flags, action] { return action(globals, *flags); }; });
  return command;
}

void add_dry_run(CLI::App& command, const FlagsPtr& flags) {
  command.add_flag("--dry-run", flags->dry_run, "print calls, resources, cost and IAM actions; change nothing");
}

void add_wait(CLI::App& command, const FlagsPtr& flags) {
  command.add_option("--wait", flags->wait_seconds, "how long to wait for a state before giving up")
      ->check(CLI::Range(1.0, 86'400.0))
      ->type_name("SECONDS")
      ->capture_default_str();
}

void add_up_flags(CLI::App& command, const FlagsPtr& flags) {
  ws::UpOptions& up = flags->up;
  command.add_option("--ami", up.image, "image (ami-…) or name of an SSM public parameter (default: Debian 12 for the type's architecture)");
  command.add_option("--type", up.type, "instance type")->capture_default_str();
  command.add_option("--subnet", up.subnet, "subnet (default: a default subnet whose zone offers the type)");
  command.add_option("--zone", up.zone, "availability zone");
  command.add_option("--vpc", up.vpc, "VPC (default: the default one)");
  command.add_option("--key-pair", up.key_pair, "an existing key pair, for SSH");
  command.add_option("--public-key", flags->public_key_file, "an OpenSSH public key: imported as a key pair, removed by down")
      ->check(CLI::ExistingFile);
  command.add_flag("--no-ssm", flags->no_ssm, "no role for Systems Manager: SSH only");
  command.add_option("--instance-profile", up.profile, "an existing instance profile instead of one made for the case");
  command.add_option("--inbound", up.inbound, "the one CIDR, IPv4 or IPv6, that may reach SSH (default: nobody; never the whole internet)");
  command.add_option("--outbound", flags->outbound, "what the workstation may reach")
      ->check(CLI::IsMember({"none", "web", "all"}))
      ->capture_default_str();
  command.add_flag("--public-ip", up.public_address, "a public address (default: none, whatever the subnet says)");
  command.add_option("--tools", up.tools, "tool set that cloud-init installs: none, standard, full")->capture_default_str();
  command.add_option("--icecore-url", up.icecore_url, "https:// address from which the workstation gets icecore");
  command.add_option("--icecore-sha256", up.icecore_sha256, "SHA-256 that it must have");
  command.add_option("--disk", up.disk_gib, "GiB of the root volume (default: the image's)")->check(CLI::Range(1, 65'536));
}

void add_attach_flags(CLI::App& command, const FlagsPtr& flags) {
  ws::AttachOptions& attach = flags->attach;
  command.add_option("--snapshot", attach.snapshots, "this evidence snapshot only (snap-…); may be repeated");
  command.add_flag(
      "--print-script", attach.print_script,
      "print the script for the workstation's shell instead of running it (reset prints two: one that unmounts the copies, and, after Enter, "
      "one that mounts the fresh ones)");
  command.add_option("--ssh", attach.remote.ssh, "run the script through ssh USER@HOST instead of Systems Manager");
  command.add_option("--identity", attach.remote.identity, "private key file for --ssh")->check(CLI::ExistingFile);
}

}  // namespace

void add_workstation(CLI::App& app, Globals& globals, Chosen& chosen) {
  CLI::App& parent = *app.add_subcommand("workstation", "the forensics instance: launch, attach in the right zone, mount, start afresh, take down");
  parent.require_subcommand(1);
  const auto flags = std::make_shared<Flags>();
  CLI::App& up_command =
      add_command(parent, "up", "launch it, in the evidence's region, with a group and a way in of its own", globals, chosen, flags, up);
  add_up_flags(up_command, flags);
  add_wait(up_command, flags);
  add_dry_run(up_command, flags);
  CLI::App& attach_command =
      add_command(parent, "attach", "copies of the evidence on the workstation, mounted below /forensics", globals, chosen, flags, attach);
  add_attach_flags(attach_command, flags);
  attach_command.add_flag("--as-is", flags->attach.as_is, "beside it, a copy whose journal is not replayed");
  attach_command.add_flag("--writable", flags->attach.writable, "a copy to mess with instead of the read-only one");
  add_wait(attach_command, flags);
  add_dry_run(attach_command, flags);
  CLI::App& reset_command = add_command(parent, "reset", "fresh copies in place of messed-up ones", globals, chosen, flags, reset);
  add_attach_flags(reset_command, flags);
  reset_command.add_flag("--force", flags->force, "also copies that are in use on the workstation");
  add_wait(reset_command, flags);
  add_dry_run(reset_command, flags);
  add_command(parent, "status", "what exists, since when, what it costs an hour", globals, chosen, flags, status);
  CLI::App& down_command =
      add_command(parent, "down", "remove the workstation and all that was made for it; never the evidence", globals, chosen, flags, down);
  add_wait(down_command, flags);
  add_dry_run(down_command, flags);
}

void add_cleanup(CLI::App& app, Globals& globals, Chosen& chosen) {
  const auto flags = std::make_shared<Flags>();
  CLI::App& command =
      add_command(app, "cleanup", "remove what the case's ledger says was made; never an evidence snapshot", globals, chosen, flags, down);
  add_wait(command, flags);
  add_dry_run(command, flags);
}

}  // namespace icecore::cli
