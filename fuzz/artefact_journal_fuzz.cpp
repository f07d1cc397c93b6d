// systemd journal files, and their compressed fields.
#include <cstdint>
#include <string_view>

#include "artefact/journal_file.h"
#include "artefact/journal_format.h"
#include "artefact/journal_payload.h"
#include "budget.h"

using namespace icecore;

// An xz stream names its dictionary; liblzma may take 64 MiB for it.
const icecore::fuzz::Budget icecore::fuzz::kBudget{.base = 66 << 20};

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  artefact::MemoryAccess source(as_bytes(text));
  Anomalies anomalies;
  (void)artefact::read_journal(
      source, "fuzz", [](const artefact::JournalEntry&) -> Result<void> { return {}; }, anomalies);
  for (const std::uint8_t flag : {artefact::journal::kObjectXz, artefact::journal::kObjectLz4, artefact::journal::kObjectZstd})
    (void)artefact::journal::unpack(as_bytes(text), flag, 1 << 16);
}
