#include "artefact/messages.h"

#include <fmt/format.h>

#include "artefact/scan.h"
#include "core/text.h"

namespace icecore::artefact {
namespace {

void set(Fields& fields, std::string_view name, std::string_view value) {
  if (!value.empty()) fields.insert_or_assign(std::string(name), std::string(value));
}

bool is_address(std::string_view text) { return !text.empty() && text.size() <= 255 && text.find(' ') == std::string_view::npos; }

// Takes "… from IP port N[…]" off the end of `text`. The last such words are sshd's own: a user's name may hold them too, and stands before.
bool take_endpoint(std::string_view& text, std::string_view word, Fields& fields, std::string_view* rest = nullptr) {
  const std::size_t at = text.rfind(word);
  if (at == std::string_view::npos) return false;
  std::string_view tail = text.substr(at + word.size());
  const std::string_view ip = take_until(tail, " port ");
  if (!is_address(ip)) return false;
  const std::size_t digits = std::min(tail.find_first_not_of("0123456789"), tail.size());
  if (digits > 0) set(fields, "port", tail.substr(0, digits));
  set(fields, "ip", ip);
  if (rest != nullptr) *rest = tail.substr(digits);
  text = text.substr(0, at);
  return true;
}

// "Accepted publickey for admin from 192.0.2.10 port 50122 ssh2: ED25519 SHA256:…", "Failed password for invalid user x from …"
MessageKind sshd_authentication(std::string_view text, bool accepted, Fields& fields) {
  set(fields, "method", take_until(text, " for "));
  std::string_view rest;
  if (!take_endpoint(text, " from ", fields, &rest)) return {};
  if (take_prefix(text, "invalid user ")) set(fields, "invalid_user", "true");
  set(fields, "user", text);
  take_prefix(rest, " ssh2");
  if (take_prefix(rest, ": ")) {
    set(fields, "key_type", take_until(rest, " "));
    set(fields, "fingerprint", rest.substr(0, rest.find(' ')));
  }
  return accepted ? MessageKind{"syslog:ssh:login", "accepted"} : MessageKind{"syslog:ssh:failed_connection", "failed"};
}

// "… [invalid user x|authenticating user x|user x] IP port N[:11: …] [preauth]"
MessageKind sshd_end(std::string_view text, Fields& fields) {
  const std::size_t at = text.rfind(" port ");
  if (at == std::string_view::npos) return {"", "disconnected"};
  std::string_view tail = text.substr(at + 6);
  set(fields, "port", tail.substr(0, tail.find_first_not_of("0123456789")));
  std::string_view head = text.substr(0, at);
  const std::size_t space = head.rfind(' ');
  set(fields, "ip", space == std::string_view::npos ? head : head.substr(space + 1));
  head = space == std::string_view::npos ? std::string_view() : head.substr(0, space);
  if (take_prefix(head, "invalid user ")) set(fields, "invalid_user", "true");
  take_prefix(head, "authenticating ");
  take_prefix(head, "user ");
  set(fields, "user", head);
  return {"", "disconnected"};
}

MessageKind parse_sshd(std::string_view text, Fields& fields) {
  if (take_prefix(text, "Accepted ")) return sshd_authentication(text, true, fields);
  if (take_prefix(text, "Failed ")) return sshd_authentication(text, false, fields);
  if (take_prefix(text, "Invalid user ")) {
    if (!take_endpoint(text, " from ", fields)) return {};
    set(fields, "user", text);
    return {"syslog:ssh:failed_connection", "invalid-user"};
  }
  if (take_prefix(text, "error: maximum authentication attempts exceeded for ")) {
    if (!take_endpoint(text, " from ", fields)) return {};
    if (take_prefix(text, "invalid user ")) set(fields, "invalid_user", "true");
    set(fields, "user", text);
    return {"syslog:ssh:failed_connection", "too-many-failures"};
  }
  if (take_prefix(text, "Connection from ")) {
    set(fields, "ip", take_until(text, " port "));
    set(fields, "port", text.substr(0, text.find(' ')));
    return {"syslog:ssh:opened_connection", "connected"};
  }
  for (const std::string_view begin : {"Disconnected from ", "Connection closed by ", "Connection reset by ", "Received disconnect from "})
    if (take_prefix(text, begin)) return sshd_end(text, fields);
  if (take_prefix(text, "Server listening on ")) {
    set(fields, "listen", take_until(text, " port "));
    set(fields, "port", text.substr(0, text.find_first_not_of("0123456789")));
    return {"", "listening"};
  }
  return {};
}

// "admin(uid=1000)"
void set_user(Fields& fields, std::string_view text) {
  const std::string_view name = take_until(text, "(uid=");
  set(fields, "user", name);
  set(fields, "uid", text.substr(0, text.find(')')));
}

// "pam_unix(sshd:session): session opened for user admin(uid=1000) by (uid=0)"
MessageKind parse_pam(std::string_view text, Fields& fields) {
  set(fields, "pam_module", take_until(text, "("));
  std::string_view service = take_until(text, "): ");
  set(fields, "service", take_until(service, ":"));
  if (take_prefix(text, "session opened for user ")) {
    const std::size_t by = text.rfind(" by ");
    if (by != std::string_view::npos) {
      std::string_view opener = text.substr(by + 4);
      set(fields, "by", take_until(opener, "(uid="));
      set(fields, "by_uid", opener.substr(0, opener.find(')')));
    }
    set_user(fields, text.substr(0, by));
    return {"", "session-opened"};
  }
  if (take_prefix(text, "session closed for user ")) {
    set_user(fields, text);
    return {"", "session-closed"};
  }
  if (take_prefix(text, "password changed for ")) {
    set(fields, "user", text);
    return {"", "password-changed"};
  }
  if (take_prefix(text, "authentication failure;")) {
    for (const std::string_view word : split_fields(text)) {
      if (word.starts_with("rhost=")) set(fields, "ip", word.substr(6));
      if (word.starts_with("tty=")) set(fields, "tty", word.substr(4));
      if (word.starts_with("ruser=")) set(fields, "remote_user", word.substr(6));
    }
    const std::size_t user = text.rfind(" user=");
    if (user != std::string_view::npos) set(fields, "user", text.substr(user + 6));
    return {"", "auth-failure"};
  }
  return {};
}

// "   admin : TTY=pts/0 ; PWD=/home/admin ; USER=root ; COMMAND=/usr/bin/id"; what went wrong stands first: "user NOT in sudoers ; TTY=…"
MessageKind parse_sudo(std::string_view text, Fields& fields) {
  text = trim(text);
  const std::size_t colon = text.find(" : ");
  const std::size_t command = text.find("COMMAND=");
  if (colon == std::string_view::npos || command == std::string_view::npos || command < colon) return {};
  set(fields, "user", text.substr(0, colon));
  set(fields, "command", text.substr(command + 8));
  std::string_view middle = text.substr(colon + 3, command - colon - 3);
  std::string_view action = "sudo";
  while (!middle.empty()) {
    std::string_view part = trim(take_until(middle, " ; "));
    if (take_prefix(part, "TTY="))
      set(fields, "tty", part);
    else if (take_prefix(part, "PWD="))
      set(fields, "cwd", part);
    else if (take_prefix(part, "USER="))
      set(fields, "target_user", part);
    else if (!part.empty() && part.find('=') == std::string_view::npos) {
      action = "sudo-denied";
      set(fields, "reason", part);
    }
  }
  return {"", action};
}

MessageKind parse_su(std::string_view text, Fields& fields) {
  const bool failed = take_prefix(text, "FAILED SU ");
  if (take_prefix(text, "(to ")) {
    set(fields, "target_user", take_until(text, ") "));
    set(fields, "user", take_until(text, " on "));
    set(fields, "tty", text);
    return {"", failed ? "su-denied" : "su"};
  }
  if (take_prefix(text, "Successful su for ")) {
    set(fields, "target_user", take_until(text, " by "));
    set(fields, "user", text);
    return {"", "su"};
  }
  return {};
}

// "new user: name=sysd, UID=0, GID=0, home=/root, shell=/bin/bash, from=/dev/pts/0"
void set_pairs(std::string_view text, Fields& fields) {
  while (!text.empty()) {
    std::string_view value = take_until(text, ", ");
    const std::string_view key = trim(take_until(value, "="));
    if (key == "name")
      set(fields, "user", value);
    else if (!key.empty() && key.size() < 20)
      set(fields, to_lower(key), value);
  }
}

MessageKind parse_account_tool(std::string_view text, Fields& fields) {
  if (take_prefix(text, "new user: ")) {
    set_pairs(text, fields);
    return {"", "user-added"};
  }
  if (take_prefix(text, "new group: ")) {
    set_pairs(text, fields);
    return {"", "group-added"};
  }
  if (take_prefix(text, "delete user '")) {
    set(fields, "user", take_until(text, "'"));
    return {"", "user-removed"};
  }
  if (take_prefix(text, "change user '")) {
    set(fields, "user", take_until(text, "'"));
    return {"", "user-changed"};
  }
  if (take_prefix(text, "add '")) {
    set(fields, "user", take_until(text, "' to "));
    const std::size_t quote = text.find('\'');
    if (quote != std::string_view::npos) set(fields, "group", text.substr(quote + 1, text.rfind('\'') - quote - 1));
    return {"", "group-member-added"};
  }
  return {};
}

// "(root) CMD (run-parts /etc/cron.hourly)"
MessageKind parse_cron(std::string_view text, Fields& fields) {
  if (!take_prefix(text, "(")) return {};
  const std::string_view user = take_until(text, ") ");
  const std::string_view verb = take_until(text, " (");
  if (text.ends_with(')')) text.remove_suffix(1);
  set(fields, "user", user);
  if (verb == "CMD") {
    set(fields, "command", text);
    return {"syslog:cron:task_run", "cron-run"};
  }
  for (const std::string_view edit : {"REPLACE", "BEGIN EDIT", "END EDIT", "DELETE", "RELOAD"}) {
    if (verb != edit) continue;
    set(fields, "table", text);
    return {"", "cron-table-changed"};
  }
  return {};
}

MessageKind parse_systemd(std::string_view text, Fields& fields) {
  for (const auto& [begin, action] : {std::pair{"Started ", "systemd-started"}, {"Stopped ", "systemd-stopped"}, {"Starting ", "systemd-starting"}}) {
    if (!take_prefix(text, begin)) continue;
    while (text.ends_with('.')) text.remove_suffix(1);
    set(fields, "unit", text.substr(0, text.find(" - ")));
    return {"", action};
  }
  return {"", text.starts_with("Reloading") ? "systemd-reloading" : ""};
}

MessageKind parse_logind(std::string_view text, Fields& fields) {
  if (take_prefix(text, "New session ")) {
    set(fields, "session", take_until(text, " of user "));
    if (text.ends_with('.')) text.remove_suffix(1);
    set(fields, "user", text);
    return {"", "session-new"};
  }
  if (take_prefix(text, "Session ") || take_prefix(text, "Removed session ")) {
    set(fields, "session", text.substr(0, text.find_first_of(" .")));
    return {"", "session-ended"};
  }
  return {};
}

}  // namespace

MessageKind parse_message(std::string_view reporter, std::string_view body, Fields& fields) {
  const std::string program = to_lower(reporter.substr(reporter.rfind('/') + 1));
  if (body.starts_with("pam_") && body.find("): ") != std::string_view::npos) return parse_pam(body, fields);
  if (program == "sshd" || program == "sshd-session") return parse_sshd(body, fields);
  if (program == "sudo") return parse_sudo(body, fields);
  if (program == "su") return parse_su(body, fields);
  if (program == "cron" || program == "crond" || program == "crontab" || program == "anacron") return parse_cron(body, fields);
  if (program == "systemd") return parse_systemd(body, fields);
  if (program == "systemd-logind") return parse_logind(body, fields);
  for (const std::string_view tool : {"useradd", "userdel", "usermod", "groupadd", "groupmod", "gpasswd", "adduser"})
    if (program == tool) return parse_account_tool(body, fields);
  return {};
}

}  // namespace icecore::artefact
