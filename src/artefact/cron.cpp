#include "artefact/cron.h"

#include <fmt/format.h>
#include <algorithm>

#include "artefact/scan.h"
#include "core/text.h"
#include "machine/locator.h"

namespace icecore::artefact {
namespace {

// Takes one field off the front, and the blanks after it.
std::string_view take_field(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view field = text.substr(0, end);
  text.remove_prefix(end);
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return field;
}

// NAME = value; crontab(5).
bool is_setting(std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return false;
  std::string_view name = trim(line.substr(0, equals));
  if (name.size() >= 2 && (name.front() == '"' || name.front() == '\'')) return true;
  return !name.empty() &&
         std::ranges::all_of(name, [](char c) { return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); });
}

// run-parts(8), which Debian's cron holds cron.d to.
bool runs_under_debian(std::string_view name) {
  return std::ranges::all_of(
      name, [](char c) { return c == '_' || c == '-' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); });
}

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

std::vector<CronJob> parse_crontab(std::string_view text, CronTable kind) {
  std::vector<CronJob> jobs;
  std::uint64_t number = 0;
  for (const std::string_view raw : split_lines(text)) {
    ++number;
    std::string_view line = trim(raw);
    if (line.empty() || line.front() == '#' || is_setting(line)) continue;
    CronJob job{number, static_cast<std::uint64_t>(raw.data() - text.data()), {}, {}, {}};
    const int fields = line.front() == '@' ? 1 : 5;
    for (int i = 0; i < fields; ++i) {
      if (i > 0) job.schedule += ' ';
      job.schedule += take_field(line);
    }
    if (kind == CronTable::kSystem) job.user = take_field(line);
    if (line.empty()) continue;
    job.command = std::string(line);
    jobs.push_back(std::move(job));
  }
  return jobs;
}

Result<std::vector<CronFile>> cron_files(const machine::Machine& machine) {
  std::vector<CronFile> files;
  ICECORE_ASSIGN(const auto dpkg, machine.find("/var/lib/dpkg"));
  const auto add = [&](const machine::FileRef& file, CronTable kind) {
    if (file.info.type != fs::FileType::kRegular) return;
    const std::string_view name = base_name(file.path);
    const bool in_folder = file.path.starts_with("/etc/cron.d/");
    const bool ignored = in_folder && (dpkg ? !runs_under_debian(name) : name.starts_with('.') || name.ends_with('~'));
    files.push_back({file, kind, kind == CronTable::kUser ? std::string(name) : std::string(), ignored});
  };
  ICECORE_ASSIGN(const auto main_table, machine.find("/etc/crontab"));
  if (main_table) add(*main_table, CronTable::kSystem);
  ICECORE_ASSIGN(const auto drop_ins, machine.glob("/etc/cron.d/*"));
  for (const machine::FileRef& file : drop_ins) add(file, CronTable::kSystem);
  for (const std::string_view pattern : {"/var/spool/cron/crontabs/*", "/var/spool/cron/*"}) {  // Debian, Red Hat
    ICECORE_ASSIGN(const auto tables, machine.glob(pattern));
    for (const machine::FileRef& file : tables) add(file, CronTable::kUser);
  }
  return files;
}

Result<std::vector<machine::FileRef>> cron_scripts(const machine::Machine& machine) {
  std::vector<machine::FileRef> scripts;
  for (const std::string_view period : {"hourly", "daily", "weekly", "monthly"}) {
    ICECORE_ASSIGN(auto files, machine.glob(fmt::format("/etc/cron.{}/*", period)));
    for (machine::FileRef& file : files)
      if (file.info.type == fs::FileType::kRegular && base_name(file.path) != ".placeholder") scripts.push_back(std::move(file));
  }
  return scripts;
}

Result<void> collect_cron(const Subject& subject, EventSink& sink) {
  ICECORE_ASSIGN(const auto files, cron_files(subject.machine));
  for (const CronFile& file : files) {
    ICECORE_ASSIGN(const auto text, subject.machine.content(file.file));
    if (!text) continue;
    const machine::Locator locator(subject.machine, file.file);
    for (const CronJob& job : parse_crontab(*text, file.kind)) {
      const std::string& user = job.user.empty() ? file.user : job.user;
      Event event = make_event(file.file.info.modified, kNoLater, "linux:cron:job",
                               fmt::format("cron job of {}: {} {}", user, job.schedule, job.command), locator.at(job.offset, job.line));
      put(event, "schedule", job.schedule);
      put(event, "user", user);
      put(event, "command", job.command);
      if (file.ignored) put(event, "ignored", "true");
      ICECORE_CHECK(sink.add(std::move(event)));
    }
  }
  return {};
}

}  // namespace icecore::artefact
