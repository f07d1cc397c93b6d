// Split raw images: dd's or FTK's image.001, image.002 …; split(1)'s image.aa, image.ab ….
#include <fmt/format.h>
#include <algorithm>
#include <optional>

#include "container/formats.h"

namespace icecore::container {
namespace {

constexpr std::size_t kMostParts = 10'000;
constexpr std::size_t kLookAhead = 100;  // behind a part that is not there, for one that is

// "009" → "010", "az" → "ba"; empty after the last.
std::string next_extension(std::string extension) {
  for (std::size_t i = extension.size(); i-- > 0;) {
    char& letter = extension[i];
    if (letter != '9' && letter != 'z') {
      ++letter;
      return extension;
    }
    letter = letter == '9' ? '0' : 'a';
  }
  return "";
}

class ConcatenatedSource final : public image::BlockSource {
 public:
  struct Part {
    std::uint64_t begin;
    image::SourcePtr source;
  };
  ConcatenatedSource(std::vector<Part> parts, std::uint64_t size, std::string name) : parts_(std::move(parts)), size_(size), name_(std::move(name)) {}

  std::uint64_t size() const override { return size_; }
  std::string name() const override { return name_; }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
    ICECORE_CHECK(image::check_range(offset, out.size(), size_, name_));
    auto part = std::ranges::upper_bound(parts_, offset, {}, &Part::begin) - 1;
    while (!out.empty()) {
      const std::uint64_t within = offset - part->begin;
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), part->source->size() - within));
      ICECORE_CHECK(part->source->read(within, out.first(count)));
      offset += count;
      out = out.subspan(count);
      ++part;
    }
    return {};
  }

 private:
  const std::vector<Part> parts_;  // ascending, none empty
  const std::uint64_t size_;
  const std::string name_;
};

}  // namespace

Result<std::vector<Path>> split_parts(const Path& path) {
  std::string extension = path.extension().string();
  std::vector<Path> parts = {path};
  if (extension != ".000" && extension != ".001" && extension != ".0001" && extension != ".aa" && extension != ".aaa") return std::vector<Path>{};
  extension.erase(0, 1);
  std::error_code ignored;
  std::optional<Path> missing;
  std::size_t ahead = 0;
  while (parts.size() < kMostParts && ahead < kLookAhead) {
    extension = next_extension(extension);
    if (extension.empty()) break;
    const Path part = Path(path).replace_extension(extension);
    const bool here = std::filesystem::is_regular_file(part, ignored);
    if (here && missing)
      return fail(Code::kCorrupt, fmt::format("{} is missing, and {} is here: the copy of the parts is not whole", missing->string(), part.string()));
    if (here) {
      parts.push_back(part);
      continue;
    }
    if (!missing) missing = part;
    ++ahead;
  }
  return parts.size() > 1 ? std::move(parts) : std::vector<Path>{};
}

Result<Container> open_split(const std::vector<Path>& paths) {
  std::vector<ConcatenatedSource::Part> parts;
  std::uint64_t size = 0;
  for (const Path& path : paths) {
    ICECORE_ASSIGN(auto source, image::FileSource::open(path));
    parts.push_back({size, source});
    size += source->size();
  }
  // All but the last have one size, or one was cut.
  for (std::size_t i = 1; i + 1 < parts.size(); ++i)
    if (parts[i].source->size() != parts[0].source->size())
      return fail(Code::kCorrupt,
                  fmt::format("{} has another size than {}: the copy of the parts is not whole", paths[i].string(), paths[0].string()));
  return Container{std::make_shared<ConcatenatedSource>(std::move(parts), size, paths.front().string()), "split raw", {}, {}};
}

}  // namespace icecore::container
