#include "aws/profile_files.h"

#include <fmt/format.h>

#include "core/text.h"

namespace icecore::aws {
namespace {

constexpr std::uint64_t kFileLimit = std::uint64_t{4} << 20;

/// Python's configparser with botocore's nested blocks (configloader.py): full-line comments by # and ;, `=` or `:`, indented lines go on with the
/// value above, and under an empty value they are a block of `name = value`.
class IniParser {
 public:
  explicit IniParser(std::string_view name) : name_(name) {}

  Result<IniFile> parse(std::string_view text) {
    for (const std::string_view raw : split_lines(text)) {
      ++line_;
      ICECORE_CHECK(take(raw));
    }
    return std::move(file_);
  }

 private:
  Result<void> take(std::string_view raw) {
    const std::string_view line = trim_end(raw);
    const std::string_view content = trim(line);
    if (content.empty() || content.front() == '#' || content.front() == ';') return {};
    const std::size_t indent = static_cast<std::size_t>(content.data() - raw.data());
    if (section_ != nullptr && !key_.empty() && indent > key_indent_) return continue_value(content);
    if (content.front() == '[') return open_section(content);
    return open_key(content, indent);
  }

  static std::string_view trim_end(std::string_view line) { return line.substr(0, line.find_last_not_of(" \t\r\n\f\v") + 1); }

  Result<void> open_section(std::string_view content) {
    const std::size_t close = content.rfind(']');
    if (close == std::string_view::npos || close < 2) return wrong("a section header that does not end in ']'");
    section_ = &file_[std::string(content.substr(1, close - 1))];
    key_.clear();
    return {};
  }

  Result<void> open_key(std::string_view content, std::size_t indent) {
    if (section_ == nullptr) return wrong("a setting before the first [section]");
    const std::size_t separator = content.find_first_of("=:");
    if (separator == std::string_view::npos || separator == 0) return wrong("neither [section], 'name = value' nor a comment");
    key_ = to_lower(trim(content.substr(0, separator)));
    key_indent_ = indent;
    const std::string_view value = trim(content.substr(separator + 1));
    nested_ = value.empty();
    (*section_)[key_] = value;
    return {};
  }

  Result<void> continue_value(std::string_view content) {
    if (!nested_) {
      std::string& value = (*section_)[key_];
      value += '\n';
      value += content;
      return {};
    }
    const std::size_t separator = content.find('=');
    if (separator == std::string_view::npos) return wrong("an indented line that is not 'name = value'");
    (*section_)[key_ + '.' + to_lower(trim(content.substr(0, separator)))] = trim(content.substr(separator + 1));
    return {};
  }

  /// The line itself may hold a secret, so only its number is told.
  Result<void> wrong(std::string_view what) const { return fail(Code::kInvalidArgument, fmt::format("{} line {}: {}", name_, line_, what)); }

  std::string_view name_;
  IniFile file_;
  Section* section_ = nullptr;
  std::string key_;
  std::size_t key_indent_ = 0;
  bool nested_ = false;
  std::size_t line_ = 0;
};

/// `profile x` → x, `profile "x y"` → x y; nothing where `kind` does not stand before it.
std::optional<std::string> named_section(std::string_view header, std::string_view kind) {
  if (!header.starts_with(kind) || header.size() <= kind.size()) return std::nullopt;
  const char next = header[kind.size()];
  if (next != ' ' && next != '\t') return std::nullopt;
  std::string_view name = trim(header.substr(kind.size()));
  if (name.size() >= 2 && (name.front() == '"' || name.front() == '\'') && name.back() == name.front()) name = name.substr(1, name.size() - 2);
  if (name.empty()) return std::nullopt;
  return std::string(name);
}

void sort_config_sections(IniFile&& file, ProfileFiles& into) {
  for (auto& [header, section] : file) {
    if (auto profile = named_section(header, "profile")) {
      into.config[*profile] = std::move(section);
    } else if (auto services = named_section(header, "services")) {
      into.services[*services] = std::move(section);
    } else if (header == "default") {
      into.config.try_emplace("default", std::move(section));
    }
  }
}

Path expanded(const Environment& environment, const std::string& text) {
  if (text != "~" && !text.starts_with("~/")) return text;
  const auto home = non_empty(environment, "HOME");
  return home ? Path(*home + text.substr(1)) : Path(text);
}

Result<IniFile> read_ini(const Path& path) {
  auto text = read_text_file(path, kFileLimit);
  if (!text && text.error().code == Code::kNotFound) return IniFile{};
  if (!text) return Failure(std::move(text).error());
  return parse_ini(*text, path.string());
}

}  // namespace

Result<IniFile> parse_ini(std::string_view text, std::string_view name) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return IniParser(name).parse(text);
}

bool ProfileFiles::has_profile(std::string_view name) const { return config.contains(name) || credentials.contains(name); }

std::optional<std::string> ProfileFiles::setting(std::string_view profile, std::string_view name) const {
  for (const auto* file : {&credentials, &config}) {
    const auto section = file->find(profile);
    if (section == file->end()) continue;
    const auto value = section->second.find(name);
    if (value != section->second.end()) return value->second;
  }
  return std::nullopt;
}

Result<ProfileFiles> read_profile_files(const Environment& environment) {
  ProfileFiles files;
  files.config_path = expanded(environment, non_empty(environment, "AWS_CONFIG_FILE").value_or("~/.aws/config"));
  files.credentials_path = expanded(environment, non_empty(environment, "AWS_SHARED_CREDENTIALS_FILE").value_or("~/.aws/credentials"));
  ICECORE_ASSIGN(IniFile config, read_ini(files.config_path));
  ICECORE_ASSIGN(files.credentials, read_ini(files.credentials_path));
  sort_config_sections(std::move(config), files);
  return files;
}

}  // namespace icecore::aws
