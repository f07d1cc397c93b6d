#include "evidence/case_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>
#include <cerrno>

#include "core/random.h"
#include "core/text.h"
#include "evidence/case_path.h"
#include "evidence/checkpoint.h"
#include "evidence/manifest.h"

namespace icecore::evidence {
namespace {

constexpr std::string_view kFormat = "icecore-case/1";
constexpr std::string_view kIdentityFile = "case.json";
constexpr std::string_view kLedgerFile = "ledger.jsonl";
constexpr std::string_view kLockFile = ".lock";
constexpr std::string_view kTemporary = ".tmp";
constexpr int kLockTries = 10;
constexpr std::int64_t kLockPauseMs = 100;

bool is_present(const Path& path) {
  std::error_code ignored;
  return std::filesystem::exists(std::filesystem::symlink_status(path, ignored));
}

Result<bool> is_empty_but_lock(const Path& folder) {
  std::error_code error;
  std::filesystem::directory_iterator entries(folder, error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error))
    if (entries->path().filename() != kLockFile) return false;
  if (error) return errno_failure(error.value(), "list", folder);
  return true;
}

Result<FileDescriptor> take_lock(const Path& folder, const RunIdentity& run, const Clock& clock) {
  const Path path = folder / kLockFile;
  ICECORE_ASSIGN(FileDescriptor lock, open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  // A mount that was taken away signs its run before it lets go: `fusermount3 -u DIR && icecore reset CASE` shall not fail for that.
  int taken = ::flock(lock.get(), LOCK_EX | LOCK_NB);
  for (int i = 0; i < kLockTries && taken != 0 && errno == EWOULDBLOCK; ++i) {
    clock.sleep_for(kLockPauseMs);
    taken = ::flock(lock.get(), LOCK_EX | LOCK_NB);
  }
  if (taken != 0) {
    if (errno != EWOULDBLOCK) return errno_failure(errno, "lock", path);
    const std::string holder = read_text_file(path, 4096).value_or("");
    return fail(Code::kBusy, fmt::format("the case {} is in use by {}; wait for it to end (a mount: fusermount3 -u DIR), or stop it and run the "
                                         "command again",
                                         folder.string(), holder.empty() ? "another run" : printable(trim(holder))));
  }
  // Whoever is refused has to know what it is that they wait for.
  const std::string mine =
      fmt::format("process {} on {} ({}; {}, since {})\n", ::getpid(), run.host, run.command, run.run, to_iso8601(clock.now(), 0));
  if (::ftruncate(lock.get(), 0) != 0) return errno_failure(errno, "write", path);
  ICECORE_CHECK(write_exactly(lock.get(), as_bytes(mine), 0, path));
  return lock;
}

Result<CaseIdentity> parse_identity(std::string_view text) {
  ICECORE_ASSIGN(const Json json, parse_json(text, kIdentityFile));
  if (text_at(json, "format") != kFormat)
    return fail(Code::kUnsupported,
                fmt::format("{} has the format \"{}\", and this version reads \"{}\"", kIdentityFile, printable(text_at(json, "format")), kFormat));
  CaseIdentity identity{text_at(json, "case"), text_at(json, "created"), {text_at(json, "account"), text_at(json, "region"), {}}};
  if (const Json& instances = json_at(json, {"instances"}); instances.is_array())
    for (const Json& instance : instances)
      if (instance.is_string()) identity.binding.instances.insert(instance.get<std::string>());
  return identity;
}

std::string format_identity(const CaseIdentity& identity) {
  OrderedJson json;
  json["format"] = kFormat;
  json["case"] = identity.id;
  json["created"] = identity.created;
  json["account"] = identity.binding.account;
  json["region"] = identity.binding.region;
  json["instances"] = identity.binding.instances;
  return json.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

// What `wanted` adds to `have`; kConflict where they differ.
Result<CaseBinding> merged(const CaseBinding& have, const CaseBinding& wanted, const Path& folder) {
  const auto conflict = [&](std::string_view what, const std::string& old_value, const std::string& new_value) {
    return fail(Code::kConflict, fmt::format("the case {} belongs to {} {}, not {}; choose another folder with --case, or other credentials",
                                             folder.string(), what, old_value, new_value));
  };
  CaseBinding result = have;
  if (!wanted.account.empty()) {
    if (!have.account.empty() && have.account != wanted.account) return conflict("account", have.account, wanted.account);
    result.account = wanted.account;
  }
  if (!wanted.region.empty()) {
    if (!have.region.empty() && have.region != wanted.region) return conflict("region", have.region, wanted.region);
    result.region = wanted.region;
  }
  result.instances.insert(wanted.instances.begin(), wanted.instances.end());
  return result;
}

Result<void> remove_if_there(const Path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return errno_failure(errno, "remove", path);
  return {};
}

}  // namespace

CaseFolder::CaseFolder(Path folder, FileDescriptor lock) : folder_(std::move(folder)), lock_(std::move(lock)) {}
CaseFolder::~CaseFolder() = default;

Result<std::unique_ptr<CaseFolder>> CaseFolder::open_or_create(const Path& folder, const CaseBinding& binding, RunIdentity run, const Clock& clock) {
  ICECORE_CHECK(make_private_directory(folder));
  if (!is_present(folder / kLedgerFile)) {
    ICECORE_ASSIGN(const bool empty, is_empty_but_lock(folder));
    if (!empty) return fail(Code::kConflict, fmt::format("{} holds other files and is no case; name a new or an empty folder", folder.string()));
  }
  return enter(folder, binding, std::move(run), clock);
}

Result<std::unique_ptr<CaseFolder>> CaseFolder::open(const Path& folder, RunIdentity run, const Clock& clock) {
  if (!is_present(folder / kLedgerFile)) return fail(Code::kNotFound, fmt::format("{} is no case: it has no {}", folder.string(), kLedgerFile));
  return enter(folder, {}, std::move(run), clock);
}

// The run begins (and the manifest goes) only once nothing can refuse it: a refused command leaves the case as it was.
Result<std::unique_ptr<CaseFolder>> CaseFolder::enter(const Path& folder, const CaseBinding& binding, RunIdentity run, const Clock& clock) {
  ICECORE_ASSIGN(FileDescriptor lock, take_lock(folder, run, clock));
  std::unique_ptr<CaseFolder> result(new CaseFolder(folder, std::move(lock)));
  ICECORE_ASSIGN(result->ledger_, Ledger::open(folder / kLedgerFile, std::move(run), clock));
  ICECORE_CHECK(result->load_identity());
  CaseIdentity identity = result->identity_;
  if (identity.id.empty()) identity = {"case-" + random_hex(8), to_iso8601(clock.now(), 6), {}};
  ICECORE_ASSIGN(identity.binding, merged(identity.binding, binding, folder));
  ICECORE_CHECK(result->begin_run());
  ICECORE_CHECK(result->store_identity(identity));
  return result;
}

Result<void> CaseFolder::load_identity() {
  if (!is_present(folder_ / kIdentityFile)) return {};
  ICECORE_ASSIGN(const std::string text, read(kIdentityFile));
  ICECORE_ASSIGN(identity_, parse_identity(text));
  return {};
}

Result<void> CaseFolder::store_identity(const CaseIdentity& identity) {
  ICECORE_CHECK(write_evidence(kIdentityFile, format_identity(identity), "icecore: what the case belongs to", Existing::kReplace));
  const std::scoped_lock lock(mutex_);
  identity_ = identity;
  return {};
}

Result<void> CaseFolder::begin_run() {
  ICECORE_ASSIGN(run_act_, ledger_->intend({{"act", "run"}, {"command", ledger_->run().command}, {"process", ::getpid()}}));
  ICECORE_CHECK(remove_if_there(folder_ / kManifestFile));
  ICECORE_CHECK(remove_if_there(folder_ / kManifestSignature));
  return recover_writes();
}

// Files that a killed run was writing: either the file got its name, then its outcome is written now, or it did not, and that is said.
Result<void> CaseFolder::recover_writes() {
  ICECORE_ASSIGN(const std::vector<CaseFile> files, list_case(folder_));
  for (const CaseFile& file : files)
    if (file.path.ends_with(kTemporary)) ICECORE_CHECK(remove_if_there(folder_ / file.path));
  for (const Entry& intent : ledger_->summary().open_intents()) {
    const std::string act = text_at(intent.body, "act");
    if (intent.seq == run_act_) continue;
    if (act == "run") ICECORE_CHECK(ledger_->conclude(intent.act, {{"ok", false}, {"error", "the run was killed"}}));
    if (act != "write-file") continue;
    Json body = {{"ok", false}, {"error", "the run was killed before the file got its name"}};
    const std::string path = text_at(intent.body, "path");
    const Result<std::string> relative = checked_relative(path);
    const Result<std::string> hash = relative ? hash_beneath(folder_, *relative) : relative;
    if (hash && *hash == text_at(intent.body, "sha256"))
      body = {{"ok", true},
              {"recovered", true},
              {"file", {{"path", path}, {"sha256", *hash}, {"size", json_at(intent.body, {"size"})}, {"source", text_at(intent.body, "source")}}}};
    ICECORE_CHECK(ledger_->conclude(intent.act, std::move(body)));
  }
  return {};
}

CaseIdentity CaseFolder::identity() const {
  const std::scoped_lock lock(mutex_);
  return identity_;
}

Result<void> CaseFolder::bind(const CaseBinding& binding) {
  CaseIdentity wanted = identity();
  ICECORE_ASSIGN(wanted.binding, merged(wanted.binding, binding, folder_));
  return store_identity(wanted);
}

Result<std::string> CaseFolder::read(std::string_view relative) const {
  ICECORE_ASSIGN(const std::string checked, checked_relative(relative));
  ICECORE_ASSIGN(const FileDescriptor file, open_beneath(folder_, checked));
  return read_text_file(Path("/proc/self/fd") / std::to_string(file.get()));
}

Result<Path> CaseFolder::place(std::string_view relative) const {
  ICECORE_ASSIGN(const std::string checked, checked_relative(relative));
  ICECORE_CHECK(make_parents(folder_, checked));
  return folder_ / checked;
}

Result<void> CaseFolder::seal_image(std::string_view relative, std::uint64_t blocks, std::string_view sha256) {
  ICECORE_ASSIGN(const std::uint64_t act, ledger_->intend({{"act", "seal-image"}, {"path", relative}}, Sync::kLater));
  return ledger_->conclude(act, {{"ok", true}, {"image", {{"path", relative}, {"blocks", blocks}, {"sha256", sha256}}}});
}

Result<void> CaseFolder::publish_key(const SigningKey& key) {
  const PublicKey vouching = key.public_key();
  ICECORE_CHECK(write_evidence(key_file(vouching.key_id()), vouching.pem(), "icecore: the public key of the signatures"));
  return {};
}

Result<std::string> CaseFolder::sign_checkpoint(const SigningKey& key) {
  ICECORE_CHECK(publish_key(key));
  const std::string key_id = key.public_key().key_id();
  const std::scoped_lock lock(write_mutex_);
  const LedgerSummary summary = ledger_->summary();
  const std::uint64_t number = summary.checkpoints().size() + 1;
  const std::string relative = checkpoint_file(number);
  ICECORE_ASSIGN(const Ledger::Sealed sealed, ledger_->checkpoint({{"checkpoint", number}, {"file", relative}, {"key", key_id}}));
  const Entry& entry = sealed.entry;
  const CheckpointClaim claim{entry.seq, sealed.prefix_sha256, entry.sha256, identity().id, entry.run, entry.time};
  ICECORE_ASSIGN(const std::string envelope, format_checkpoint(key, claim));
  ICECORE_CHECK(write_file_atomically(folder_ / relative, envelope));
  return relative;
}

// Hashes come from the ledger where it has them: the manifest says what was written, not what somebody made of it since.
Result<std::string> CaseFolder::manifest(const Finish& finish, const std::string& ledger_sha256) const {
  ICECORE_ASSIGN(const std::vector<CaseFile> files, list_case(folder_));
  ManifestContent content;
  content.left_out = finish.left_out;
  for (const CaseFile& file : files) {
    if (!file.regular || content.left_out.contains(file.path)) continue;
    const auto known = finish.known_hashes.find(file.path);
    std::string hash;
    if (file.path == kLedgerFile) {
      hash = ledger_sha256;
    } else if (known != finish.known_hashes.end()) {
      hash = known->second;
    } else {
      ICECORE_ASSIGN(hash, hash_beneath(folder_, file.path));
    }
    content.files.push_back({hash, file.path});
  }
  return format_manifest(content);
}

Result<void> CaseFolder::finish_run(const SigningKey& key, const Finish& finish) {
  ICECORE_CHECK(sign_checkpoint(key));
  // conclude_after holds the ledger, which manifest() would ask for the records: they are taken before.
  std::map<std::string, std::string> recorded;
  const LedgerSummary summary = ledger_->summary();
  for (const auto& [path, record] : summary.files()) recorded[path] = record.sha256;
  Finish with_records = finish;
  with_records.known_hashes.merge(recorded);
  const auto write_manifest = [&](const std::string& ledger_sha256) -> Result<void> {
    ICECORE_ASSIGN(const std::string text, manifest(with_records, ledger_sha256));
    ICECORE_CHECK(write_file_atomically(folder_ / kManifestFile, text));
    const std::string time = to_iso8601(ledger_->clock().now(), 6);
    ICECORE_ASSIGN(const std::string envelope, format_manifest_signature(key, to_hex(sha256(as_bytes(text))), identity().id, time));
    return write_file_atomically(folder_ / kManifestSignature, envelope);
  };
  return ledger_->conclude_after(run_act_, {{"ok", finish.ok}, {"summary", finish.summary}}, write_manifest);
}

}  // namespace icecore::evidence
