// What the commands about the workstation print, as text and as JSON.
#pragma once

#include <string>

#include "core/json.h"
#include "workstation/plan.h"

namespace icecore::cli {

std::string plan_text(const workstation::Plan& plan);
Json plan_json(const workstation::Plan& plan);

std::string launched_text(const workstation::Launched& launched, const std::string& case_folder);
Json launched_json(const workstation::Launched& launched);

std::string attached_text(const workstation::Attached& attached);
Json attached_json(const workstation::Attached& attached);

std::string status_text(const workstation::Status& status);
Json status_json(const workstation::Status& status);

std::string removed_text(const workstation::Removed& removed);
Json removed_json(const workstation::Removed& removed);

std::string shared_text(const workstation::Shared& shared, const workstation::ShareOptions& options);
Json shared_json(const workstation::Shared& shared);

}  // namespace icecore::cli
