// Inodes that no name leads to: deleted files, and orphans of a damaged directory.
#pragma once

#include <vector>

#include "fs/file_table.h"

namespace icecore::timeline {

/// Files of the table without any name, ascending; the root is not among them, nor are inodes that hold nothing (type unknown and no times).
std::vector<const fs::FileInfo*> nameless_files(const fs::FileTable& table);

}  // namespace icecore::timeline
