// Split raw images: dd's or FTK's image.001, image.002 …; split(1)'s image.aa, image.ab ….
#include <fmt/format.h>
#include <algorithm>

#include "container/formats.h"

namespace icecore::container {
namespace {

constexpr std::size_t kMostParts = 10'000;

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

std::vector<Path> split_parts(const Path& path) {
  std::string extension = path.extension().string();
  if (extension != ".000" && extension != ".001" && extension != ".0001" && extension != ".aa" && extension != ".aaa") return {};
  extension.erase(0, 1);
  std::vector<Path> parts = {path};
  std::error_code ignored;
  while (parts.size() < kMostParts) {
    extension = next_extension(extension);
    const Path part = Path(path).replace_extension(extension);
    if (extension.empty() || !std::filesystem::is_regular_file(part, ignored)) break;
    parts.push_back(part);
  }
  return parts.size() > 1 ? parts : std::vector<Path>{};
}

Result<Container> open_split(const std::vector<Path>& paths) {
  std::vector<ConcatenatedSource::Part> parts;
  std::uint64_t size = 0;
  for (const Path& path : paths) {
    ICECORE_ASSIGN(auto source, image::FileSource::open(path));
    parts.push_back({size, source});
    size += source->size();
  }
  // A part that is missing in the middle ends the row: then the parts before it do not have one size.
  for (std::size_t i = 1; i + 1 < parts.size(); ++i)
    if (parts[i].source->size() != parts[0].source->size())
      return fail(Code::kCorrupt,
                  fmt::format("{} has another size than {}: the copy of the parts is not whole", paths[i].string(), paths[0].string()));
  return Container{std::make_shared<ConcatenatedSource>(std::move(parts), size, paths.front().string()), "split raw", {}, {}};
}

}  // namespace icecore::container
