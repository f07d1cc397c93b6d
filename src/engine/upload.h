// A local image becomes a snapshot: StartSnapshot, PutSnapshotBlock for every block that is not zeros, CompleteSnapshot. For practice disks, and for
// disks from elsewhere that shall be examined in an account.
#pragma once

#include <map>
#include <string>

#include "engine/workspace.h"
#include "image/block_source.h"

namespace icecore::engine {

struct UploadOptions {
  std::string image;                        ///< as the user named it
  std::uint64_t size_gib = 0;               ///< 0: the image's, rounded up to a GiB (a parent's, where that is larger)
  std::string parent;                       ///< snap-…: only what differs from it is billed; empty: none
  std::string description;                  ///< empty: one that names the image
  std::map<std::string, std::string> tags;  ///< besides icecore's own
};

struct UploadPlan {
  std::uint64_t size_gib = 0;
  std::uint64_t blocks = 0;  ///< to be written
  double dollars = 0;        ///< of the calls
};

struct Uploaded {
  std::string snapshot;
  std::uint64_t size_gib = 0, blocks = 0, sent = 0;  ///< blocks in the snapshot, and how many were sent in this run
  std::string linear_sha256;                         ///< over the blocks' SHA-256s, as AWS confirmed it
};

/// Reads the image through and says what would be sent. Changes nothing.
Result<UploadPlan> plan_upload(Workspace& workspace, const image::BlockSource& source, const UploadOptions& options);

/// Needs an open case, whose ledger names the snapshot: a run that was ended goes on with it and sends only what is missing. Returns when AWS says it
/// is completed. kConflict where the image was changed between two runs.
Result<Uploaded> upload(Workspace& workspace, const image::BlockSource& source, const UploadOptions& options);

}  // namespace icecore::engine
