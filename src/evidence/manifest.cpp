#include "evidence/manifest.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>

#include "core/hash.h"
#include "core/text.h"
#include "evidence/case_path.h"
#include "evidence/checkpoint.h"

namespace icecore::evidence {
namespace {

constexpr std::string_view kHeader = "# In the case's folder: sha256sum -c MANIFEST.sha256\n";
constexpr std::string_view kLeftOut = "# left out: ";

// coreutils 9, digest.c: a backslash, newline or carriage return in a name is escaped, and the line then begins with a backslash.
std::string escape(std::string_view path) {
  std::string escaped;
  for (const char c : path) {
    switch (c) {
      case '\\': escaped += "\\\\"; break;
      case '\n': escaped += "\\n"; break;
      case '\r': escaped += "\\r"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

std::string unescape(std::string_view text) {
  std::string path;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      path += text[i];
      continue;
    }
    ++i;
    path += text[i] == 'n' ? '\n' : text[i] == 'r' ? '\r' : text[i];
  }
  return path;
}

void parse_line(std::string_view line, std::uint64_t number, ManifestContent& content) {
  if (line.starts_with(kLeftOut)) {
    const std::string_view rest = line.substr(kLeftOut.size());
    const std::size_t separator = rest.find(": ");
    if (separator != std::string_view::npos) content.left_out.emplace(unescape(rest.substr(0, separator)), std::string(rest.substr(separator + 2)));
    return;
  }
  const bool escaped = line.starts_with('\\');
  if (escaped) line.remove_prefix(1);
  if (line.size() < 67 || line.starts_with('#')) return;
  const std::string_view name = line.substr(66);
  content.files.push_back({std::string(line.substr(0, 64)), escaped ? unescape(name) : std::string(name), number});
}

// The number of the first line in which two texts differ.
std::uint64_t first_difference(std::string_view a, std::string_view b) {
  const auto [at, other] = std::ranges::mismatch(a, b);
  return 1 + static_cast<std::uint64_t>(std::count(a.begin(), at, '\n'));
}

bool is_excluded(std::string_view relative) { return relative == kManifestFile || relative == kManifestSignature || relative == ".lock"; }

}  // namespace

std::string format_manifest_line(std::string_view sha256, std::string_view path) {
  const std::string escaped = escape(path);
  return fmt::format("{}{}  {}\n", escaped == path ? "" : "\\", sha256, escaped);
}

std::string format_manifest(const ManifestContent& content) {
  std::string text(kHeader);
  for (const auto& [path, reason] : content.left_out) text += fmt::format("{}{}: {}\n", kLeftOut, escape(path), escape(reason));
  for (const ManifestLine& file : content.files) text += format_manifest_line(file.sha256, file.path);
  return text;
}

Result<ManifestContent> parse_manifest(std::string_view text) {
  ManifestContent content;
  std::uint64_t number = 0;
  for (const std::string_view line : split_lines(text)) parse_line(line, ++number, content);
  if (!std::ranges::is_sorted(content.files, {}, &ManifestLine::path)) {
    const auto out = std::ranges::is_sorted_until(content.files, {}, &ManifestLine::path);
    return fail(Code::kIntegrity, fmt::format("{} line {} is out of order", kManifestFile, out->line));
  }
  const std::string canonical = format_manifest(content);
  if (canonical != text)
    return fail(Code::kIntegrity, fmt::format("{} line {} is not as icecore writes it", kManifestFile, first_difference(text, canonical)));
  return content;
}

Result<std::vector<CaseFile>> list_case(const Path& folder) {
  std::vector<CaseFile> files;
  std::error_code error;
  std::filesystem::recursive_directory_iterator walk(folder, error);
  for (; !error && walk != std::filesystem::recursive_directory_iterator(); walk.increment(error)) {
    const std::filesystem::file_status status = walk->symlink_status(error);
    if (error) break;
    if (status.type() == std::filesystem::file_type::directory) continue;
    const std::string relative = walk->path().lexically_relative(folder).string();
    if (is_excluded(relative)) continue;
    const bool regular = status.type() == std::filesystem::file_type::regular;
    files.push_back({relative, regular ? walk->file_size(error) : 0, regular});
    if (error) break;
  }
  if (error) return errno_failure(error.value(), "list", folder);
  std::ranges::sort(files, {}, &CaseFile::path);
  return files;
}

Result<std::string> hash_beneath(const Path& folder, std::string_view relative) {
  ICECORE_ASSIGN(const FileDescriptor file, open_beneath(folder, relative));
  ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  Sha256 hash;
  Bytes piece(std::size_t{1} << 18);
  for (;;) {
    const ssize_t count = ::read(file.get(), piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_failure(errno, "read", folder / relative);
    if (count == 0) return to_hex(hash.finish());
    hash.update(ByteView(piece).first(static_cast<std::size_t>(count)));
  }
}

}  // namespace icecore::evidence
