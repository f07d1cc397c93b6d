#include "ebs/route.h"

#include "util/encoding.h"

namespace icelab {

std::string ebs_action(const Request& request) {
  const auto parts = split(request.path, '/');  // "", "snapshots", id, …
  const std::string& method = request.method;
  if (parts.size() == 2 && method == "POST") return "StartSnapshot";
  if (parts.size() == 4 && parts[2] == "completion" && method == "POST") return "CompleteSnapshot";
  if (parts.size() == 4 && parts[3] == "blocks" && method == "GET") return "ListSnapshotBlocks";
  if (parts.size() == 4 && parts[3] == "changedblocks" && method == "GET") return "ListChangedBlocks";
  if (parts.size() == 5 && parts[3] == "blocks" && method == "GET") return "GetSnapshotBlock";
  if (parts.size() == 5 && parts[3] == "blocks" && method == "PUT") return "PutSnapshotBlock";
  return {};
}

}  // namespace icelab
