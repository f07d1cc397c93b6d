#include "engine/evidence_calls.h"

#include <fmt/format.h>

namespace icecore::engine {

bool is_collected(const evidence::CaseFolder& folder, const std::string& relative) { return folder.ledger().summary().files().contains(relative); }

bool collection_goes_on(Code code) {
  return code == Code::kPermission || code == Code::kNotFound || code == Code::kRemote || code == Code::kUnsupported;
}

Result<std::vector<std::string>> keep_bodies(evidence::CaseFolder& folder, const std::string& base, std::string_view extension,
                                             std::string_view source, const std::function<Result<std::vector<std::string>>()>& fetch) {
  const auto file = [&](std::size_t page) {
    return page == 1 ? fmt::format("{}.{}", base, extension) : fmt::format("{}.page-{}.{}", base, page, extension);
  };
  std::vector<std::string> bodies;
  if (is_collected(folder, file(1))) {
    for (std::size_t page = 1; is_collected(folder, file(page)); ++page) {
      ICECORE_ASSIGN(bodies.emplace_back(), folder.read(file(page)));
    }
    return bodies;
  }
  ICECORE_ASSIGN(bodies, fetch());
  // The first page last: where it is there, all are. A run that was killed in between writes the later pages anew.
  for (std::size_t page = bodies.size(); page > 0; --page)
    ICECORE_CHECK(folder.write_evidence(file(page), bodies[page - 1], source, page == 1 ? evidence::Existing::kKeep : evidence::Existing::kReplace));
  return bodies;
}

Result<std::vector<std::string>> EvidenceCalls::describe(std::string_view action, const aws::Parameters& parameters, std::string_view name) {
  const std::string source = fmt::format("ec2 {} in {}", action, ec2_.region());
  return keep_bodies(workspace_.folder(), fmt::format("{}/{}", folder_, name), "xml", source, [&]() -> Result<std::vector<std::string>> {
    auto pages = ec2_.pages(action, parameters);
    if (!pages) return Failure(static_cast<const Error&>(pages.error()));
    return std::move(*pages);
  });
}

Result<std::vector<std::string>> EvidenceCalls::try_describe(std::string_view action, const aws::Parameters& parameters, std::string_view name) {
  auto pages = describe(action, parameters, name);
  if (pages || !collection_goes_on(pages.error().code)) return pages;
  workspace_.anomalies().add("collect.call", pages.error());
  return std::vector<std::string>{};
}

}  // namespace icecore::engine
