// Reader of journal files that loses only what is damaged. systemd.io/JOURNAL_FILE_FORMAT; journal-def.h of systemd 252.
//
// libsystemd is not used: it needs a file descriptor (parsers here do no I/O), goes by the entry arrays (one bad link hides the rest), and gives no
// offsets for provenance. Here all objects are gone through in file order; after damage the next good object is searched for.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "artefact/random_access.h"
#include "core/anomaly.h"
#include "core/bytes.h"
#include "core/result.h"
#include "core/timestamp.h"

namespace icecore::artefact {

struct JournalField {
  std::string name;
  std::string value;  ///< raw bytes; cut at JournalLimits::field
};

struct JournalEntry {
  std::uint64_t offset = 0;  ///< of the entry object in the file
  std::uint64_t seqnum = 0;
  Timestamp time;                    ///< realtime, µs
  std::uint64_t monotonic_us = 0;    ///< since boot
  std::string boot_id;               ///< 32 hex digits
  std::vector<JournalField> fields;  ///< in file order
  std::uint32_t damaged_fields = 0;  ///< items that could not be read
  std::string_view field(std::string_view name) const;
};

struct JournalLimits {
  std::uint64_t field = 64 << 10;               ///< bytes kept of one field
  std::uint64_t file = std::uint64_t{8} << 30;  ///< bytes looked at; journald ends a file at 4 GiB
  std::uint64_t entries = 50'000'000;
  std::size_t fields_per_entry = 1024;  ///< journald's own limit
};

struct JournalSummary {
  std::uint64_t entries = 0;          ///< given
  std::uint64_t damaged_entries = 0;  ///< recognised, unreadable
  std::uint64_t declared = 0;         ///< by the header
  std::string machine_id;
  bool compact = false;
  bool keyed_hash = false;
};

using JournalVisitor = std::function<Result<void>(const JournalEntry&)>;

/// Every entry, ascending by offset. Damage goes to `anomalies` ("journal.header", "journal.object", "journal.entry", "journal.data": also text that
/// does not match its hash) under `name`. kCorrupt only where it is no journal at all; else an error of `visit` or of `source` that ends the run.
Result<JournalSummary> read_journal(RandomAccess& source, std::string_view name, const JournalVisitor& visit, Anomalies& anomalies,
                                    const JournalLimits& limits = {});

}  // namespace icecore::artefact
