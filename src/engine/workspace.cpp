#include "engine/workspace.h"

namespace icecore::engine {

Workspace::Workspace(WorkspaceOptions options, Progress& progress, const Clock& clock)
    : options_(std::move(options)), progress_(progress), clock_(clock) {}

Workspace::~Workspace() = default;

void Workspace::say(std::string_view line) const {
  if (options_.say) options_.say(line);
}

Result<void> Workspace::open_case(const Path& folder, bool must_exist) {
  auto run = evidence::RunIdentity::of_this_process(options_.version, options_.command);
  if (must_exist) {
    ICECORE_ASSIGN(case_, evidence::CaseFolder::open(folder, std::move(run), clock_));
  } else {
    ICECORE_ASSIGN(case_, evidence::CaseFolder::open_or_create(folder, {}, std::move(run), clock_));
  }
  observer_.attach(&case_->ledger());
  return {};
}

Result<aws::Session*> Workspace::aws() {
  if (!session_) {
    ICECORE_ASSIGN(session_, aws::Session::open(options_.aws, options_.environment, observer_, options_.mfa_prompt, clock_));
  }
  return session_.get();
}

Result<aws::CallerIdentity> Workspace::identity() {
  if (identity_) return *identity_;
  ICECORE_ASSIGN(aws::Session* const session, aws());
  ICECORE_ASSIGN(const std::string region, session->config().require_region());
  ICECORE_ASSIGN(auto sts, session->sts());
  ICECORE_ASSIGN(identity_, sts.get_caller_identity());
  if (case_) ICECORE_CHECK(case_->bind({identity_->account, region, {}}));
  return *identity_;
}

Result<void> Workspace::finish(evidence::CaseFolder::Finish finish) {
  if (!case_) return {};
  if (session_) ICECORE_CHECK(session_->executor().flush_summaries());
  ICECORE_ASSIGN(const Path key_path, evidence::SigningKey::default_path());
  ICECORE_ASSIGN(const auto key, evidence::SigningKey::load_or_create(key_path));
  return case_->finish_run(key, finish);
}

}  // namespace icecore::engine
