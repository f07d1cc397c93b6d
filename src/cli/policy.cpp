// icecore policy [COMMAND…]
#include "engine/policy.h"

#include <fmt/format.h>

#include "cli/context.h"
#include "core/log.h"
#include "engine/command_calls.h"

namespace icecore::cli {
namespace {

constexpr std::size_t kManagedPolicyBytes = 6144;  // docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html

struct PolicyFlags {
  engine::PolicyRequest request;
  bool list = false;
};

std::string command_list() {
  std::string text;
  for (const engine::CommandCalls& command : engine::command_calls()) text += fmt::format("{:<24}{}\n", command.command, command.does);
  return text;
}

int print_policy(const PolicyFlags& flags) {
  const auto document = engine::policy_document(flags.request);
  if (!flags.list && !document) {
    print_error(document.error());
    return exit_code_of(document.error().code);
  }
  if (!flags.list && document->dump().size() > kManagedPolicyBytes)
    log_warning("this is more than one managed policy of IAM holds (6,144 characters): print it in parts, by command");
  const auto printed = print(flags.list ? command_list() : document->dump(2) + '\n');
  return printed ? kDone : exit_code_of(printed.error().code);
}

}  // namespace

void add_policy(CLI::App& app, Globals&, Chosen& chosen) {
  CLI::App& command = *app.add_subcommand("policy", "the least IAM policy for commands, as JSON");
  const auto flags = std::make_shared<PolicyFlags>();
  command.add_option("COMMAND", flags->request.commands, "'collect', 'workstation up', 'workstation', …; none: all of them (--list names them)");
  command.add_option("--case-id", flags->request.case_id, "bind what changes the account to this case (case-…; it is in case.json) instead of any");
  command.add_flag("--kms", flags->request.kms, "also what snapshots encrypted with a customer key need");
  command.add_flag("--list", flags->list, "the commands' names");
  command.callback([&chosen, flags] { chosen = [flags] { return print_policy(*flags); }; });
}

}  // namespace icecore::cli
