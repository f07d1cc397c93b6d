#include "artefact/lines.h"

#include <fmt/format.h>
#include <algorithm>
#include <limits>

#include "artefact/gzip.h"
#include "artefact/scan.h"
#include "core/interrupt.h"
#include "core/text.h"
#include "machine/pattern.h"

namespace icecore::artefact {
namespace {

constexpr std::size_t kChunk = 256 << 10;

// Cuts a stream of pieces into lines.
class Splitter {
 public:
  explicit Splitter(const LineVisitor& visit) : visit_(visit) {}

  Result<void> add(std::string_view piece) {
    while (!piece.empty()) {
      const std::size_t end = piece.find('\n');
      const std::string_view part = piece.substr(0, end);
      if (end != std::string_view::npos && pending_.empty() && !cut_) {  // the common case, without a copy
        ICECORE_CHECK(give(part, part.size()));
      } else {
        const std::size_t room = kLongestLine - std::min(kLongestLine, pending_.size());
        cut_ = cut_ || part.size() > room;
        pending_ += part.substr(0, room);
        length_ += part.size();
        if (end != std::string_view::npos) ICECORE_CHECK(flush());
      }
      piece.remove_prefix(end == std::string_view::npos ? piece.size() : end + 1);
    }
    return {};
  }
  Result<void> end() { return length_ == 0 ? Result<void>() : flush(); }

 private:
  Result<void> flush() {
    const std::string text = std::move(pending_);
    const std::uint64_t length = length_;
    pending_.clear();
    length_ = 0;
    return give(text, length);
  }
  Result<void> give(std::string_view text, std::uint64_t length) {
    Line line{text.substr(0, kLongestLine), ++number_, offset_, cut_ || text.size() > kLongestLine};
    offset_ += length + 1;
    cut_ = false;
    return visit_(line);
  }

  const LineVisitor& visit_;
  std::string pending_;
  std::uint64_t length_ = 0;  // of the pending line, with what was cut off
  std::uint64_t number_ = 0;
  std::uint64_t offset_ = 0;
  bool cut_ = false;
};

// The bytes of a file in order, unpacked where they are gzip.
class Unpacker {
 public:
  explicit Unpacker(Splitter& splitter) : splitter_(splitter) {}
  Result<void> add(ByteView bytes, bool first) {
    if (first && is_gzip(bytes)) packed_ = true;
    if (!packed_) return give(as_text(bytes));
    gzip_.feed(bytes);
    for (;;) {
      ICECORE_ASSIGN(const std::string_view piece, gzip_.next());
      if (piece.empty()) return {};
      ICECORE_CHECK(give(piece));
    }
  }
  bool cut_short() const { return packed_ && !gzip_.finished(); }

 private:
  Result<void> give(std::string_view text) {
    total_ += text.size();
    if (total_ > kMostText) return fail(Code::kUnsupported, fmt::format("more than {} of text: the rest was not read", human_size(kMostText)));
    return splitter_.add(text);
  }
  Splitter& splitter_;
  GzipStream gzip_;
  bool packed_ = false;
  std::uint64_t total_ = 0;
};

// An error of the visitor must not pass for damage of the file.
struct VisitorFailure {
  std::optional<Error> error;
};

Result<void> read_all(const machine::Machine& machine, const machine::FileRef& file, Unpacker& unpacker) {
  Bytes chunk(std::min<std::uint64_t>(kChunk, std::max<std::uint64_t>(file.info.size, 1)));
  for (std::uint64_t offset = 0; offset < file.info.size;) {
    if (interrupted()) return interruption();
    ICECORE_ASSIGN(const std::size_t count, machine.read_at(file, offset, chunk));
    if (count == 0) return {};
    ICECORE_CHECK(unpacker.add(ByteView(chunk).first(count), offset == 0));
    offset += count;
  }
  if (unpacker.cut_short()) return fail(Code::kCorrupt, "the gzip stream ends too early");
  return {};
}

struct Rotated {
  std::string_view base, rotation;
  std::uint64_t age = 0;  // greater is older
};

// "auth.log-20261101.gz" → auth.log; "auth.log.2.gz" → auth.log.
Rotated rotation_of(std::string_view name) {
  std::string_view stem = name;
  for (const std::string_view packed : {".gz", ".xz", ".bz2", ".zst"})
    if (stem.ends_with(packed)) stem.remove_suffix(packed.size());
  const std::size_t digits = stem.find_last_not_of("0123456789");
  if (digits == std::string_view::npos || digits + 1 >= stem.size()) return {name, {}, 0};
  const char separator = stem[digits];
  const auto number = parse_number<std::uint64_t>(stem.substr(digits + 1));
  if (!number || (separator != '.' && separator != '-')) return {name, {}, 0};
  // A date counts up, a number counts back.
  const bool date = *number > 19'700'000;
  return {name.substr(0, digits), name.substr(digits + 1), date ? std::numeric_limits<std::uint64_t>::max() : *number};
}

}  // namespace

Result<void> for_each_line(std::string_view text, const LineVisitor& visit) {
  Splitter splitter(visit);
  ICECORE_CHECK(splitter.add(text));
  return splitter.end();
}

Result<void> for_each_line(const machine::Machine& machine, const machine::FileRef& file, const LineVisitor& visit) {
  if (file.info.type != fs::FileType::kRegular) return {};
  ICECORE_CHECK(machine.prefetch({&file, 1}, kMostText));
  VisitorFailure failure;
  const LineVisitor watched = [&](const Line& line) {
    auto result = visit(line);
    if (!result) failure.error = result.error();
    return result;
  };
  Splitter splitter(watched);
  Unpacker unpacker(splitter);
  auto done = read_all(machine, file, unpacker);
  if (failure.error) return Failure(std::move(*failure.error));
  if (!done) {
    if (machine::ends_the_run(done.error().code)) return done;
    machine.report(file.path, done.error());
  }
  return splitter.end();
}

Result<std::vector<LogFile>> log_family(const machine::Machine& machine, std::string_view pattern) {
  const std::string_view wanted = pattern.substr(pattern.rfind('/') + 1);
  ICECORE_ASSIGN(const auto files, machine.glob(std::string(pattern) + '*'));
  struct Member {
    LogFile log;
    std::string base;
    std::uint64_t age = 0;
  };
  std::vector<Member> members;
  for (const machine::FileRef& file : files) {
    if (file.info.type != fs::FileType::kRegular) continue;
    const std::string_view path = file.path;
    const Rotated rotated = rotation_of(path.substr(path.rfind('/') + 1));
    if (!machine::matches_pattern(wanted, rotated.base)) continue;
    const std::string_view rotation = rotated.rotation;
    if (rotation.ends_with(".xz") || rotation.ends_with(".bz2") || rotation.ends_with(".zst")) {
      machine.report(path, Error{Code::kUnsupported, "a log packed with something else than gzip is not read by this version"});
      continue;
    }
    members.push_back({{file, std::string(rotation), rotation.ends_with(".gz")},
                       std::string(path.substr(0, path.rfind('/') + 1)) + std::string(rotated.base),
                       rotated.age});
  }
  std::ranges::sort(members, [](const Member& a, const Member& b) {
    if (a.base != b.base) return a.base < b.base;
    if (a.age != b.age) return a.age > b.age;
    return a.log.rotation < b.log.rotation;
  });
  std::vector<LogFile> family;
  for (Member& member : members) family.push_back(std::move(member.log));
  return family;
}

}  // namespace icecore::artefact
