// One line of ledger.jsonl: its members, its canonical bytes, and the hash that chains it. The format is described in docs/ledger.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/json.h"
#include "core/result.h"
#include "core/timestamp.h"

namespace icecore::evidence {

enum class EntryKind {
  kIntent,      ///< about to act; `act` is its own sequence number
  kOutcome,     ///< how the act of `act` ended
  kNote,        ///< something worth remembering that is no act
  kCheckpoint,  ///< the last line that a signature covers
};

std::string_view kind_name(EntryKind kind);

/// Who writes: the same in every line of one run.
struct RunIdentity {
  std::string run;      ///< `run-…`, unique
  std::string actor;    ///< the operating system's user
  std::string host;     ///< the machine's name
  std::string version;  ///< icecore's
  std::string command;  ///< what was typed, without secrets; kept in the run's intent

  /// A fresh run id, and user and host of this process.
  static RunIdentity of_this_process(std::string version, std::string command);
};

struct Entry {
  std::uint64_t seq = 0;  ///< 1-based, without gaps: also the line number
  std::string time;       ///< ISO 8601, UTC, microseconds
  std::string prev;       ///< sha256 of the line before; 64 zeros in the first
  EntryKind kind = EntryKind::kNote;
  std::uint64_t act = 0;  ///< sequence number of the act's intent; 0 in notes and checkpoints
  std::string run, actor, host, version;
  Json body;
  std::string sha256;  ///< of this line's bytes before `,"sha256":"…"}`; lower-case hex
};

/// `prev` of the first line.
inline constexpr std::string_view kGenesis = "0000000000000000000000000000000000000000000000000000000000000000";

/// The canonical line with its newline; sets `entry.sha256`. Text of the body that is not UTF-8 becomes `\xNN` as text.
std::string format_entry(Entry& entry);

/// Parses one line (without its newline) and checks its own hash. kCorrupt where it does not parse, kIntegrity where its hash is wrong.
/// Checks nothing about neighbours.
Result<Entry> parse_entry(std::string_view line);

/// A longer line is refused, written or read.
inline constexpr std::size_t kMaximumLine = std::size_t{16} << 20;

}  // namespace icecore::evidence
