// What the EBS direct calls share: the request's parts, permission, quotas, and whether a snapshot can be read.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "auth/condition.h"
#include "lab.h"
#include "util/api_error.h"

namespace icelab {

using nlohmann::json;

struct EbsCall {
  Call& call;
  Parameters query;

  // A member of the query; empty when it is not there.
  std::string text(const std::string& name) const;
  // The n-th part of the path, decoded: 1 is "snapshots".
  std::string part(std::size_t n) const;
  // A number in [least, most], or ValidationException.
  std::int64_t number(const std::string& value, const std::string& name, std::int64_t least, std::int64_t most) const;

  void take(const std::string& bucket, const BucketSize& size, bool of_snapshot = false) const;
};

struct ReadableSnapshot {
  std::string id;
  std::int64_t volume_size = 0;  // GiB
  std::shared_ptr<const BlockImage> image;
};

[[noreturn]] void ebs_invalid(const std::string& message, const std::string& reason = "INVALID_PARAMETER_VALUE");

// Looks the snapshot up, asks IAM for ebs:<action>, and refuses what EBS direct does not read: what is unknown, another
// account's, public, archived, pending or broken.
ReadableSnapshot open_snapshot(EbsCall& ebs, const std::string& id);

// Holds the world's lock while it asks IAM about an existing object.
void permit_ebs(EbsCall& ebs, const std::string& id, const json& snapshot, const json& request_tags = json::array());

Reply ebs_json(const std::string& output_shape, const json& body, int status = 200);

// list_blocks.cpp
Reply list_snapshot_blocks(EbsCall& ebs);
Reply list_changed_blocks(EbsCall& ebs);
// get_block.cpp
Reply get_snapshot_block(EbsCall& ebs);
// write_snapshot.cpp
Reply start_snapshot(EbsCall& ebs);
Reply put_snapshot_block(EbsCall& ebs);
Reply complete_snapshot(EbsCall& ebs);

}  // namespace icelab
