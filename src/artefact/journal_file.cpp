#include "artefact/journal_file.h"

#include <fmt/format.h>
#include <algorithm>
#include <unordered_map>

#include "artefact/journal_format.h"
#include "artefact/journal_payload.h"
#include "core/hash.h"
#include "core/interrupt.h"
#include "machine/machine.h"

namespace icecore::artefact {
namespace {

using namespace journal;

constexpr std::uint64_t kMostPayload =
    64 << 20;  // read of one object; journald writes at most 64 MiB to a field (DATA_SIZE_MAX for core dumps apart)
constexpr std::size_t kCacheSlots = 4096;
constexpr std::size_t kCachedValue = 1024;
constexpr std::uint64_t kSearchPiece = 64 << 10;

struct Object {
  std::uint64_t offset = 0;
  ObjectType type = ObjectType::kUnused;
  std::uint8_t flags = 0;
  std::uint64_t size = 0;
  std::uint64_t next() const { return offset + align(size); }
};

class Reader {
 public:
  Reader(RandomAccess& source, std::string_view name, const JournalVisitor& visit, Anomalies& anomalies, const JournalLimits& limits)
      : source_(source), name_(name), visit_(visit), anomalies_(anomalies), limits_(limits) {}

  Result<JournalSummary> run() {
    ICECORE_CHECK(read_header());
    std::uint64_t at = align(header_size_);
    while (at + kObjectHeader <= end_ && summary_.entries < limits_.entries) {
      if (interrupted()) return interruption();
      ICECORE_ASSIGN(const auto object, object_at(at));
      if (!object) {
        ICECORE_ASSIGN(at, search(at));
        continue;
      }
      if (object->type == ObjectType::kEntry) ICECORE_CHECK(give(*object));
      at = object->next();
    }
    if (summary_.entries + summary_.damaged_entries < summary_.declared)
      anomaly("journal.entry", 0, fmt::format("{} entries are declared and {} could be read", summary_.declared, summary_.entries));
    return summary_;
  }

 private:
  Result<void> read_header() {
    Bytes bytes(std::min<std::uint64_t>(source_.size(), 272));
    ICECORE_CHECK(source_.read(0, bytes));
    if (bytes.size() < header::kLeastSize || !as_text(bytes).starts_with(kSignature))
      return fail(Code::kCorrupt, "not a journal file", Location{name_, 0});
    flags_ = load_le<std::uint32_t>(bytes, header::kIncompatibleFlags);
    if ((flags_ & ~kKnownFlags) != 0)
      anomaly("journal.header", header::kIncompatibleFlags, fmt::format("unknown format flags {:#x}", flags_ & ~kKnownFlags));
    compact_ = (flags_ & kCompact) != 0;
    file_id_.assign(bytes.begin() + header::kFileId, bytes.begin() + header::kFileId + 16);
    summary_.machine_id = to_hex(ByteView(bytes).subspan(header::kMachineId, 16));
    summary_.compact = compact_;
    summary_.keyed_hash = (flags_ & kKeyedHash) != 0;
    summary_.declared = load_le<std::uint64_t>(bytes, header::kEntryCount);
    header_size_ = load_le<std::uint64_t>(bytes, header::kHeaderSize);
    const std::uint64_t arena = load_le<std::uint64_t>(bytes, header::kArenaSize);
    tail_ = load_le<std::uint64_t>(bytes, header::kTailObject);
    end_ = std::min(source_.size(), limits_.file);
    if (end_ < source_.size()) anomaly("journal.header", 0, fmt::format("a journal of {} bytes: the rest is not read", source_.size()));
    if (header_size_ < header::kLeastSize || header_size_ > end_) {
      anomaly("journal.header", header::kHeaderSize, "the header's size makes no sense");
      header_size_ = header::kLeastSize;
    }
    if (arena > end_ - header_size_)
      anomaly("journal.header", header::kArenaSize, fmt::format("the file is cut: {} bytes are missing", arena - (end_ - header_size_)));
    return {};
  }

  // What stands at `at`, or nothing where that is no object. Errors only where the source ends the run.
  Result<std::optional<Object>> object_at(std::uint64_t at) {
    std::optional<Object> object;
    std::array<std::byte, kObjectHeader> head{};
    if (at % 8 != 0 || at > end_ || end_ - at < kObjectHeader) return object;
    if (auto read = source_.read(at, head); !read) {
      if (machine::ends_the_run(read.error().code)) return Failure(std::move(read).error());
      return object;
    }
    return plausible(head, at);
  }

