// Locations and words for findings: every place with its full provenance, every sentence safe to print.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "detect/finding.h"
#include "detect/scene.h"

namespace icecore::detect {

constexpr std::size_t kExcerptBytes = 200;
constexpr std::size_t kMostLocations = 100;  ///< of one finding

/// The file as a whole.
Provenance place(const Scene& scene, const machine::FileRef& file);
/// One line of a text file: `line` 1-based, `offset` its byte, `text` the line itself (cut to 200 bytes for the excerpt).
Provenance place_line(const Scene& scene, const machine::FileRef& file, std::uint64_t line, std::uint64_t offset, std::string_view text);
/// The file whose content was read whole: with its SHA-256.
Provenance place_content(const Scene& scene, const machine::FileRef& file, std::string_view content);
/// A symbolic link; the excerpt says where it leads.
Provenance place_link(const Scene& scene, const machine::FileRef& link, std::string_view target);
/// Where an event was read, its message as excerpt where the parser gave none.
Provenance place_event(const artefact::Event& event);
/// A piece of the instance's metadata; the whole text's SHA-256.
Provenance place_instance(const Scene& scene, std::string_view attribute, const InstanceText& text, std::string_view excerpt);

std::string sha256_hex(std::string_view content);
std::string cut(std::string_view text, std::size_t limit = kExcerptBytes);
/// For sentences: printable, on one line, at most `limit` bytes with "…" where it was cut.
std::string shown(std::string_view text, std::size_t limit = 120);
/// The same sentence with a capital first letter (ASCII).
std::string capital(std::string text);
/// "2026-11-24 05:21:07 UTC".
std::string when(const Timestamp& time);
/// "a", "a and b", "a, b and 3 more".
std::string list_of(const std::vector<std::string>& items, std::size_t most = 4);

/// When the file came to be: its birth, else the last change of its inode (which nobody sets back), whatever its mtime claims.
Timestamp appeared(const fs::FileInfo& info);
/// When its content was last written: mtime, unless that lies before its birth (then it was set or copied): the inode's change.
Timestamp written(const fs::FileInfo& info);
std::int64_t seconds_between(const Timestamp& from, const Timestamp& to);

/// One line of a text by number (1-based) and its offset.
struct TextLine {
  std::uint64_t number = 0;
  std::uint64_t offset = 0;
  std::string_view text;
};
/// Lines of a text in memory, at most a million.
std::vector<TextLine> lines_of(std::string_view text);
/// The line that holds the byte at `offset`.
TextLine line_at(std::string_view text, std::size_t offset);

/// Lets the source fetch side by side what reading the first `limit` bytes of these files will need. Damage shows when they are read.
Result<void> prefetch(const Scene& scene, std::span<const machine::FileRef> files, std::uint64_t limit = machine::Machine::kDefaultLimit);

/// Reads the first and the last MiB of a large file, or all of a small one. Empty where it cannot be read (an anomaly is recorded by the machine).
Result<std::string> read_ends(const Scene& scene, const machine::FileRef& file, std::uint64_t each = std::uint64_t{1} << 20);

/// Whether the file begins with these bytes (up to 64).
Result<bool> begins_with(const Scene& scene, const machine::FileRef& file, std::string_view magic);

constexpr std::string_view kElfMagic = "\177ELF";

}  // namespace icecore::detect
