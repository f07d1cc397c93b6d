#include "artefact/utmp.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <array>

#include "artefact/lines.h"
#include "artefact/scan.h"
#include "machine/locator.h"

namespace icecore::artefact {
namespace {

// bits/utmp.h on 64-bit Linux, where time_t in the record stays 32 bits wide.
constexpr std::size_t kPid = 4, kLine = 8, kId = 40, kUser = 44, kHost = 76, kSession = 336, kSeconds = 340, kMicroseconds = 344, kAddress = 348;
constexpr std::size_t kRecordsAtOnce = 512;

std::string text_at(ByteView record, std::size_t offset, std::size_t size) { return std::string(c_string(record.subspan(offset, size))); }

std::string address_of(ByteView bytes) {
  if (is_all_zero(bytes)) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool v4 = is_all_zero(bytes.subspan(4));
  inet_ntop(v4 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
  return text.data();
}

constexpr std::array<std::string_view, 10> kTypes = {"EMPTY",        "RUN_LVL",       "BOOT_TIME",    "NEW_TIME",     "OLD_TIME",
                                                     "INIT_PROCESS", "LOGIN_PROCESS", "USER_PROCESS", "DEAD_PROCESS", "ACCOUNTING"};
enum : std::int16_t { kRunLevel = 1, kBootTime = 2, kLoginProcess = 6, kUserProcess = 7, kDeadProcess = 8 };

std::string_view description_of(const UtmpRecord& record, bool failures) {
  if (failures) return "Failed Login";
  switch (record.type) {
    case kBootTime: return "Boot";
    case kUserProcess: return "Login";
    case kDeadProcess: return "Logout";
    case kRunLevel: return record.user == "shutdown" ? "Shutdown" : "Recorded Time";
    default: return "Recorded Time";
  }
}

std::string sentence(const UtmpRecord& record, bool failures) {
  const std::string from = record.host.empty() ? std::string() : " from " + record.host;
  if (failures) return fmt::format("Failed login of '{}' on {}{}", record.user, record.line, from);
  switch (record.type) {
    case kBootTime: return fmt::format("System boot, kernel {}", record.host);
    case kUserProcess: return fmt::format("Login of '{}' on {}{}", record.user, record.line, from);
    case kDeadProcess: return fmt::format("End of the session on {}", record.line);
    case kRunLevel: return fmt::format("Run level change: {}", record.user);
    default: return fmt::format("{} '{}' on {}{}", utmp_type_name(record.type), record.user, record.line, from);
  }
}

Result<void> collect_file(const Subject& subject, const LogFile& log, std::string_view kind, EventSink& sink) {
  const machine::Locator locator(subject.machine, log.file);
  const bool failures = kind == "btmp";
  const auto give = [&](const UtmpRecord& record) {
    Event event = make_event(record.time, description_of(record, failures), "linux:utmp:event", sentence(record, failures),
                             log.packed ? locator.whole() : locator.at(record.offset));
    put(event, "type", utmp_type_name(record.type));
    put(event, "user", record.user);
    put(event, "terminal", record.line);
    put(event, "terminal_id", record.id);
    put(event, "pid", fmt::format("{}", record.pid));
    put(event, "host", record.host);
    put(event, "ip", record.address.empty() ? record.host : record.address);
    put(event, "file", kind);
    put(event, "rotation", log.rotation);
    if (failures) put(event, "action", "failed");
    if (!failures && record.type == kUserProcess) put(event, "action", "session-opened");
    return sink.add(std::move(event));
  };
  return for_each_record(subject.machine, log.file, kUtmpSize * kRecordsAtOnce, [&](ByteView bytes, std::uint64_t offset) -> Result<void> {
    for (const UtmpRecord& record : parse_utmp(bytes, offset)) ICECORE_CHECK(give(record));
    if (bytes.size() % kUtmpSize != 0)
      subject.anomalies.add("utmp.record", Error{Code::kCorrupt, "the file ends inside a record",
                                                 Location{locator.whole().snapshot, offset + bytes.size(), log.file.info.inode, log.file.path}});
    return {};
  });
}

}  // namespace

std::string utmp_type_name(std::int16_t type) {
  if (type >= 0 && static_cast<std::size_t>(type) < kTypes.size()) return std::string(kTypes[static_cast<std::size_t>(type)]);
  return fmt::format("{}?", type);
}

UtmpRecord parse_utmp_record(ByteView record, std::uint64_t offset) {
  UtmpRecord out;
  out.offset = offset;
  out.type = static_cast<std::int16_t>(load_le<std::uint16_t>(record, 0));
  out.pid = static_cast<std::int32_t>(load_le<std::uint32_t>(record, kPid));
  out.line = text_at(record, kLine, 32);
  out.id = text_at(record, kId, 4);
  out.user = text_at(record, kUser, 32);
  out.host = text_at(record, kHost, 256);
  out.session = static_cast<std::int32_t>(load_le<std::uint32_t>(record, kSession));
  const std::uint32_t microseconds = load_le<std::uint32_t>(record, kMicroseconds);
  out.time = {static_cast<std::int32_t>(load_le<std::uint32_t>(record, kSeconds)), microseconds < 1'000'000 ? microseconds * 1000 : 0};
  out.address = address_of(record.subspan(kAddress, 16));
  return out;
}

std::vector<UtmpRecord> parse_utmp(ByteView bytes, std::uint64_t first_offset) {
  std::vector<UtmpRecord> records;
  for (std::size_t at = 0; at + kUtmpSize <= bytes.size(); at += kUtmpSize) {
    const ByteView record = bytes.subspan(at, kUtmpSize);
    const bool empty = is_all_zero(record);
    if (!empty) records.push_back(parse_utmp_record(record, first_offset + at));
  }
  return records;
}

Result<void> collect_utmp(const Subject& subject, EventSink& sink) {
  for (const std::string_view path : {"/var/log/wtmp", "/var/log/btmp", "/run/utmp"}) {
    ICECORE_ASSIGN(const auto family, log_family(subject.machine, path));
    for (const LogFile& log : family) ICECORE_CHECK(collect_file(subject, log, path.substr(path.rfind('/') + 1), sink));
  }
  return {};
}

}  // namespace icecore::artefact
