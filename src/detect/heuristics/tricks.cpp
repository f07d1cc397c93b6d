#include "detect/heuristics/tricks.h"

#include <algorithm>
#include <array>
#include <functional>

#include "core/text.h"
#include "detect/heuristics/addresses.h"
#include "detect/heuristics/download.h"
#include "detect/heuristics/mining.h"
#include "detect/heuristics/shell.h"

namespace icecore::detect {
namespace {

struct Line {
  std::string_view text;
  std::vector<Command> commands;

  bool holds(std::string_view what) const { return text.find(what) != std::string_view::npos; }
  bool holds_any(std::initializer_list<std::string_view> all) const {
    return std::ranges::any_of(all, [this](std::string_view what) { return holds(what); });
  }
  /// Some command of that program whose words satisfy `test`.
  template <typename Test>
  bool runs(std::initializer_list<std::string_view> programs, Test test) const {
    return std::ranges::any_of(
        commands, [&](const Command& command) { return std::ranges::find(programs, command.program()) != programs.end() && test(command); });
  }
  bool runs(std::initializer_list<std::string_view> programs) const {
    return runs(programs, [](const Command&) { return true; });
  }
  bool writes() const { return holds(">") || runs({"tee", "cp", "mv", "install", "sed", "vi", "vim", "nano", "dd", "ln", "scp", "rsync"}); }
};

bool argument_holds(const Command& command, std::initializer_list<std::string_view> parts) {
  return std::ranges::any_of(command.arguments(), [&](std::string_view word) {
    return std::ranges::any_of(parts, [&](std::string_view part) { return word.find(part) != std::string_view::npos; });
  });
}

bool short_option(const Command& command, char letter) {
  return std::ranges::any_of(command.arguments(), [&](std::string_view word) {
    return word.size() >= 2 && word[0] == '-' && word[1] != '-' && word.find(letter, 1) != std::string_view::npos;
  });
}

// A name in the path begins with a dot, and it is not one of the folders where people's settings are.
bool hidden_path(std::string_view word) {
  static constexpr std::array<std::string_view, 14> kUsual = {".ssh",   ".config", ".cache", ".local", ".bashrc", ".profile", ".bash_profile",
                                                              ".vimrc", ".aws",    ".git",   ".kube",  ".venv",   ".docker",  ".env"};
  if (word.find("://") != std::string_view::npos) return false;
  for (const std::string_view part : split(word, '/')) {
    if (part.size() > 1 && part[0] == '.' && part != ".." && part.find("history") == std::string_view::npos &&
        std::ranges::find(kUsual, part) == kUsual.end() && word.find('/') != std::string_view::npos && !word.starts_with("~/") &&
        word.find("/home/") != 0)
      return true;
  }
  return false;
}

bool download_run(const Line& line) {
  const auto found = download_and_run(line.text);
  return found && !found->decoded && found->anonymous;
}
// Something fetched from a bare public address: nobody's repository is one.
bool anonymous_download(const Line& line) {
  if (!line.runs({"curl", "wget", "fetch", "scp"})) return false;
  for (const std::string& url : urls_in(line.text)) {
    const auto address = parse_address(host_of_url(url));
    if (address && !is_private(*address)) return true;
  }
  return false;
}
bool installer_run(const Line& line) {
  const auto found = download_and_run(line.text);
  return found && !found->anonymous;
}
bool decode_run(const Line& line) {
  const auto found = download_and_run(line.text);
  return found && found->decoded;
}
bool reverse_shell(const Line& line) {
  if (line.holds_any({"/dev/tcp/", "/dev/udp/", "bash -i >&", "sh -i >&", "pty.spawn"})) return true;
  return line.runs({"nc", "ncat", "netcat", "nc.traditional"}, [](const Command& c) {
    return short_option(c, 'e') || c.has("--exec") || c.has("-c");
  }) || line.runs({"socat"}, [](const Command& c) {
    return argument_holds(c, {"exec:", "EXEC:", "system:", "SYSTEM:"});
  });
}
bool miner(const Line& line) {
  const MiningSigns signs = mining_signs(line.text);
  return signs.pool || std::ranges::any_of(
                           signs.words, [](const std::string& w) { return w == "xmrig" || w == "minerd" || w == "cpuminer" || w == "cryptonight"; });
}
bool root_account(const Line& line) {
  const bool tool = line.runs({"useradd", "adduser", "usermod"}, [](const Command& c) {
    const auto words = c.arguments();
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (words[i] == "-u0" || words[i] == "--uid=0" || words[i] == "-ou0") return true;
      if (i + 1 < words.size() && words[i + 1] == "0" && (words[i] == "--uid" || (words[i].starts_with('-') && words[i].ends_with('u')))) return true;
    }
    return false;
  });
  return tool || (line.holds(":0:0:") && line.holds("passwd"));
}
bool preload(const Line& line) { return line.holds("ld.so.preload") && line.writes(); }
bool history_hiding(const Line& line) {
  if (line.holds_any({"unset HISTFILE", "HISTFILE=/dev/null", "HISTFILE= ", "HISTSIZE=0", "HISTFILESIZE=0", "set +o history"})) return true;
  if (line.runs({"history"}, [](const Command& c) { return short_option(c, 'c') || short_option(c, 'd'); })) return true;
  const bool file = line.holds("_history");
  return file && (line.runs({"ln", "rm", "shred", "truncate", "unlink"}) || line.holds("/dev/null") || line.holds("> ~/.") || line.holds(">~/."));
}
bool log_tampering(const Line& line) {
  const bool login_log = line.holds_any({"/var/log/auth.log", "/var/log/secure", "/var/log/wtmp", "/var/log/btmp", "/var/log/lastlog",
                                         "/var/log/audit", "/var/log/messages", "/var/log/syslog", "/var/log/journal", "/var/run/utmp"});
  if (!login_log) return false;
  if (line.runs({"sed", "perl"}, [](const Command& c) { return short_option(c, 'i'); })) return true;
  if (line.runs({"rm", "shred", "truncate", "unlink", "utmpdump", "srm", "wipe"})) return true;
  for (const std::string_view log : {"> /var/log/", ">/var/log/", "/dev/null > /var/log", "dev/null /var/log"})
    if (line.holds(log) && !line.holds(">> /var/log/") && !line.holds(">>/var/log/")) return true;
  return false;
}
bool timestomp(const Line& line) {
  return line.runs({"touch"}, [](const Command& c) {
    return short_option(c, 'd') || short_option(c, 't') || short_option(c, 'r') || argument_holds(c, {"--date", "--reference"});
  });
}
bool immutable(const Line& line) {
  return line.runs({"chattr"}, [](const Command& c) {
    return std::ranges::any_of(c.arguments(),
                               [](std::string_view word) { return word.starts_with('+') && word.find_first_of("iau") != std::string_view::npos; });
  });
}
bool set_id(const Line& line) {
  return line.runs({"chmod"}, [](const Command& c) {
    return std::ranges::any_of(c.arguments(), [](std::string_view word) {
      const bool octal = word.size() >= 4 && word.size() <= 5 && word.find_first_not_of("01234567") == std::string_view::npos;
      if (octal) return ((word[word.size() - 4] - '0') & 4) != 0;
      return word == "+s" || (word.starts_with("u") && word.find("+") != std::string_view::npos && word.ends_with('s')) || word == "a+s" ||
             word == "u=s";
    });
  }) || line.runs({"install"}, [](const Command& c) {
    return argument_holds(c, {"4755", "4777", "6755"});
  });
}
bool key_written(const Line& line) { return line.holds("authorized_keys") && line.writes(); }
bool sudo_rule(const Line& line) { return line.holds("NOPASSWD") && line.writes(); }
bool pam_changed(const Line& line) { return line.holds_any({"/etc/pam.d/", "/security/pam_"}) && line.writes(); }
bool updates_off(const Line& line) {
  const bool service = line.holds_any({"unattended-upgrades", "apt-daily", "dnf-automatic", "yum-cron", "packagekit", "auditd", "clamav",
                                       "falcon-sensor", "amazon-ssm-agent", "aliyun", "fail2ban"});
  const bool stopped =
      line.runs({"systemctl", "service", "chkconfig", "update-rc.d"},
                [](const Command& c) { return c.has("mask") || c.has("disable") || c.has("stop") || c.has("off"); }) ||
      line.runs({"apt", "apt-get", "dpkg", "yum", "dnf"}, [](const Command& c) { return c.has("remove") || c.has("purge") || c.has("autoremove"); });
  return service && stopped;
}
bool hosts_changed(const Line& line) {
  return line.holds("/etc/hosts") && !line.holds("/etc/hosts.") && line.holds(">") && line.holds_any({"127.0.0.1", "0.0.0.0", "::1"});
}
bool defences_down(const Line& line) {
  return line.runs({"iptables", "ip6tables", "nft"}, [](const Command& c) { return c.has("-F") || c.has("--flush") || c.has("flush"); }) ||
         (line.runs({"ufw"}, [](const Command& c) { return c.has("disable"); })) ||
         line.runs({"setenforce"}, [](const Command& c) { return c.has("0"); });
}
bool credentials_read(const Line& line) {
  const bool secret = line.holds_any({".aws/credentials", "/etc/shadow", ".git-credentials", ".docker/config.json", ".kube/config", ".pgpass",
                                      "iam/security-credentials", "id_rsa", "id_ed25519", "id_ecdsa", "wp-config.php"});
  return secret &&
         line.runs({"cat", "less", "more", "head", "tail", "cp", "scp", "base64", "tar", "strings", "xxd", "grep", "curl", "wget", "zip", "nc"},
                   [&](const Command& c) {
                     return argument_holds(
                                c, {"credentials", "shadow", ".docker", ".kube", ".pgpass", "id_rsa", "id_ed25519", "id_ecdsa", "wp-config"}) &&
                            !argument_holds(c, {".pub"});
                   });
}
bool bulk_copy(const Line& line) {
  return line.runs({"aws"}, [](const Command& c) {
    return c.has("s3") && (c.has("sync") || ((c.has("cp") || c.has("mv")) && c.has("--recursive")));
  }) || line.runs({"rclone"}, [](const Command& c) { return c.has("copy") || c.has("sync") || c.has("move"); });
}
bool upload(const Line& line) {
  return line.runs({"curl"}, [](const Command& c) {
    return short_option(c, 'T') || argument_holds(c, {"--upload-file", "=@/", "@/etc", "--data-binary"});
  }) || (line.runs({"tar", "zip", "mysqldump", "pg_dump"}) && line.runs({"nc", "ncat", "ssh", "curl"}));
}
bool hidden_place(const Line& line) {
  return std::ranges::any_of(line.commands, [](const Command& c) {
    const std::string_view program = c.program();
    const bool makes = program == "mkdir" || program == "cp" || program == "mv" || program == "install" || program == "chmod" || program == "curl" ||
                       program == "wget" || program == "tar" || program == "unzip" || is_shell(program) || program == "nohup";
    const bool runs = !c.words.empty() && std::ranges::any_of(c.words, [&](std::string_view w) { return base_name(w) == program && hidden_path(w); });
    return runs || (makes && std::ranges::any_of(c.arguments(), hidden_path));
  });
}
bool scanner(const Line& line) {
  return line.runs({"nmap", "masscan", "zmap", "hydra", "medusa", "linpeas.sh", "linpeas", "LinEnum.sh", "pspy64", "pspy"}) ||
         line.holds("-perm -4000") || line.holds("-perm -u=s");
}
bool cloud_recon(const Line& line) {
  return line.runs({"aws"}, [](const Command& c) {
    return c.has("get-caller-identity") || c.has("list-users") || c.has("list-buckets") || c.has("list-roles") || (c.has("s3") && c.has("ls"));
  });
}

using Test = bool (*)(const Line&);
struct Entry {
  Trick trick;
  Test test;
};

constexpr std::array<Entry, 26> kEntries = {{
    {{"download-run", "downloaded code from an unnamed source and ran it", 3}, download_run},
    {{"decode-run", "decoded hidden code and ran it", 3}, decode_run},
    {{"reverse-shell", "opened a shell to a remote host", 3}, reverse_shell},
    {{"miner", "started or configured a miner", 3}, miner},
    {{"root-account", "made an account with user id 0", 3}, root_account},
    {{"preload", "forced a library into every program", 3}, preload},
    {{"history-hiding", "hid the shell history", 3}, history_hiding},
    {{"log-tampering", "changed or deleted login logs", 3}, log_tampering},
    {{"set-id", "made a set-uid program", 2}, set_id},
    {{"timestomp", "set file times", 2}, timestomp},
    {{"immutable", "made a file undeletable", 2}, immutable},
    {{"key-written", "wrote an authorized_keys file", 2}, key_written},
    {{"sudo-rule", "wrote a sudo rule without password", 2}, sudo_rule},
    {{"pam-changed", "changed the login checks (PAM)", 2}, pam_changed},
    {{"updates-off", "switched off updates or protection", 2}, updates_off},
    {{"hosts-changed", "redirected host names", 2}, hosts_changed},
    {{"credentials-read", "read stored credentials", 2}, credentials_read},
    {{"hidden-place", "worked in a hidden folder", 2}, hidden_place},
    {{"scanner", "scanned for ways in", 2}, scanner},
    {{"anonymous-download", "fetched files from a bare address", 2}, anonymous_download},
    {{"upload", "sent files out", 2}, upload},
    {{"bulk-copy", "copied data out in bulk", 1}, bulk_copy},
    {{"installer-run", "ran an installer from the web", 1}, installer_run},
    {{"defences-down", "switched off a firewall or SELinux", 1}, defences_down},
    {{"cloud-recon", "asked what the cloud account holds", 1}, cloud_recon},
    {{"temp-run", "ran a program from a temporary folder", 1},
     [](const Line& line) {
       return std::ranges::any_of(line.commands, [](const Command& c) {
         return !c.words.empty() && std::ranges::any_of(c.words, [&](std::string_view w) {
           return (w.starts_with("/tmp/") || w.starts_with("/var/tmp/") || w.starts_with("/dev/shm/")) && base_name(w) == c.program();
         });
       });
     }},
}};

constexpr auto kTricks = [] {
  std::array<Trick, kEntries.size()> tricks{};
  for (std::size_t i = 0; i < kEntries.size(); ++i) tricks[i] = kEntries[i].trick;
  return tricks;
}();

}  // namespace

std::vector<const Trick*> tricks_of(std::string_view text) {
  text = trim(text.substr(0, std::size_t{64} << 10));
  std::vector<const Trick*> found;
  if (text.empty() || text.front() == '#') return found;
  const Line line{text, parse_commands(text)};
  for (std::size_t i = 0; i < kEntries.size(); ++i)
    if (kEntries[i].test(line)) found.push_back(&kTricks[i]);
  std::ranges::stable_sort(found, std::ranges::greater{}, &Trick::weight);
  return found;
}

std::span<const Trick> all_tricks() { return kTricks; }

}  // namespace icecore::detect
