// A case in an S3 bucket: every file of it as one object, under Object Lock where that is asked for, read back, with a receipt in the case.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aws/operations.h"
#include "engine/object_upload.h"
#include "engine/workspace.h"

namespace icecore::engine {

struct ArchiveOptions {
  std::string bucket, prefix;             ///< s3://bucket/prefix
  std::uint32_t retain_days = 0;          ///< 0: no retention is asked for
  std::optional<Timestamp> retain_until;  ///< instead of days
  std::string mode = "GOVERNANCE";        ///< or COMPLIANCE
  bool wants_lock() const { return retain_days > 0 || retain_until.has_value(); }
};

/// "s3://bucket/some/prefix" into its parts. kInvalidArgument says what is wrong with it.
Result<void> read_destination(const std::string& uri, ArchiveOptions& options);

/// kInvalidArgument where the day until which it shall be kept is not in the future.
Result<void> check_retention(const ArchiveOptions& options, const Clock& clock);

/// The case as its last run closed and signed it. This is what is stored: what the archiving run itself adds to ledger and signatures comes later.
struct SealedCase {
  struct File {
    std::string path;
    std::string sha256;  ///< hex; empty for an image that is still being filled
    std::uint64_t size = 0;
    bool image = false;  ///< stored as .zst
  };
  Path folder;
  std::string id;
  std::string manifest, manifest_signature;
  std::vector<File> files;  ///< in the order in which they are stored; the manifest and its signature come after them
  std::uint64_t bytes = 0;
};

/// kConflict where the last run did not end, so that there is no manifest.
Result<SealedCase> read_sealed_case(const Path& folder);

struct ArchivePlan {
  std::string destination;
  std::uint64_t objects = 0, bytes = 0, most_parts = 0;
  std::vector<aws::PlannedCall> calls;
};

/// What archiving would do. Asks AWS about the bucket only, and fails as the real run would. Changes nothing.
Result<ArchivePlan> plan_archive(Workspace& workspace, const SealedCase& sealed, const ArchiveOptions& options);

struct Archived {
  std::string destination;
  std::uint64_t objects = 0, already_there = 0, bytes = 0, sent = 0;
  std::optional<aws::ObjectRetention> retention;
  std::string receipt;  ///< its path in the case
};

/// Needs the open case. Goes on where a killed run stopped. Errors: kNotFound no such bucket, kInvalidArgument another region or a retention in the
/// past, kConflict no Object Lock where it was asked for (nothing is uploaded then), kPermission with the action, kIntegrity where a file is not what
/// the manifest says or an object not what was sent.
Result<Archived> archive(Workspace& workspace, const SealedCase& sealed, const ArchiveOptions& options);

}  // namespace icecore::engine
