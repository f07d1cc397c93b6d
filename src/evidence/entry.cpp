#include "evidence/entry.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>
#include <algorithm>
#include <array>

#include "core/hash.h"
#include "core/random.h"
#include "core/text.h"

namespace icecore::evidence {
namespace {

constexpr std::string_view kHashMember = ",\"sha256\":\"";
constexpr std::size_t kHashDigits = 64;
// `,"sha256":"` + digits + `"}`
constexpr std::size_t kSuffix = kHashMember.size() + kHashDigits + 2;

void make_valid(Json& value) {
  if (value.is_string()) {
    auto& text = value.get_ref<std::string&>();
    if (!is_valid_utf8(text)) text = valid_utf8(text);
  } else if (value.is_array()) {
    for (Json& element : value) make_valid(element);
  } else if (value.is_object()) {
    for (auto& [name, element] : value.items()) make_valid(element);
  }
}

std::optional<EntryKind> kind_of(std::string_view name) {
  for (const EntryKind kind : {EntryKind::kIntent, EntryKind::kOutcome, EntryKind::kNote, EntryKind::kCheckpoint})
    if (kind_name(kind) == name) return kind;
  return std::nullopt;
}

bool is_hash(std::string_view text) {
  return text.size() == kHashDigits && std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_number(const Json& value) { return value.is_number_unsigned() || (value.is_number_integer() && value.get<std::int64_t>() >= 0); }

Result<Entry> entry_from(Json& object, std::string_view hash) {
  const auto bad = [](std::string_view member) { return fail(Code::kCorrupt, fmt::format("ledger line without a valid \"{}\"", member)); };
  if (!object.is_object()) return fail(Code::kCorrupt, "ledger line is no JSON object");
  for (const char* member : {"time", "prev", "kind", "run", "actor", "host", "version"})
    if (!json_at(object, {member}).is_string()) return bad(member);
  for (const char* member : {"seq", "act"})
    if (!is_number(json_at(object, {member}))) return bad(member);
  if (!json_at(object, {"body"}).is_object()) return bad("body");
  const auto kind = kind_of(text_at(object, "kind"));
  if (!kind) return bad("kind");
  Entry entry;
  entry.seq = object["seq"].get<std::uint64_t>();
  entry.act = object["act"].get<std::uint64_t>();
  entry.time = text_at(object, "time");
  entry.prev = text_at(object, "prev");
  entry.kind = *kind;
  entry.run = text_at(object, "run");
  entry.actor = text_at(object, "actor");
  entry.host = text_at(object, "host");
  entry.version = text_at(object, "version");
  entry.body = std::move(object["body"]);
  entry.sha256 = hash;
  return entry;
}

}  // namespace

std::string_view kind_name(EntryKind kind) {
  switch (kind) {
    case EntryKind::kIntent: return "intent";
    case EntryKind::kOutcome: return "outcome";
    case EntryKind::kNote: return "note";
    case EntryKind::kCheckpoint: return "checkpoint";
  }
  return "note";
}

RunIdentity RunIdentity::of_this_process(std::string version, std::string command) {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const uid_t user = ::geteuid();
  const bool named = ::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr;
  return {"run-" + random_hex(8), named ? std::string(entry.pw_name) : fmt::format("uid {}", user), host.data(), std::move(version),
          std::move(command)};
}

std::string format_entry(Entry& entry) {
  make_valid(entry.body);
  OrderedJson frame;
  frame["seq"] = entry.seq;
  frame["time"] = entry.time;
  frame["prev"] = entry.prev;
  frame["kind"] = kind_name(entry.kind);
  frame["act"] = entry.act;
  frame["run"] = valid_utf8(entry.run);
  frame["actor"] = valid_utf8(entry.actor);
  frame["host"] = valid_utf8(entry.host);
  frame["version"] = valid_utf8(entry.version);
  std::string line = frame.dump();
  line.pop_back();  // the closing brace: body and hash follow
  line += ",\"body\":";
  line += entry.body.dump();
  entry.sha256 = to_hex(sha256(as_bytes(line)));
  line += kHashMember;
  line += entry.sha256;
  line += "\"}\n";
  return line;
}

Result<Entry> parse_entry(std::string_view line) {
  if (line.size() < kSuffix || !line.ends_with("\"}")) return fail(Code::kCorrupt, "no ledger line");
  const std::string_view covered = line.substr(0, line.size() - kSuffix);
  const std::string_view suffix = line.substr(covered.size());
  const std::string_view hash = suffix.substr(kHashMember.size(), kHashDigits);
  if (!suffix.starts_with(kHashMember) || !is_hash(hash)) return fail(Code::kCorrupt, "ledger line without its sha256");
  if (to_hex(sha256(as_bytes(covered))) != hash) return fail(Code::kIntegrity, "the line does not match its own sha256: it was changed");
  ICECORE_ASSIGN(Json object, parse_json(line, "ledger line"));
  ICECORE_ASSIGN(Entry entry, entry_from(object, hash));
  // One entry has one form: what parses alike and is written otherwise was not written by us.
  Entry again = entry;
  std::string canonical = format_entry(again);
  canonical.pop_back();
  if (canonical != line) return fail(Code::kIntegrity, "the line is not in canonical form");
  return entry;
}

}  // namespace icecore::evidence
