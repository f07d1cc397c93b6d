// Paths inside a case: never out of it, never through a link.
#pragma once

#include <string>
#include <string_view>

#include "core/file.h"

namespace icecore::evidence {

/// A path inside a case as we write them: '/'-separated UTF-8, no empty part, no `.` or `..`, no NUL, not absolute. kInvalidArgument says which.
Result<std::string> checked_relative(std::string_view relative);

/// Opens a regular file below `folder`, part by part, without following a link anywhere. kConflict for a link or anything that is no file.
Result<FileDescriptor> open_beneath(const Path& folder, std::string_view relative);

/// Makes the folders (0700) above `folder`/`relative`; kConflict where one of them is a link or a file.
Result<void> make_parents(const Path& folder, std::string_view relative);

}  // namespace icecore::evidence
