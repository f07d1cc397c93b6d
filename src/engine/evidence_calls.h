// Calls whose replies are evidence: each body is kept verbatim in the case, and a resumed run reads it from there instead of asking again.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/xml.h"
#include "engine/workspace.h"

namespace icecore::engine {

/// Bodies of a call kept verbatim as `base`.EXTENSION, `base`.page-2.EXTENSION, … in the case. Where they are there already, they are read from
/// there; else `fetch` asks AWS. `source` says in the ledger where they came from.
Result<std::vector<std::string>> keep_bodies(evidence::CaseFolder& folder, const std::string& base, std::string_view extension,
                                             std::string_view source, const std::function<Result<std::vector<std::string>>()>& fetch);

/// Not thread-safe.
class EvidenceCalls {
 public:
  /// `folder` is the place in the case for this subject: "instances/i-…". Both outlive it.
  EvidenceCalls(Workspace& workspace, aws::Ec2& ec2, std::string folder) : workspace_(workspace), ec2_(ec2), folder_(std::move(folder)) {}

  /// All pages of an EC2 Describe call, kept as FOLDER/NAME.xml (NAME.page-2.xml, …).
  Result<std::vector<std::string>> describe(std::string_view action, const aws::Parameters& parameters, std::string_view name);

  /// The same where a refusal shall not stop the collection: it becomes an anomaly ("collect.call"), and the result is empty. Errors that no later
  /// call could survive (credentials, interruption, network, local disk) are returned.
  Result<std::vector<std::string>> try_describe(std::string_view action, const aws::Parameters& parameters, std::string_view name);

  const std::string& folder() const { return folder_; }
  Workspace& workspace() { return workspace_; }
  aws::Ec2& ec2() { return ec2_; }

 private:
  Workspace& workspace_;
  aws::Ec2& ec2_;
  const std::string folder_;
};

/// Whether this file is already in the case, as the ledger says.
bool is_collected(const evidence::CaseFolder& folder, const std::string& relative);

/// True where going on to the next call makes sense.
bool collection_goes_on(Code code);

/// The items of a set ("volumeSet") in the bodies of a Describe call, read as T.
template <typename T>
Result<std::vector<T>> items_of(const std::vector<std::string>& bodies, const char* set, std::string_view what) {
  std::vector<T> items;
  for (const std::string& body : bodies) {
    ICECORE_ASSIGN(const aws::XmlReply reply, aws::parse_xml(body, what));
    for (const pugi::xml_node item : reply.root.child(set).children("item")) aws::read_item(item, items.emplace_back());
  }
  return items;
}

}  // namespace icecore::engine
