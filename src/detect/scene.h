// What detectors look at. The engine fills it; detectors only read. Parts that are missing are empty, and detectors make do: a bare image has no
// control plane, a case without a snapshot has no machine.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "artefact/collector.h"
#include "artefact/dpkg_database.h"
#include "detect/event_store.h"
#include "fs/deleted_file.h"
#include "fs/file_table.h"
#include "machine/facts.h"
#include "machine/machine.h"

namespace icecore::detect {

/// A piece of the instance's metadata as text, and the file of the case that holds it.
struct InstanceText {
  std::string text;       ///< decoded (user-data: of its base64)
  std::string case_file;  ///< "instances/i-…/user-data"
};

/// What the control plane said about the instance.
struct InstanceMetadata {
  std::string instance;  ///< i-…
  std::optional<InstanceText> user_data;
  std::vector<InstanceText> console_output;          ///< each way in which it was asked for, oldest first
  std::vector<std::string> launch_keys;              ///< public key lines or bare base64 blobs, where known
  std::vector<std::string> launch_key_fingerprints;  ///< as EC2 writes them: "aa:bb:…" (MD5 of an imported RSA key) or base64 SHA-256 (ed25519)
  std::string launch_key_name;
  std::optional<Timestamp> launch_time;
  /// Request ids of icecore's own calls, from the ledger: they are no incident. Never a whole key: the thief may hold the responder's.
  std::set<std::string, std::less<>> own_requests;
};

/// One filesystem's sweep. The index borrows the table.
struct Sweep {
  std::shared_ptr<const fs::FileTable> table;
  std::shared_ptr<const fs::PathIndex> paths;
  std::shared_ptr<const fs::DeletedFiles> deleted;  ///< null where nobody looked for deleted files
  static Sweep of(fs::FileTable table);
};

/// A deleted file that was given back whole.
struct RecoveredFile {
  std::size_t mount = 0;
  std::string path;  ///< as well as it is known: "/var/tmp/.x/install.sh"
  fs::FileInfo info;
  std::string content;
  std::string sha256;
  Provenance where;
};

struct Scene {
  machine::MachinePtr machine;  ///< null where there is only the control plane
  machine::Facts facts;
  std::vector<Sweep> sweeps;    ///< by index of Machine::mounts(); an entry without a table was not swept
  artefact::DpkgDatabase dpkg;  ///< empty where the machine has none: then nothing is said about ownership
  EventStore events;            ///< of the machine's logs and of CloudTrail
  InstanceMetadata instance;
  std::vector<RecoveredFile> recovered;

  bool has_machine() const { return machine != nullptr; }
};

/// A name in the sweeps. Paths are joined only when asked for.
struct SweptFile {
  std::size_t mount = 0;
  const fs::FileInfo* info = nullptr;
  const fs::Name* name = nullptr;
  const Sweep* sweep = nullptr;
  const machine::Mount* mounted = nullptr;

  std::string_view text() const { return sweep->table->text_of(*name); }
  std::string folder() const;  ///< as the machine saw it; "" for the root
  std::string path() const;
  machine::FileRef ref() const;
};

/// Every live name of every sweep, in order of mounts and of the table.
void for_each_name(const Scene& scene, const std::function<void(const SweptFile&)>& visit);

enum class Ownership { kUnknown, kPackaged, kUnpackaged };
/// Whether a package installed this path. kUnknown on machines without dpkg.
Ownership ownership(const Scene& scene, std::string_view path);

/// When this instance first came up: the birth of cloud-init's folder for it, else the oldest of its SSH host keys, else its launch time. What is
/// older came with the image.
Result<std::optional<Timestamp>> first_boot(const Scene& scene);

}  // namespace icecore::detect
