#include "detect/evidence.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>

#include "core/hash.h"
#include "core/text.h"

namespace icecore::detect {

Provenance place(const Scene& scene, const machine::FileRef& file) { return scene.machine->provenance(file); }

Provenance place_line(const Scene& scene, const machine::FileRef& file, std::uint64_t line, std::uint64_t offset, std::string_view text) {
  Provenance where = scene.machine->provenance(file, offset);
  where.offset = offset;
  where.line = line;
  where.excerpt = cut(text);
  return where;
}

Provenance place_content(const Scene& scene, const machine::FileRef& file, std::string_view content) {
  Provenance where = place(scene, file);
  where.sha256 = sha256_hex(content);
  return where;
}

Provenance place_link(const Scene& scene, const machine::FileRef& link, std::string_view target) {
  Provenance where = place(scene, link);
  where.excerpt = cut(fmt::format("{} -> {}", link.path, target));
  return where;
}

Provenance place_event(const artefact::Event& event) {
  Provenance where = event.where;
  if (!where.time) where.time = event.time;
  if (where.excerpt.empty()) where.excerpt = event.message;
  where.excerpt = cut(where.excerpt);
  return where;
}

Provenance place_instance(const Scene& scene, std::string_view attribute, const InstanceText& text, std::string_view excerpt) {
  Provenance where;
  where.kind = Provenance::Kind::kInstance;
  where.instance = scene.instance.instance;
  where.attribute = attribute;
  where.case_file = text.case_file;
  where.excerpt = cut(excerpt);
  where.sha256 = sha256_hex(text.text);
  return where;
}

std::string sha256_hex(std::string_view content) { return to_hex(sha256(as_bytes(content))); }

std::string cut(std::string_view text, std::size_t limit) { return std::string(text.substr(0, limit)); }

std::string shown(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return printable(text);
  // Not in the middle of a UTF-8 sequence, which would print as bytes.
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  return printable(text.substr(0, limit)) + "…";
}

std::string capital(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

std::string when(const Timestamp& time) {
  std::string text = to_iso8601(time, 0);
  std::ranges::replace(text, 'T', ' ');
  if (text.ends_with('Z')) text.pop_back();
  return text + " UTC";
}

std::string list_of(const std::vector<std::string>& items, std::size_t most) {
  std::string text;
  const std::size_t named = items.size() > most ? most : items.size();
  for (std::size_t i = 0; i < named; ++i) {
    const bool last = i + 1 == items.size();
    text += (i == 0 ? "" : last ? " and " : ", ") + items[i];
  }
  if (items.size() > named) text += fmt::format(" and {} more", items.size() - named);
  return text;
}

Timestamp appeared(const fs::FileInfo& info) { return info.born.value_or(info.changed); }

Timestamp written(const fs::FileInfo& info) { return info.born && info.modified < *info.born ? info.changed : info.modified; }

std::int64_t seconds_between(const Timestamp& from, const Timestamp& to) {
  std::int64_t difference = 0;
  if (__builtin_sub_overflow(to.seconds, from.seconds, &difference)) return to > from ? INT64_MAX : INT64_MIN;
  return difference;
}

std::vector<TextLine> lines_of(std::string_view text) {
  constexpr std::size_t kMost = 1'000'000;
  std::vector<TextLine> lines;
  std::uint64_t offset = 0;
  while (offset < text.size() && lines.size() < kMost) {
    const std::size_t end = std::min(text.find('\n', offset), text.size());
    lines.push_back({lines.size() + 1, offset, text.substr(offset, end - offset)});
    offset = end + 1;
  }
  return lines;
}

TextLine line_at(std::string_view text, std::size_t offset) {
  offset = std::min(offset, text.size());
  const std::size_t before = offset == 0 ? std::string_view::npos : text.rfind('\n', offset - 1);
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  const std::size_t end = std::min(text.find('\n', offset), text.size());
  const auto number = static_cast<std::uint64_t>(std::ranges::count(text.substr(0, begin), '\n')) + 1;
  return {number, begin, text.substr(begin, end - begin)};
}

Result<void> prefetch(const Scene& scene, std::span<const machine::FileRef> files, std::uint64_t limit) {
  if (files.empty()) return {};
  auto done = scene.machine->prefetch(files, limit);
  if (!done && machine::ends_the_run(done.error().code)) return done;
  return {};
}

Result<std::string> read_ends(const Scene& scene, const machine::FileRef& file, std::uint64_t each) {
  std::string text;
  const auto read_part = [&](std::uint64_t offset, std::uint64_t length) -> Result<void> {
    const std::size_t old = text.size();
    text.resize(old + length);
    auto got = scene.machine->read_at(file, offset, std::as_writable_bytes(std::span(text).subspan(old)));
    if (!got) {
      text.resize(old);
      if (machine::ends_the_run(got.error().code)) return Failure(std::move(got).error());
      scene.machine->report(file.path, got.error());
      return {};
    }
    text.resize(old + *got);
    return {};
  };
  const std::uint64_t size = file.info.size;
  ICECORE_CHECK(read_part(0, std::min(size, each)));
  if (size > each) ICECORE_CHECK(read_part(std::max(size - each, each), std::min(each, size - each)));
  return text;
}

Result<bool> begins_with(const Scene& scene, const machine::FileRef& file, std::string_view magic) {
  std::array<std::byte, 64> head{};
  const std::size_t wanted = std::min(magic.size(), head.size());
  if (file.info.type != fs::FileType::kRegular || file.info.size < wanted) return false;
  auto got = scene.machine->read_at(file, 0, std::span(head).first(wanted));
  if (!got) {
    if (machine::ends_the_run(got.error().code)) return Failure(std::move(got).error());
    scene.machine->report(file.path, got.error());
    return false;
  }
  return as_text(ByteView(head).first(*got)) == magic.substr(0, wanted);
}

}  // namespace icecore::detect
