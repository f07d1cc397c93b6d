// OpenSSH's files: authorized_keys and known_hosts (sshd(8)), sshd_config (sshd_config(5)), private keys.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "artefact/collector.h"

namespace icecore::artefact {

struct AuthorizedKey {
  std::uint64_t line = 0;
  std::uint64_t offset = 0;
  std::string options;      ///< `from="…",command="…"`; empty for none
  std::string type;         ///< "ssh-ed25519"
  std::string key;          ///< base64 as written
  std::string fingerprint;  ///< "SHA256:…" as ssh-keygen -l prints it; empty where the base64 is bad
  std::string comment;
};
std::vector<AuthorizedKey> parse_authorized_keys(std::string_view text);

struct KnownHost {
  std::uint64_t line = 0;
  std::uint64_t offset = 0;
  std::string marker;              ///< "@cert-authority", "@revoked"
  std::vector<std::string> hosts;  ///< "10.0.2.12", "[h]:2222"; empty where hashed
  bool hashed = false;
  std::string type, fingerprint;
};
std::vector<KnownHost> parse_known_hosts(std::string_view text);

struct SshdSetting {
  std::uint64_t line = 0;
  std::string match;       ///< the words after the Match that it stands under; empty outside
  std::string key, value;  ///< key in lower case
};
std::vector<SshdSetting> parse_sshd_config(std::string_view text);

struct PrivateKey {
  std::string format;  ///< "OPENSSH", "RSA", "EC", "PKCS8"
  bool encrypted = false;
  std::string fingerprint;  ///< of its public half, for the OPENSSH format
};
/// nullopt where the text holds no PEM private key.
std::optional<PrivateKey> parse_private_key(std::string_view text);

struct AuthorizedKeysFile {
  machine::FileRef file;
  std::string user;
  std::vector<AuthorizedKey> keys;
};
/// authorized_keys and authorized_keys2 of every home, and files that sshd_config's AuthorizedKeysFile names besides.
Result<std::vector<AuthorizedKeysFile>> authorized_keys_files(const Subject& subject);

struct KnownHostsFile {
  machine::FileRef file;
  std::string user;
  std::vector<KnownHost> hosts;
};
Result<std::vector<KnownHostsFile>> known_hosts_files(const Subject& subject);

/// data_type "linux:ssh:authorized_key" and "linux:ssh:known_host", at the file's mtime ("no later than").
Result<void> collect_ssh(const Subject& subject, EventSink& sink);

}  // namespace icecore::artefact
