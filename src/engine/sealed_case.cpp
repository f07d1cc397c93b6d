#include <fmt/format.h>
#include <algorithm>

#include "engine/archive.h"
#include "evidence/checkpoint.h"
#include "evidence/manifest.h"

namespace icecore::engine {
namespace {

constexpr std::string_view kLedger = "ledger.jsonl";

bool is_image(std::string_view path) { return path.starts_with("snapshots/") && path.ends_with("/image.raw"); }

// Evidence first, small before large; then what vouches for it.
int rank(const SealedCase::File& file) {
  if (file.path.starts_with("signatures/")) return 3;
  return file.path == kLedger ? 2 : file.image ? 1 : 0;
}

Result<std::uint64_t> size_of(const Path& path) {
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(path, error);
  if (error) return errno_failure(error.value(), "look at", path);
  return size;
}

}  // namespace

Result<SealedCase> read_sealed_case(const Path& folder) {
  SealedCase sealed;
  sealed.folder = folder;
  ICECORE_ASSIGN(const std::string identity, read_text_file(folder / "case.json"));
  ICECORE_ASSIGN(const Json json, parse_json(identity, "case.json"));
  sealed.id = text_at(json, "case");
  if (sealed.id.empty()) return fail(Code::kCorrupt, fmt::format("{}: names no case", (folder / "case.json").string()));
  if (!std::filesystem::exists(folder / evidence::kManifestFile))
    return fail(Code::kConflict, fmt::format("{} has no {}: its last run did not end", folder.string(), evidence::kManifestFile));
  ICECORE_ASSIGN(sealed.manifest, read_text_file(folder / evidence::kManifestFile));
  ICECORE_ASSIGN(sealed.manifest_signature, read_text_file(folder / evidence::kManifestSignature));
  ICECORE_ASSIGN(const evidence::ManifestContent content, evidence::parse_manifest(sealed.manifest));
  for (const evidence::ManifestLine& line : content.files) sealed.files.push_back({line.path, line.sha256, 0, is_image(line.path)});
  for (const auto& [path, reason] : content.left_out) sealed.files.push_back({path, "", 0, is_image(path)});
  for (SealedCase::File& file : sealed.files) {
    ICECORE_ASSIGN(file.size, size_of(folder / file.path));
    sealed.bytes += file.size;
  }
  std::ranges::stable_sort(sealed.files, [](const auto& a, const auto& b) {
    const int ra = rank(a), rb = rank(b);
    return ra != rb ? ra < rb : ra == 0 && a.size != b.size ? a.size < b.size : a.path < b.path;
  });
  return sealed;
}

}  // namespace icecore::engine
