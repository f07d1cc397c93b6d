// A file of the evidence as the examiner's kernel may see it: harmless, and nothing else changed. Internal to mount/.
#pragma once

#include <sys/stat.h>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fs/filesystem.h"

namespace icecore::mount {

/// Regular files, folders and links stay; devices, sockets, fifos and what has no known type become empty regular files. Set-id bits are off. Times
/// to the nanosecond. st_ino is left at the inode's own number.
struct stat attributes_of(const fs::FileInfo& info);

/// "character device", …; empty for what is shown as it is.
std::string_view special_type(fs::FileType type);

struct Attribute {
  std::string name;
  std::string value;
};

/// What the mount tells about a file besides stat: `user.icecore.type` and `.device` ("8:1") of special files, `.mode` where set-id bits were
/// taken away ("104755", octal), `.born`.
std::vector<Attribute> own_attributes(const fs::FileInfo& info);

/// The name under which an attribute of the evidence is shown: user.* as it is, all others (security.*, trusted.*, system.*, and user.icecore.*,
/// which is ours) below user.icecore.xattr. — they must not grant or deny anything here.
std::string shown_name(std::string_view evidence_name);

/// False for names that the mount never shows; spares reading the inode when a kernel asks for security.* and ACLs.
inline bool may_be_shown(std::string_view name) { return name.starts_with("user."); }

}  // namespace icecore::mount
