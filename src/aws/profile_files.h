// ~/.aws/config and ~/.aws/credentials: the INI dialect of the AWS CLI (nested blocks by indentation, `profile x`, `sso-session x`, `services x`).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "aws/environment.h"
#include "core/file.h"
#include "core/result.h"

namespace icecore::aws {

/// One [section]: keys in lower case; a nested block's keys are "parent.child".
using Section = std::map<std::string, std::string, std::less<>>;
using IniFile = std::map<std::string, Section, std::less<>>;

/// `name` is the file's name for messages. Values are never quoted in errors. Bounded to 4 MiB by the caller's read.
Result<IniFile> parse_ini(std::string_view text, std::string_view name);

struct ProfileFiles {
  Path config_path, credentials_path;
  /// By profile name (without "profile "). `services` by their own name.
  std::map<std::string, Section, std::less<>> config, credentials, services;

  bool has_profile(std::string_view name) const;
  /// The profile's setting out of both files; the credentials file wins, as in botocore (session.full_config).
  std::optional<std::string> setting(std::string_view profile, std::string_view name) const;
};

/// Honours AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE and HOME. A file that is missing is empty; one that cannot be read or parsed is an error.
Result<ProfileFiles> read_profile_files(const Environment& environment);

}  // namespace icecore::aws
