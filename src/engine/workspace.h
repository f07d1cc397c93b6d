// What one run of a command works with: AWS when it is first needed, the case folder, anomalies, progress, the clock.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "aws/session.h"
#include "core/anomaly.h"
#include "core/progress.h"
#include "engine/ledger_observer.h"
#include "evidence/case_folder.h"

namespace icecore::engine {

struct WorkspaceOptions {
  aws::Flags aws;
  aws::Environment environment;
  aws::MfaPrompt mfa_prompt = nullptr;
  std::string version;  ///< icecore's
  std::string command;  ///< what was typed
  std::size_t fetch_threads = 64;
  std::function<void(std::string_view)> say = nullptr;  ///< one line for the user about what happens next; absent: silence
};

/// Not thread-safe, but what it hands out is as thread-safe as its own header says.
class Workspace {
 public:
  Workspace(WorkspaceOptions options, Progress& progress, const Clock& clock = system_clock());
  ~Workspace();

  /// Makes or opens the case in `folder`, takes its lock and begins a run. From here on every AWS call is in its ledger.
  Result<void> open_case(const Path& folder, bool must_exist);
  bool has_case() const { return case_ != nullptr; }
  /// Precondition: has_case().
  evidence::CaseFolder& folder() { return *case_; }

  /// Opens the session at the first call; kCredentials, kInvalidArgument (no region). Makes no AWS call itself.
  Result<aws::Session*> aws();
  /// GetCallerIdentity, once a run; binds the case to the account and region (kConflict where it is another's).
  Result<aws::CallerIdentity> identity();

  /// Signs, writes the manifest and ends the run; the case's images must be closed. Does nothing without a case.
  Result<void> finish(evidence::CaseFolder::Finish finish);

  Anomalies& anomalies() { return anomalies_; }
  const Anomalies& anomalies() const { return anomalies_; }
  Progress& progress() { return progress_; }
  const Clock& clock() const { return clock_; }
  const WorkspaceOptions& options() const { return options_; }
  void say(std::string_view line) const;

 private:
  WorkspaceOptions options_;
  Progress& progress_;
  const Clock& clock_;
  Anomalies anomalies_;
  LedgerObserver observer_;
  std::unique_ptr<evidence::CaseFolder> case_;
  std::unique_ptr<aws::Session> session_;
  std::optional<aws::CallerIdentity> identity_;
};

}  // namespace icecore::engine
