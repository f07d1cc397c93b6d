#include "detect/heuristics/program_text.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "core/bytes.h"
#include "detect/evidence.h"

namespace icecore::detect {
namespace {

constexpr std::uint64_t kEnds = std::uint64_t{1} << 19;
constexpr std::uint64_t kDataBudget = std::uint64_t{3} << 20;
constexpr std::size_t kHeader = 4096;  // the program headers follow the ELF header in every program that a linker makes

// elf.h: e_ident, p_type, p_flags
constexpr std::size_t kClass = 4, kEncoding = 5;
constexpr std::uint8_t kClass64 = 2, kLittleEndian = 1;
constexpr std::uint32_t kLoad = 1, kRuns = 1, kWritten = 2;
constexpr std::size_t kMostSegments = 64;

struct Range {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

struct Segment {
  std::uint32_t type = 0;
  std::uint32_t flags = 0;
  Range range;
};

std::vector<Segment> segments(ByteView head) {
  std::vector<Segment> found;
  if (head.size() < 64 || as_text(head.first(4)) != kElfMagic || head[kEncoding] != std::byte{kLittleEndian}) return found;
  const bool wide = head[kClass] == std::byte{kClass64};
  const std::uint64_t start = wide ? load_le<std::uint64_t>(head, 32) : load_le<std::uint32_t>(head, 28);
  const std::size_t size = load_le<std::uint16_t>(head, wide ? 54 : 42);
  const std::size_t count = std::min<std::size_t>(load_le<std::uint16_t>(head, wide ? 56 : 44), kMostSegments);
  if (size < (wide ? 56U : 32U) || start > head.size()) return found;
  for (std::size_t i = 0; i < count && start + (i + 1) * size <= head.size(); ++i) {
    const ByteView entry = head.subspan(start + i * size, size);
    Segment segment;
    segment.type = load_le<std::uint32_t>(entry, 0);
    segment.flags = load_le<std::uint32_t>(entry, wide ? 4 : 24);
    segment.range = wide ? Range{load_le<std::uint64_t>(entry, 8), load_le<std::uint64_t>(entry, 32)}
                         : Range{load_le<std::uint32_t>(entry, 4), load_le<std::uint32_t>(entry, 16)};
    found.push_back(segment);
  }
  return found;
}

std::vector<Range> data_ranges(ByteView head) {
  std::vector<Range> ranges;
  std::optional<Range> text;
  for (const Segment& segment : segments(head)) {
    if (segment.type != kLoad || (segment.flags & kWritten) != 0) continue;
    if ((segment.flags & kRuns) == 0) {
      ranges.push_back(segment.range);
    } else if (!text) {
      text = segment.range;
    }
  }
  // The first read-only segment of a modern program holds symbols; strings come with the last. One segment alone: its data follow its code.
  std::ranges::reverse(ranges);
  if (ranges.size() <= 1 && text) {
    const std::uint64_t tail = std::min(text->length, kDataBudget);
    if (text->offset <= std::numeric_limits<std::uint64_t>::max() - text->length) ranges.push_back({text->offset + text->length - tail, tail});
  }
  return ranges;
}

Result<void> append(const Scene& scene, const machine::FileRef& file, Range range, std::string& text) {
  if (range.offset >= file.info.size) return {};
  const std::uint64_t length = std::min(range.length, file.info.size - range.offset);
  const std::size_t old = text.size();
  text.resize(old + length);
  auto got = scene.machine->read_at(file, range.offset, std::as_writable_bytes(std::span(text).subspan(old)));
  text.resize(old + (got ? *got : 0));
  if (got) return {};
  if (machine::ends_the_run(got.error().code)) return Failure(std::move(got).error());
  scene.machine->report(file.path, got.error());
  return {};
}

}  // namespace

Result<std::string> program_text(const Scene& scene, const machine::FileRef& file) {
  if (file.info.size <= kProgramBudget) return read_ends(scene, file, kProgramBudget);
  ICECORE_ASSIGN(std::string text, read_ends(scene, file, kEnds));
  std::uint64_t left = kDataBudget;
  const std::string head = text.substr(0, kHeader);
  for (Range range : data_ranges(as_bytes(head))) {
    range.length = std::min(range.length, left);
    left -= range.length;
    text += '\n';
    ICECORE_CHECK(append(scene, file, range, text));
  }
  return text;
}

}  // namespace icecore::detect