  std::optional<Object> plausible(ByteView head, std::uint64_t at) const {
    const auto type = std::to_integer<std::uint8_t>(head[0]);
    const auto flags = std::to_integer<std::uint8_t>(head[1]);
    const std::uint64_t size = load_le<std::uint64_t>(head, kObjectSize);
    const bool reserved_clear = is_all_zero(head.subspan(2, 6));
    if (type == 0 || type > kLastType || !reserved_clear || size < least_size(static_cast<ObjectType>(type)) || size > end_ - at) return std::nullopt;
    if (flags != 0 && (type != static_cast<std::uint8_t>(ObjectType::kData) || (flags & (flags - 1)) != 0 || flags > kObjectZstd))
      return std::nullopt;
    return Object{at, static_cast<ObjectType>(type), flags, size};
  }

  std::uint64_t least_size(ObjectType type) const {
    switch (type) {
      case ObjectType::kData: return (compact_ ? kDataPayloadCompact : kDataPayload) + 1;
      case ObjectType::kField: return 41;
      case ObjectType::kEntry: return entry::kItems;
      case ObjectType::kEntryArray: return 24;
      case ObjectType::kTag: return 64;
      default: return kObjectHeader;
    }
  }

  // Past the tail there is only room set aside; before it, no object is damage, and the next object after it is looked for: two good ones in a row.
  Result<std::uint64_t> search(std::uint64_t from) {
    Bytes piece;
    for (std::uint64_t at = from + 8; at < end_;) {
      piece.resize(std::min(kSearchPiece, end_ - at));
      if (auto read = source_.read(at, piece); !read) {
        if (machine::ends_the_run(read.error().code)) return Failure(std::move(read).error());
        at += piece.size();
        continue;
      }
      for (std::size_t i = 0; i + kObjectHeader <= piece.size(); i += 8) {
        const std::uint64_t word = load_le<std::uint64_t>(piece, i);
        if ((word & 0xFF) == 0 || (word >> 16U) != 0) continue;
        const auto object = plausible(ByteView(piece).subspan(i, kObjectHeader), at + i);
        if (!object) continue;
        ICECORE_ASSIGN(const bool good, followed_well(*object));
        if (!good) continue;
        anomaly("journal.object", from, fmt::format("no object stands here; reading goes on {} bytes later", at + i - from));
        return at + i;
      }
      if (piece.size() < kSearchPiece) break;
      at += piece.size() - 8;  // an object's header may lie across two pieces
    }
    if (from < tail_) anomaly("journal.object", from, "no object stands here, nor after it");
    return end_;
  }

  Result<bool> followed_well(const Object& object) {
    if (object.next() >= end_ || object.offset == tail_) return true;
    ICECORE_ASSIGN(const auto next, object_at(object.next()));
    return next.has_value();
  }

  Result<void> give(const Object& object) {
    const std::size_t item_size = compact_ ? entry::kItemCompact : entry::kItem;
    const std::uint64_t count = (object.size - entry::kItems) / item_size;
    const std::size_t kept = std::min<std::uint64_t>(count, limits_.fields_per_entry);
    Bytes bytes(entry::kItems + kept * item_size);
    if (auto read = source_.read(object.offset, bytes); !read) return damaged_entry(object, read.error());
    JournalEntry out;
    out.offset = object.offset;
    out.seqnum = load_le<std::uint64_t>(bytes, entry::kSeqnum);
    const std::uint64_t realtime = load_le<std::uint64_t>(bytes, entry::kRealtime);
    out.monotonic_us = load_le<std::uint64_t>(bytes, entry::kMonotonic);
    out.boot_id = to_hex(ByteView(bytes).subspan(entry::kBootId, 16));
    if (out.seqnum == 0 || realtime == 0 || realtime >= (std::uint64_t{1} << 55U))  // journal-def.h, VALID_REALTIME
      return damaged_entry(object, Error{Code::kCorrupt, "an entry whose number or time makes no sense"});
    out.time = Timestamp::from_microseconds(static_cast<std::int64_t>(realtime));
    for (std::size_t i = 0; i < kept; ++i) {
      const std::size_t at = entry::kItems + i * item_size;
      const std::uint64_t target = compact_ ? load_le<std::uint32_t>(bytes, at) : load_le<std::uint64_t>(bytes, at);
      if (target == 0) continue;  // unused place
      auto field = field_at(target);
      if (field) {
        out.fields.push_back(std::move(*field));
        continue;
      }
      if (machine::ends_the_run(field.error().code)) return Failure(std::move(field).error());
      ++out.damaged_fields;
      anomaly("journal.data", target, fmt::format("a field of entry {} cannot be read: {}", out.seqnum, field.error().message));
    }
    if (out.fields.empty() && out.damaged_fields > 0)
      return damaged_entry(object, Error{Code::kCorrupt, "an entry none of whose fields can be read"});
    ++summary_.entries;
    return visit_(out);
  }

