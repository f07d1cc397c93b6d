#include "artefact/journal.h"

#include <fmt/format.h>

#include "artefact/journal_file.h"
#include "artefact/messages.h"
#include "artefact/scan.h"
#include "machine/locator.h"

namespace icecore::artefact {
namespace {

std::string_view first_of(const JournalEntry& entry, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names)
    if (const std::string_view value = entry.field(name); !value.empty()) return value;
  return {};
}

Event event_of(const JournalEntry& entry, Provenance where) {
  const std::string_view reporter = first_of(entry, {"SYSLOG_IDENTIFIER", "_COMM"});
  const std::string_view pid = first_of(entry, {"_PID", "SYSLOG_PID"});
  const std::string_view body = entry.field("MESSAGE");
  const std::string tag = pid.empty() ? std::string(reporter) : fmt::format("{}[{}]", reporter, pid);
  Event event = make_event(entry.time, "Content Recorded Time", "systemd:journal", tag.empty() ? std::string(body) : fmt::format("{}: {}", tag, body),
                           std::move(where));
  put(event, "uid", entry.field("_UID"));  // what the message says of itself below stands above what its sender was
  put(event, "unit", entry.field("_SYSTEMD_UNIT"));
  const MessageKind kind = parse_message(reporter, body, event.fields);
  put(event, "action", kind.action);
  put(event, "host", entry.field("_HOSTNAME"));
  put(event, "reporter", reporter);
  put(event, "pid", pid);
  put(event, "body", body);
  put(event, "severity", entry.field("PRIORITY"));
  put(event, "sender_uid", entry.field("_UID"));
  put(event, "boot_id", entry.boot_id);
  put(event, "transport", entry.field("_TRANSPORT"));
  put(event, "exe", entry.field("_EXE"));
  put(event, "cmdline", entry.field("_CMDLINE"));
  put(event, "seqnum", fmt::format("{}", entry.seqnum));
  return event;
}

Result<void> collect_file(const Subject& subject, const machine::FileRef& file, EventSink& sink) {
  ICECORE_CHECK(subject.machine.prefetch({&file, 1}, file.info.size));
  FileAccess source(subject.machine, file);
  const machine::Locator locator(subject.machine, file);
  std::optional<Error> sink_error;
  const auto give = [&](const JournalEntry& entry) {
    auto added = sink.add(event_of(entry, locator.at(entry.offset)));
    if (!added) sink_error = added.error();
    return added;
  };
  auto read = read_journal(source, file.path, give, subject.anomalies);
  if (read) return {};
  if (sink_error || machine::ends_the_run(read.error().code)) return Failure(std::move(read).error());
  subject.machine.report(file.path, read.error());
  return {};
}

}  // namespace

Result<void> collect_journal(const Subject& subject, EventSink& sink) {
  std::vector<machine::FileRef> files;
  for (const std::string_view folder : {"/var/log/journal", "/run/log/journal"}) {
    ICECORE_CHECK(subject.machine.walk(folder, [&](const machine::FileRef& file) {
      // "~": closed by journald after damage or an unclean end.
      if (file.info.type == fs::FileType::kRegular && (file.path.ends_with(".journal") || file.path.ends_with(".journal~"))) files.push_back(file);
      return machine::Walk::kEnter;
    }));
  }
  for (const machine::FileRef& file : files) ICECORE_CHECK(collect_file(subject, file, sink));
  return {};
}

}  // namespace icecore::artefact
