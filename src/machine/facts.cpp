#include "machine/facts.h"

#include <fmt/format.h>
#include <algorithm>

#include "core/text.h"

namespace icecore::machine {
namespace {

constexpr std::uint64_t kSmall = 4 << 20;

// os-release(5): KEY="value"
std::string value_of(std::string_view text, std::string_view key) {
  for (const std::string_view line : split_lines(text)) {
    if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != '=') continue;
    std::string_view value = trim(line.substr(key.size() + 1));
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front())
      value = value.substr(1, value.size() - 2);
    return std::string(value);
  }
  return {};
}

Result<std::string> text_of(const Machine& machine, std::string_view path) {
  ICECORE_ASSIGN(auto text, machine.content(path, kSmall));
  return text.value_or("");
}

Result<std::string> one_line(const Machine& machine, std::string_view path) {
  ICECORE_ASSIGN(const std::string text, text_of(machine, path));
  return std::string(trim(std::string_view(text).substr(0, text.find('\n'))));
}

Result<void> read_os(const Machine& machine, Facts& facts) {
  ICECORE_ASSIGN(std::string text, text_of(machine, "/etc/os-release"));
  if (text.empty()) {
    ICECORE_ASSIGN(text, text_of(machine, "/usr/lib/os-release"));
  }
  facts.os = {value_of(text, "ID"), value_of(text, "VERSION_ID"), value_of(text, "PRETTY_NAME")};
  return {};
}

Result<void> read_zone(const Machine& machine, Facts& facts) {
  constexpr std::string_view kFolder = "zoneinfo/";
  ICECORE_ASSIGN(const auto link, machine.find("/etc/localtime", Links::kKeep));
  std::string name;
  if (link && link->info.type == fs::FileType::kSymlink) {
    const auto target = machine.readlink(*link);
    const std::size_t at = target ? target->rfind(kFolder) : std::string::npos;
    if (at != std::string::npos) name = target->substr(at + kFolder.size());
  }
  if (name.empty()) {
    ICECORE_ASSIGN(name, one_line(machine, "/etc/timezone"));
  }
  ICECORE_ASSIGN(std::string tzif, text_of(machine, "/etc/localtime"));
  if (tzif.empty() && !name.empty()) {
    ICECORE_ASSIGN(tzif, text_of(machine, "/usr/share/zoneinfo/" + name));
  }
  if (!name.empty()) facts.time_zone = name;
  if (tzif.empty()) return {};
  auto zone = TimeZone::parse(as_bytes(tzif));
  if (zone)
    facts.zone = std::move(*zone);
  else
    machine.report("/etc/localtime", zone.error());
  return {};
}

Result<void> read_accounts(const Machine& machine, Facts& facts) {
  ICECORE_ASSIGN(const std::string passwd, text_of(machine, "/etc/passwd"));
  ICECORE_ASSIGN(const std::string shadow, text_of(machine, "/etc/shadow"));
  ICECORE_ASSIGN(const std::string group, text_of(machine, "/etc/group"));
  const auto secrets = parse_shadow(shadow);
  facts.groups = parse_group(group);
  for (PasswdEntry& entry : parse_passwd(passwd)) {
    User user;
    const auto secret = std::ranges::find(secrets, entry.name, &ShadowEntry::name);
    if (secret != secrets.end()) user.password = secret->password;
    if (entry.password.empty()) user.password = Password::kNone;
    for (const GroupEntry& one : facts.groups)
      if (one.gid == entry.gid)
        user.groups.insert(user.groups.begin(), one.name);
      else if (std::ranges::find(one.members, entry.name) != one.members.end())
        user.groups.push_back(one.name);
    user.entry = std::move(entry);
    facts.users.push_back(std::move(user));
  }
  return {};
}

std::string owner_of(const FileRef& folder, const Facts& facts) {
  const User* user = facts.user(folder.info.uid);
  return user != nullptr ? user->entry.name : fmt::format("{}", folder.info.uid);
}

}  // namespace

const User* Facts::user(std::string_view name) const {
  const auto found = std::ranges::find_if(users, [&](const User& user) { return user.entry.name == name; });
  return found == users.end() ? nullptr : &*found;
}

const User* Facts::user(std::uint32_t uid) const {
  const auto found = std::ranges::find_if(users, [&](const User& user) { return user.entry.uid == uid; });
  return found == users.end() ? nullptr : &*found;
}

Result<Facts> read_facts(const Machine& machine) {
  Facts facts;
  if (!machine.has_root()) return facts;
  ICECORE_CHECK(read_os(machine, facts));
  ICECORE_ASSIGN(facts.hostname, one_line(machine, "/etc/hostname"));
  ICECORE_ASSIGN(facts.machine_id, one_line(machine, "/etc/machine-id"));
  ICECORE_CHECK(read_zone(machine, facts));
  ICECORE_CHECK(read_accounts(machine, facts));
  return facts;
}

Result<std::vector<HomeFolder>> home_folders(const Machine& machine, const Facts& facts) {
  std::vector<HomeFolder> homes;
  const auto add = [&](const FileRef& folder, std::string user) {
    if (folder.info.type != fs::FileType::kDirectory) return;
    if (std::ranges::any_of(homes, [&](const HomeFolder& home) { return home.folder.path == folder.path; })) return;
    homes.push_back({folder, user.empty() ? owner_of(folder, facts) : std::move(user)});
  };
  for (const User& user : facts.users) {
    if (!user.entry.home.starts_with('/')) continue;
    ICECORE_ASSIGN(const auto folder, machine.find(user.entry.home));
    if (folder) add(*folder, user.entry.name);
  }
  ICECORE_ASSIGN(auto others, machine.glob("/home/*"));
  ICECORE_ASSIGN(const auto root, machine.find("/root"));
  if (root) others.push_back(*root);
  for (const FileRef& folder : others) add(folder, "");
  return homes;
}

}  // namespace icecore::machine
