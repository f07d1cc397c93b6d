#include "artefact/user_data.h"

#include <algorithm>
#include <optional>

#include "artefact/gzip.h"
#include "artefact/mime.h"
#include "artefact/scan.h"
#include "core/hash.h"
#include "core/text.h"

namespace icecore::artefact {
namespace {

using Kind = UserDataPart::Kind;
constexpr int kDeepest = 8;
constexpr std::uint64_t kMostWork = 64 << 20;  // bytes looked at, over all levels: layers of bombs stay bounded
constexpr std::size_t kMostParts = 256;
constexpr std::uint64_t kMostBytes = 16 << 20;

struct Known {
  std::string_view begins, content_type, name;
  Kind kind;
};
// cloud-init, "User-data formats"; the content type is what a MIME part says instead of the first line.
constexpr Known kKnown[] = {
    {"#!", "text/x-shellscript", "script", Kind::kScript},
    {"#cloud-config", "text/cloud-config", "cloud-config", Kind::kCloudConfig},
    {"#include", "text/x-include-url", "include", Kind::kInclude},
    {"#cloud-boothook", "text/cloud-boothook", "boot hook", Kind::kBootHook},
    {"#upstart-job", "text/upstart-job", "upstart job", Kind::kUpstartJob},
    {"#part-handler", "text/part-handler", "part handler", Kind::kPartHandler},
    {"## template: jinja", "text/jinja2", "jinja template", Kind::kJinja},
    {"<powershell>", "text/x-powershell", "PowerShell script", Kind::kPowerShell},
};

const Known* known_by_text(std::string_view text) {
  const auto found = std::ranges::find_if(kKnown, [&](const Known& known) { return text.starts_with(known.begins); });
  return found == std::ranges::end(kKnown) ? nullptr : &*found;
}

const Known* known_by_type(std::string_view type) {
  const auto found = std::ranges::find_if(kKnown, [&](const Known& known) { return type == known.content_type; });
  return found == std::ranges::end(kKnown) ? nullptr : &*found;
}

class Unpacker {
 public:
  explicit Unpacker(std::string_view raw) : raw_(raw) {}

  void add(std::string_view text, std::string_view type, std::string_view name, int depth) {
    if (parts_.size() >= kMostParts || bytes_ > kMostBytes) return;
    work_ += text.size() + 1024;
    if (depth < kDeepest && work_ < kMostWork) {
      if (is_gzip(as_bytes(text))) return add(gunzip(as_bytes(text), kMostBytes - std::min(bytes_, kMostBytes)).text, type, name, depth + 1);
      if (known_by_text(text) == nullptr && known_by_type(type) == nullptr) {
        if (const auto mime = parse_mime(text)) return add_mime(*mime, depth);
        if (const auto decoded = whole_base64(text)) return add(*decoded, type, name, depth + 1);
      }
    }
    UserDataPart part;
    const Known* known = known_by_type(type);
    if (known == nullptr) known = known_by_text(text);
    if (known != nullptr) part.kind = known->kind;
    part.content_type = known != nullptr ? std::string(known->content_type) : std::string(type);
    part.file_name = std::string(name);
    part.content = std::string(text);
    if (const std::size_t at = raw_.find(text); !text.empty() && at != std::string_view::npos) part.offset = at;
    bytes_ += part.content.size();
    parts_.push_back(std::move(part));
  }
  std::vector<UserDataPart> take() { return std::move(parts_); }

 private:
  void add_mime(const std::vector<MimePart>& mime, int depth) {
    for (const MimePart& part : mime) add(part.content, part.content_type, part.file_name, depth + 1);
  }
  // The EC2 API hands user-data out in base64, and some people encode it once more.
  static std::optional<std::string> whole_base64(std::string_view text) {
    std::string compact;
    for (const char c : text)
      if (c != '\n' && c != '\r' && c != ' ') compact += c;
    if (compact.size() < 8) return std::nullopt;
    const auto decoded = from_base64(compact);
    if (!decoded) return std::nullopt;
    const std::string_view plain = as_text(*decoded);
    // A word in plain text may be valid base64 too: take it only for something that makes sense.
    const bool sensible =
        is_gzip(*decoded) || known_by_text(plain) != nullptr || parse_mime(plain).has_value() ||
        (is_valid_utf8(plain) && std::ranges::none_of(plain, [](char c) { return c >= 0 && c < 0x20 && c != '\n' && c != '\t' && c != '\r'; }));
    return sensible ? std::optional(std::string(plain)) : std::nullopt;
  }

  std::string_view raw_;
  std::vector<UserDataPart> parts_;
  std::uint64_t bytes_ = 0;
  std::uint64_t work_ = 0;
};

// Items under "runcmd:" and "bootcmd:" as they are written; block texts go on while they are indented deeper.
std::vector<std::string> cloud_config_commands(std::string_view text) {
  std::vector<std::string> commands;
  bool inside = false;
  for (const std::string_view line : split_lines(text)) {
    const std::string_view plain = trim(line);
    if (plain.empty() || plain.front() == '#') continue;
    const std::size_t indent = line.find_first_not_of(" \t");
    if (indent == 0 && plain.front() != '-') {
      inside = plain.starts_with("runcmd:") || plain.starts_with("bootcmd:");
      const std::string_view rest = trim(plain.substr(std::min(plain.find(':') + 1, plain.size())));
      if (inside && !rest.empty()) commands.emplace_back(rest);
      continue;
    }
    if (!inside) continue;
    if (plain.front() == '-' && plain.size() > 1 && plain[1] == ' ')
      commands.emplace_back(trim(plain.substr(1)));
    else if (!commands.empty())
      commands.back().append("\n").append(plain);
    else
      commands.emplace_back(plain);
  }
  return commands;
}

}  // namespace

std::string_view kind_name(UserDataPart::Kind kind) {
  const auto found = std::ranges::find(kKnown, kind, &Known::kind);
  return found == std::ranges::end(kKnown) ? "other" : found->name;
}

std::vector<UserDataPart> unpack_user_data(std::string_view raw) {
  if (trim(raw).empty()) return {};
  Unpacker unpacker(raw);
  unpacker.add(raw, "", "", 0);
  return unpacker.take();
}

std::vector<std::string> user_data_commands(const UserDataPart& part) {
  if (part.kind == Kind::kCloudConfig) return cloud_config_commands(part.content);
  std::vector<std::string> commands;
  if (part.kind != Kind::kScript && part.kind != Kind::kBootHook && part.kind != Kind::kPowerShell && part.kind != Kind::kJinja) return commands;
  for (const std::string_view line : split_lines(part.content)) {
    const std::string_view plain = trim(line);
    if (!plain.empty() && plain.front() != '#') commands.emplace_back(plain);
  }
  return commands;
}

}  // namespace icecore::artefact
