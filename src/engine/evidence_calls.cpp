#include "engine/evidence_calls.h"

#include <fmt/format.h>

namespace icecore::engine {

bool is_collected(const evidence::CaseFolder& folder, const std::string& relative) { return folder.ledger().summary().files().contains(relative); }

bool collection_goes_on(Code code) {
  return code == Code::kPermission || code == Code::kNotFound || code == Code::kRemote || code == Code::kUnsupported;
}

std::string EvidenceCalls::page_file(std::string_view name, std::string_view extension, std::size_t page) const {
  return page == 1 ? fmt::format("{}/{}.{}", folder_, name, extension) : fmt::format("{}/{}.page-{}.{}", folder_, name, page, extension);
}

Result<std::vector<std::string>> EvidenceCalls::keep(std::string_view name, std::string_view extension, std::string_view source, const Fetch& fetch) {
  evidence::CaseFolder& folder = workspace_.folder();
  std::vector<std::string> bodies;
  if (is_collected(folder, page_file(name, extension, 1))) {
    for (std::size_t page = 1; is_collected(folder, page_file(name, extension, page)); ++page) {
      ICECORE_ASSIGN(bodies.emplace_back(), folder.read(page_file(name, extension, page)));
    }
    return bodies;
  }
  ICECORE_ASSIGN(bodies, fetch());
  // The first page last: where it is there, all are. A run that was killed in between writes the later pages anew.
  for (std::size_t page = bodies.size(); page > 0; --page)
    ICECORE_CHECK(folder.write_evidence(page_file(name, extension, page), bodies[page - 1], source,
                                        page == 1 ? evidence::Existing::kKeep : evidence::Existing::kReplace));
  return bodies;
}

Result<std::vector<std::string>> EvidenceCalls::describe(std::string_view action, const aws::Parameters& parameters, std::string_view name) {
  return keep(name, "xml", fmt::format("ec2 {} in {}", action, ec2_.region()), [&]() -> Result<std::vector<std::string>> {
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
