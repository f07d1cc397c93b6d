// sshd(8), AUTHORIZED_KEYS FILE FORMAT and SSH_KNOWN_HOSTS FILE FORMAT; sshd_config(5); PROTOCOL.key of OpenSSH.
#include "artefact/ssh.h"

#include <algorithm>

#include "artefact/scan.h"
#include "core/hash.h"
#include "core/text.h"

namespace icecore::artefact {
namespace {

template <typename Visit>
void each_line(std::string_view text, Visit visit) {
  std::uint64_t number = 0;
  for (const std::string_view raw : split_lines(text)) {
    ++number;
    const std::string_view line = trim(raw);
    if (!line.empty() && line.front() != '#') visit(line, number, static_cast<std::uint64_t>(raw.data() - text.data()));
  }
}

std::string_view take_word(std::string_view& text) {
  text = text.substr(std::min(text.find_first_not_of(" \t"), text.size()));
  const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

bool is_key_type(std::string_view word) {
  return word.starts_with("ssh-") || word.starts_with("ecdsa-sha2-") || word.starts_with("sk-ssh-") || word.starts_with("sk-ecdsa-");
}

// Options end at the first blank outside quotes.
std::string_view take_options(std::string_view& text) {
  bool quoted = false;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 1 < text.size() && text[at + 1] == '"')
      ++at;
    else if (text[at] == '"')
      quoted = !quoted;
    else if (!quoted && (text[at] == ' ' || text[at] == '\t'))
      break;
  }
  at = std::min(at, text.size());
  const std::string_view options = text.substr(0, at);
  text.remove_prefix(at);
  return options;
}

std::string fingerprint_of(ByteView blob) {
  const Sha256Digest digest = sha256(blob);
  std::string text = to_base64(digest);
  while (text.ends_with('=')) text.pop_back();
  return "SHA256:" + text;
}

std::string fingerprint_of_base64(std::string_view base64) {
  const auto blob = from_base64(base64);
  return blob && !blob->empty() ? fingerprint_of(*blob) : std::string();
}

// An SSH string: length as be32, bytes.
Result<ByteView> take_string(Cursor& cursor) {
  ICECORE_ASSIGN(const std::uint32_t length, cursor.be<std::uint32_t>());
  return cursor.take(length);
}

Result<void> read_openssh_key(std::string_view body, PrivateKey& key) {
  std::string compact;
  for (const char c : body)
    if (c != '\n' && c != '\r' && c != ' ' && c != '\t') compact += c;
  ICECORE_ASSIGN(const Bytes blob, from_base64(compact));
  Cursor cursor(blob, Location{"private key"});
  ICECORE_ASSIGN(const ByteView magic, cursor.take(15));
  if (as_text(magic) != std::string_view("openssh-key-v1\0", 15)) return fail(Code::kCorrupt, "not an OpenSSH private key");
  ICECORE_ASSIGN(const ByteView cipher, take_string(cursor));
  key.encrypted = as_text(cipher) != "none";
  for (int i = 0; i < 2; ++i) ICECORE_CHECK(take_string(cursor));  // kdf and its options
  ICECORE_ASSIGN(const std::uint32_t count, cursor.be<std::uint32_t>());
  if (count == 0) return {};
  ICECORE_ASSIGN(const ByteView public_key, take_string(cursor));
  key.fingerprint = fingerprint_of(public_key);
  return {};
}

}  // namespace

std::vector<AuthorizedKey> parse_authorized_keys(std::string_view text) {
  std::vector<AuthorizedKey> keys;
  each_line(text, [&](std::string_view line, std::uint64_t number, std::uint64_t offset) {
    AuthorizedKey key{number, offset, {}, {}, {}, {}, {}};
    std::string_view rest = line;
    std::string_view word = take_word(rest);
    if (!is_key_type(word)) {
      rest = line;
      key.options = std::string(take_options(rest));
      word = take_word(rest);
    }
    if (!is_key_type(word)) return;
    key.type = std::string(word);
    key.key = std::string(take_word(rest));
    key.fingerprint = fingerprint_of_base64(key.key);
    key.comment = std::string(trim(rest));
    keys.push_back(std::move(key));
  });
  return keys;
}

std::vector<KnownHost> parse_known_hosts(std::string_view text) {
  std::vector<KnownHost> hosts;
  each_line(text, [&](std::string_view line, std::uint64_t number, std::uint64_t offset) {
    KnownHost host{number, offset, {}, {}, false, {}, {}};
    if (line.front() == '@') host.marker = std::string(take_word(line));
    const std::string_view names = take_word(line);
    host.type = std::string(take_word(line));
    host.fingerprint = fingerprint_of_base64(take_word(line));
    if (names.empty() || host.type.empty()) return;
    host.hashed = names.starts_with("|1|");
    if (!host.hashed)
      for (const std::string_view name : split(names, ',')) host.hosts.emplace_back(name);
    hosts.push_back(std::move(host));
  });
  return hosts;
}

std::vector<SshdSetting> parse_sshd_config(std::string_view text) {
  std::vector<SshdSetting> settings;
  std::string match;
  each_line(text, [&](std::string_view line, std::uint64_t number, std::uint64_t) {
    const std::size_t end = std::min(line.find_first_of(" \t="), line.size());
    const std::string key = to_lower(line.substr(0, end));
    std::string_view value = trim(line.substr(end));
    take_prefix(value, "=");
    value = trim(value);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    if (key == "match")
      match = std::string(value);
    else
      settings.push_back({number, match, key, std::string(value)});
  });
  return settings;
}

std::optional<PrivateKey> parse_private_key(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN ", kEnd = "PRIVATE KEY-----";
  const std::size_t begin = text.find(kBegin);
  if (begin == std::string_view::npos) return std::nullopt;
  std::string_view rest = text.substr(begin + kBegin.size());
  const std::size_t end = rest.substr(0, 64).find(kEnd);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view kind = trim(rest.substr(0, end));
  rest.remove_prefix(end + kEnd.size());
  const std::string_view body = rest.substr(0, rest.find("-----END"));
  PrivateKey key;
  key.format = kind.empty() || kind == "ENCRYPTED" ? "PKCS8" : std::string(kind);
  key.encrypted = kind == "ENCRYPTED" || body.find("Proc-Type: 4,ENCRYPTED") != std::string_view::npos;
  if (kind == "OPENSSH") (void)read_openssh_key(body, key);  // a damaged body is a private key all the same
  return key;
}

}  // namespace icecore::artefact
