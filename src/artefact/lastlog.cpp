#include "artefact/lastlog.h"

#include <fmt/format.h>
#include <algorithm>

#include "artefact/lines.h"
#include "artefact/scan.h"
#include "machine/locator.h"

namespace icecore::artefact {

std::vector<LastlogRecord> parse_lastlog(ByteView bytes, std::uint64_t first_offset) {
  std::vector<LastlogRecord> records;
  for (std::size_t at = 0; at + kLastlogSize <= bytes.size(); at += kLastlogSize) {
    const ByteView record = bytes.subspan(at, kLastlogSize);
    const std::uint32_t seconds = load_le<std::uint32_t>(record, 0);
    if (seconds == 0) continue;
    const std::uint64_t offset = first_offset + at;
    records.push_back({offset, static_cast<std::uint32_t>(offset / kLastlogSize), Timestamp{seconds, 0}, std::string(c_string(record.subspan(4, 32))),
                       std::string(c_string(record.subspan(36, 256)))});
  }
  return records;
}

Result<void> collect_lastlog(const Subject& subject, EventSink& sink) {
  ICECORE_ASSIGN(const auto file, subject.machine.find("/var/log/lastlog"));
  if (!file) return {};
  const machine::Locator locator(subject.machine, *file);
  return for_each_record(subject.machine, *file, kLastlogSize * 1024, [&](ByteView bytes, std::uint64_t offset) -> Result<void> {
    for (const LastlogRecord& record : parse_lastlog(bytes, offset)) {
      const machine::User* user = subject.facts.user(record.uid);
      const std::string name = user != nullptr ? user->entry.name : fmt::format("uid {}", record.uid);
      Event event = make_event(record.time, "Last Login Time", "linux:lastlog:entry",
                               fmt::format("Last login of {} on {} from {}", name, record.terminal, record.host), locator.at(record.offset));
      put(event, "uid", fmt::format("{}", record.uid));
      if (user != nullptr) put(event, "user", name);
      put(event, "terminal", record.terminal);
      put(event, "host", record.host);
      put(event, "ip", record.host);
      ICECORE_CHECK(sink.add(std::move(event)));
    }
    return {};
  });
}

}  // namespace icecore::artefact
