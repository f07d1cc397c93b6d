#include "workstation/case_account.h"

#include <fmt/format.h>

namespace icecore::workstation {

Result<CaseAccount> CaseAccount::open(engine::Workspace& workspace) {
  ICECORE_ASSIGN(const auto identity, workspace.identity());
  ICECORE_ASSIGN(aws::Session* const session, workspace.aws());
  ICECORE_ASSIGN(auto ec2, session->ec2());
  ICECORE_ASSIGN(auto ssm, session->ssm());
  ICECORE_ASSIGN(auto iam, session->iam());
  ICECORE_ASSIGN(auto kms, session->kms());
  return CaseAccount(workspace, identity.account, workspace.has_case() ? workspace.folder().identity().id : "case-dry-run", std::move(ec2),
                     std::move(ssm), std::move(iam), std::move(kms));
}

aws::Tags CaseAccount::tags(std::string_view subject) const {
  return {{"Name", fmt::format("icecore {} {}", case_id_, subject)},
          {"icecore:case", case_id_},
          {"icecore:run", ledger().run().run},
          {"icecore:subject", std::string(subject)}};
}

std::vector<aws::Filter> CaseAccount::filters(std::string_view subject) const {
  std::vector<aws::Filter> filters = {{"tag:icecore:case", {case_id_}}};
  if (!subject.empty()) filters.push_back({"tag:icecore:subject", {std::string(subject)}});
  return filters;
}

Result<std::vector<aws::Instance>> CaseAccount::instances() const {
  auto wanted = filters(kInstanceSubject);
  wanted.push_back({"instance-state-name", {"pending", "running", "stopping", "stopped", "shutting-down"}});
  ICECORE_ASSIGN(auto found, plain(ec2_.describe_instances({.ids = {}, .filters = wanted})));
  return std::move(found.items);
}

Result<std::vector<aws::Volume>> CaseAccount::volumes(std::string_view subject) const {
  ICECORE_ASSIGN(auto found, plain(ec2_.describe_volumes({.ids = {}, .filters = filters(subject)})));
  std::erase_if(found.items, [](const aws::Volume& volume) {
    const std::string purpose = aws::tag_value(volume.tags, "icecore:subject");
    return !purpose.starts_with("snap-") || volume.state == "deleting" || volume.state == "deleted";
  });
  return std::move(found.items);
}

Result<std::vector<aws::SecurityGroup>> CaseAccount::groups() const {
  ICECORE_ASSIGN(auto found, plain(ec2_.describe_security_groups({.ids = {}, .filters = filters(kGroupSubject)})));
  return std::move(found.items);
}

Result<std::vector<aws::KeyPair>> CaseAccount::keys() const {
  ICECORE_ASSIGN(auto found, plain(ec2_.describe_key_pairs({.ids = {}, .filters = filters(kKeySubject)})));
  return std::move(found.items);
}

}  // namespace icecore::workstation
