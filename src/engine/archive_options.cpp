#include <fmt/format.h>
#include <algorithm>

#include "core/text.h"
#include "engine/archive.h"

namespace icecore::engine {

Result<void> read_destination(const std::string& uri, ArchiveOptions& options) {
  constexpr std::string_view kScheme = "s3://";
  if (!uri.starts_with(kScheme)) return fail(Code::kInvalidArgument, fmt::format("'{}' is no s3://bucket/prefix", printable(uri)));
  const std::string rest = uri.substr(kScheme.size());
  const std::size_t slash = rest.find('/');
  options.bucket = rest.substr(0, slash);
  options.prefix = slash == std::string::npos ? "" : rest.substr(slash + 1);
  while (options.prefix.ends_with('/')) options.prefix.pop_back();
  const bool named = options.bucket.size() >= 3 && options.bucket.size() <= 63 &&
                     options.bucket.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") == std::string::npos;
  if (!named) return fail(Code::kInvalidArgument, fmt::format("'{}' is no name of a bucket (3 to 63 of a-z 0-9 . -)", printable(options.bucket)));
  const bool odd = std::ranges::any_of(options.prefix, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  if (options.prefix.starts_with('/') || odd || options.prefix.size() > 512 || valid_utf8(options.prefix) != options.prefix)
    return fail(Code::kInvalidArgument, fmt::format("'{}' cannot be a prefix of keys", printable(options.prefix)));
  return {};
}

Result<void> check_retention(const ArchiveOptions& options, const Clock& clock) {
  if (!options.retain_until || options.retain_until->seconds > clock.now().seconds) return {};
  return fail(Code::kInvalidArgument,
              fmt::format("the case shall be kept until {}, which is past; nothing was uploaded", to_iso8601({options.retain_until->seconds, 0}, 0)));
}

}  // namespace icecore::engine
