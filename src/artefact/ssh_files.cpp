// Where OpenSSH's files are found.
#include <fmt/format.h>
#include <algorithm>

#include "artefact/scan.h"
#include "artefact/ssh.h"
#include "core/text.h"
#include "machine/locator.h"

namespace icecore::artefact {
namespace {

// AuthorizedKeysFile: %h home, %u user, %% a percent sign; relative to the home.
std::string expanded(std::string_view pattern, const machine::HomeFolder& home) {
  std::string path;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%' || i + 1 == pattern.size()) {
      path += pattern[i];
      continue;
    }
    const char token = pattern[++i];
    path += token == 'h' ? home.folder.path : token == 'u' ? home.user : std::string(1, token);
  }
  return path.starts_with('/') ? path : home.folder.path + '/' + path;
}

Result<std::vector<std::string>> key_file_patterns(const machine::Machine& machine) {
  std::vector<std::string> patterns = {".ssh/authorized_keys", ".ssh/authorized_keys2"};
  for (const std::string_view glob : {"/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/*.conf"}) {
    ICECORE_ASSIGN(const auto files, machine.glob(glob));
    for (const machine::FileRef& file : files) {
      ICECORE_ASSIGN(const auto text, machine.content(file));
      for (const SshdSetting& setting : parse_sshd_config(text.value_or(""))) {
        if (setting.key != "authorizedkeysfile") continue;
        for (const std::string_view one : split_fields(setting.value))
          if (one != "none" && std::ranges::find(patterns, one) == patterns.end()) patterns.emplace_back(one);
      }
    }
  }
  return patterns;
}

}  // namespace

Result<std::vector<AuthorizedKeysFile>> authorized_keys_files(const Subject& subject) {
  std::vector<AuthorizedKeysFile> files;
  ICECORE_ASSIGN(const auto patterns, key_file_patterns(subject.machine));
  ICECORE_ASSIGN(const auto homes, machine::home_folders(subject.machine, subject.facts));
  for (const machine::HomeFolder& home : homes) {
    for (const std::string& pattern : patterns) {
      ICECORE_ASSIGN(const auto file, subject.machine.find(expanded(pattern, home)));
      const bool known = file && std::ranges::any_of(files, [&](const AuthorizedKeysFile& f) { return f.file.path == file->path; });
      if (!file || known) continue;
      ICECORE_ASSIGN(const auto text, subject.machine.content(*file));
      if (text) files.push_back({*file, home.user, parse_authorized_keys(*text)});
    }
  }
  return files;
}

Result<std::vector<KnownHostsFile>> known_hosts_files(const Subject& subject) {
  std::vector<KnownHostsFile> files;
  const auto add = [&](const std::string& path, const std::string& user) -> Result<void> {
    ICECORE_ASSIGN(const auto file, subject.machine.find(path));
    if (!file) return {};
    ICECORE_ASSIGN(const auto text, subject.machine.content(*file));
    if (text) files.push_back({*file, user, parse_known_hosts(*text)});
    return {};
  };
  ICECORE_CHECK(add("/etc/ssh/ssh_known_hosts", ""));
  ICECORE_ASSIGN(const auto homes, machine::home_folders(subject.machine, subject.facts));
  for (const machine::HomeFolder& home : homes)
    for (const std::string_view name : {"known_hosts", "known_hosts.old"})
      ICECORE_CHECK(add(fmt::format("{}/.ssh/{}", home.folder.path, name), home.user));
  return files;
}

Result<void> collect_ssh(const Subject& subject, EventSink& sink) {
  ICECORE_ASSIGN(const auto key_files, authorized_keys_files(subject));
  for (const AuthorizedKeysFile& file : key_files) {
    const machine::Locator locator(subject.machine, file.file);
    for (const AuthorizedKey& key : file.keys) {
      Event event =
          make_event(file.file.info.modified, kNoLater, "linux:ssh:authorized_key",
                     fmt::format("{} may log in with the key {} ({})", file.user, key.fingerprint, key.comment), locator.at(key.offset, key.line));
      put(event, "user", file.user);
      put(event, "fingerprint", key.fingerprint);
      put(event, "key_type", key.type);
      put(event, "comment", key.comment);
      put(event, "options", key.options);
      ICECORE_CHECK(sink.add(std::move(event)));
    }
  }
  ICECORE_ASSIGN(const auto host_files, known_hosts_files(subject));
  for (const KnownHostsFile& file : host_files) {
    const machine::Locator locator(subject.machine, file.file);
    for (const KnownHost& host : file.hosts) {
      const std::string names = host.hashed ? "a hashed host" : fmt::format("{}", fmt::join(host.hosts, ","));
      Event event =
          make_event(file.file.info.modified, kNoLater, "linux:ssh:known_host",
                     fmt::format("{} has connected to {}", file.user.empty() ? "someone" : file.user, names), locator.at(host.offset, host.line));
      put(event, "user", file.user);
      if (!host.hashed) put(event, "host", names);
      put(event, "fingerprint", host.fingerprint);
      ICECORE_CHECK(sink.add(std::move(event)));
    }
  }
  return {};
}

}  // namespace icecore::artefact