  Result<JournalField> field_at(std::uint64_t offset) {
    if (const auto found = cache_.find(offset); found != cache_.end()) return found->second;
    ICECORE_ASSIGN(const auto object, object_at(offset));
    if (!object || object->type != ObjectType::kData) return fail(Code::kCorrupt, "no data object stands where the entry points");
    const std::size_t start = compact_ ? kDataPayloadCompact : kDataPayload;
    const std::uint64_t length = object->size - start;
    if (length > kMostPayload) return fail(Code::kUnsupported, fmt::format("a field of {} bytes", length));
    // A plain field is needed only up to the limit; a packed one, whole.
    const std::uint64_t wanted = object->flags == 0 ? std::min<std::uint64_t>(length, limits_.field + 256) : length;
    std::array<std::byte, 8> hash{};
    ICECORE_CHECK(source_.read(offset + kDataHash, hash));
    Bytes payload(wanted);
    ICECORE_CHECK(source_.read(offset + start, payload));
    ICECORE_ASSIGN(const std::string text, unpack(payload, object->flags, limits_.field + 256));
    check_hash(offset, load_le<std::uint64_t>(hash, 0), text, wanted == length);
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) return fail(Code::kCorrupt, "a field without '='");
    JournalField field{text.substr(0, equals), text.substr(equals + 1, limits_.field)};
    if (field.value.size() <= kCachedValue) {
      if (cache_.size() >= kCacheSlots) cache_.clear();
      cache_.emplace(offset, field);
    }
    return field;
  }

  // journald's hash is of the unpacked text. What does not match has been changed since it was written; it is given all the same.
  void check_hash(std::uint64_t offset, std::uint64_t stored, const std::string& text, bool whole) {
    if ((flags_ & kKeyedHash) == 0 || !whole || text.size() >= limits_.field + 256) return;
    if (keyed_hash(file_id_, as_bytes(text)) != stored)
      anomaly("journal.data", offset, "a field's text does not match its hash: it was changed or damaged after it was written");
  }

  Result<void> damaged_entry(const Object& object, const Error& error) {
    if (machine::ends_the_run(error.code)) return Failure(error);
    ++summary_.damaged_entries;
    anomaly("journal.entry", object.offset, error.message);
    return {};
  }

  void anomaly(std::string kind, std::uint64_t offset, std::string message) {
    anomalies_.add(std::move(kind), Error{Code::kCorrupt, std::move(message), Location{name_, offset}});
  }

  RandomAccess& source_;
  std::string name_;
  const JournalVisitor& visit_;
  Anomalies& anomalies_;
  JournalLimits limits_;
  JournalSummary summary_;
  std::uint32_t flags_ = 0;
  bool compact_ = false;
  Bytes file_id_;
  std::uint64_t header_size_ = 0, tail_ = 0, end_ = 0;
  std::unordered_map<std::uint64_t, JournalField> cache_;
};

}  // namespace

std::string_view JournalEntry::field(std::string_view name) const {
  const auto found = std::ranges::find(fields, name, &JournalField::name);
  return found == fields.end() ? std::string_view() : std::string_view(found->value);
}

Result<JournalSummary> read_journal(RandomAccess& source, std::string_view name, const JournalVisitor& visit, Anomalies& anomalies,
                                    const JournalLimits& limits) {
  return Reader(source, name, visit, anomalies, limits).run();
}

}  // namespace icecore::artefact
