#include "engine/recover.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <algorithm>
#include <array>

#include "core/hash.h"
#include "core/interrupt.h"
#include "core/safe_json.h"
#include "core/text.h"
#include "engine/deleted.h"
#include "engine/safe_path.h"
#include "engine/scene_builder.h"
#include "machine/pattern.h"

namespace icecore::engine {
namespace {

using fs::ContentState;

constexpr std::size_t kChunk = std::size_t{4} << 20;
constexpr std::uint64_t kRoundBytes = std::uint64_t{64} << 20;  // fetched ahead as one round
constexpr std::size_t kRoundFiles = 512;
constexpr unsigned kMostSamePaths = 1000;

constexpr std::array<std::string_view, 8> kTypeNames = {"unknown",          "file",         "directory", "symlink",
                                                        "character-device", "block-device", "fifo",      "socket"};

OrderedJson json_of(const fs::Origin& origin) {
  OrderedJson json = {{"from", fs::origin_name(origin.kind)}};
  if (origin.transaction) json["transaction"] = *origin.transaction;
  if (origin.block) json["copy_of_block"] = *origin.block;
  if (origin.offset != 0) json["offset"] = origin.offset;
  if (origin.committed) json["committed"] = to_iso8601(*origin.committed);
  return json;
}

bool is_chosen(const RecoverOptions& options, const fs::DeletedFile& file, std::string_view path) {
  if (!options.pattern.empty() && !machine::matches_pattern(options.pattern, path)) return false;
  const fs::Sureness name = file.names.empty() ? file.sureness : file.names.front().sureness;
  return std::min(file.sureness, name) >= options.least;
}

bool is_for_partly(const fs::DeletedFile& file) {
  const bool state = file.content == ContentState::kPartlyOverwritten || file.content == ContentState::kUnknown;
  const bool regular = file.info.type == fs::FileType::kRegular || file.info.type == fs::FileType::kUnknown;
  return state && regular && file.info.size > 0 && !(file.extents.empty() && file.inside.empty());
}

// "" where its content can be written.
std::string why_not(const RecoverOptions& options, const fs::DeletedFile& file) {
  if (file.info.type == fs::FileType::kSymlink && !file.inside.empty()) return "a link to " + file.inside;
  if (file.info.type != fs::FileType::kRegular && file.info.type != fs::FileType::kUnknown)
    return "a " + std::string(kTypeNames[static_cast<std::size_t>(file.info.type)]);
  const bool partly = options.partly && is_for_partly(file);
  switch (file.content) {
    case ContentState::kIntact: return file.info.size == 0 ? "empty" : "";
    case ContentState::kNone: return "empty";
    case ContentState::kPartlyOverwritten: return partly ? "" : "partly overwritten: --partly writes what is left";
    case ContentState::kOverwritten: return "its blocks belong to other files now";
    case ContentState::kUnknown:
      if (!is_for_partly(file)) return "where its content was is not known";
      return partly ? "" : "where its content was is certain only in part: --partly writes what probably is it";
  }
  return "";
}

class Recovery {
 public:
  Recovery(const machine::Machine& machine, const Path& destination, const RecoverOptions& options,
           const std::function<void(const RecoveredEntry&)>& report)
      : machine_(machine), destination_(destination), options_(options), report_(report) {}

  Result<RecoverSummary> run(const std::vector<detect::Sweep>& sweeps, Progress& progress) {
    const std::vector<RecoveredEntry> entries = entries_of(sweeps);
    if (!options_.list_only) ICECORE_CHECK(open_manifest());
    progress.begin("recovering files", entries.size(), "files");
    const auto done = write_all(entries, progress);
    progress.end();
    ICECORE_CHECK(done);
    if (manifest_ && ::fsync(manifest_.get()) != 0) return errno_failure(errno, "sync", destination_ / "manifest.jsonl");
    summary_.manifest_sha256 = to_hex(hash_.finish());
    return summary_;
  }

 private:
  std::vector<RecoveredEntry> entries_of(const std::vector<detect::Sweep>& sweeps) {
    std::vector<RecoveredEntry> entries;
    for (std::size_t mount = 0; mount < sweeps.size(); ++mount) {
      if (!sweeps[mount].deleted) continue;
      for (const fs::DeletedFile& file : sweeps[mount].deleted->files) {
        std::string path = machine_path(machine_, mount, file.path());
        if (!is_chosen(options_, file, path)) continue;
        std::string left_out = why_not(options_, file);
        if (left_out.empty() && file.info.size > filesystem(mount).source().size()) left_out = "it claims to be larger than its disk";
        entries.push_back({std::move(path), mount, &file, {}, "", std::move(left_out), provenance_of(machine_, mount, file)});
      }
    }
    // Of one path the file that was deleted last comes first and has its name; what has no name comes at the end.
    std::ranges::stable_sort(entries, [](const RecoveredEntry& a, const RecoveredEntry& b) {
      if (a.path.empty() != b.path.empty()) return b.path.empty();
      if (a.path != b.path) return a.path < b.path;
      return a.file->info.deleted > b.file->info.deleted;
    });
    return entries;
  }

  Result<void> open_manifest() {
    std::error_code ignored;
    if (std::filesystem::exists(destination_, ignored) && !std::filesystem::is_empty(destination_, ignored))
      return fail(Code::kConflict, destination_.string() + " is not empty; what is there is not mixed with recovered files: give an empty folder");
    ICECORE_CHECK(make_private_directory(destination_));
    ICECORE_ASSIGN(manifest_, open_file(destination_ / "manifest.jsonl", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
    return {};
  }

  Result<void> write_all(const std::vector<RecoveredEntry>& entries, Progress& progress) {
    std::size_t announced = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (interrupted()) return interruption();
      if (i == announced && !options_.list_only) ICECORE_CHECK(announce(entries, announced));
      RecoveredEntry entry = entries[i];
      if (entry.left_out.empty() && !options_.list_only) ICECORE_CHECK(write(entry));
      ICECORE_CHECK(note(entry));
      progress.update(i + 1);
    }
    return {};
  }

  // The contents of the next files as one round for each filesystem.
  Result<void> announce(const std::vector<RecoveredEntry>& entries, std::size_t& next) const {
    std::map<std::size_t, std::vector<image::ByteRange>> ranges;
    std::uint64_t bytes = 0;
    const std::size_t first = next;
    for (; next < entries.size() && next - first < kRoundFiles && bytes < kRoundBytes; ++next) {
      if (!entries[next].left_out.empty()) continue;
      for (const fs::DeletedExtent& extent : entries[next].file->extents) {
        if (!extent.free || extent.unwritten) continue;
        const std::uint64_t length = std::min(extent.length, kRoundBytes - std::min(bytes, kRoundBytes));
        ranges[entries[next].mount].push_back({extent.source_offset, length});
        bytes += length;
      }
    }
    for (const auto& [mount, wanted] : ranges) ICECORE_CHECK(filesystem(mount).source().prefetch(wanted));
    return {};
  }

  const fs::Filesystem& filesystem(std::size_t mount) const { return *machine_.partitions()[machine_.mounts()[mount].partition].filesystem; }

  Result<void> write(RecoveredEntry& entry) {
    ICECORE_ASSIGN(FileDescriptor out, create(entry));
    Sha256 hash;
    Bytes chunk(kChunk);
    std::uint64_t offset = 0;
    while (offset < entry.file->info.size) {
      if (interrupted()) return interruption();
      const auto count = filesystem(entry.mount).read_deleted(*entry.file, offset, chunk);
      if (!count) {
        if (machine::ends_the_run(count.error().code)) return Failure(count.error());
        machine_.report(entry.path, count.error());
        return drop(entry, to_string(count.error()));
      }
      if (*count == 0) break;
      const ByteView piece = ByteView(chunk).first(*count);
      hash.update(piece);
      ICECORE_CHECK(write_content(out.get(), piece, offset, entry.local));
      offset += *count;
    }
    // A hole at the end has no bytes of its own.
    if (::ftruncate(out.get(), static_cast<off_t>(offset)) != 0) return errno_failure(errno, "write", entry.local);
    entry.sha256 = to_hex(hash.finish());
    ++summary_.written;
    summary_.bytes += offset;
    return {};
  }

  // Runs of zeros stay holes, so that a hostile size of terabytes takes no room here.
  static Result<void> write_content(int fd, ByteView piece, std::uint64_t offset, const Path& path) {
    constexpr std::size_t kPage = 4096;
    for (std::size_t at = 0; at < piece.size(); at += kPage) {
      const ByteView page = piece.subspan(at, std::min(kPage, piece.size() - at));
      if (is_all_zero(page)) continue;
      ICECORE_CHECK(write_exactly(fd, page, offset + at, path));
    }
    return {};
  }

  Result<void> drop(RecoveredEntry& entry, std::string why) const {
    (void)::unlink(entry.local.c_str());
    entry.local.clear();
    entry.left_out = std::move(why);
    return {};
  }

  // By its path; where that cannot be made here (a name that leads out, too long, a folder that is a file) as inode-N.
  Result<FileDescriptor> create(RecoveredEntry& entry) {
    if (!entry.path.empty()) {
      const auto wanted = path_below(destination_, entry.path);
      if (wanted) {
        auto file = create_at(*wanted, entry);
        if (file || file.error().code == Code::kInterrupted) return file;
      }
    }
    return create_at(destination_ / fmt::format("inode-{}", entry.file->info.inode), entry);
  }

  Result<FileDescriptor> create_at(const Path& wanted, RecoveredEntry& entry) const {
    ICECORE_CHECK(make_private_directory(wanted.parent_path()));
    for (unsigned copy = 1; copy <= kMostSamePaths; ++copy) {
      entry.local = copy == 1 ? wanted : Path(wanted.string() + fmt::format("~{}", copy));
      std::error_code ignored;
      if (std::filesystem::exists(std::filesystem::symlink_status(entry.local, ignored))) continue;
      return open_file(entry.local, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    }
    return fail(Code::kConflict, fmt::format("more than {} deleted files of the path {}", kMostSamePaths, wanted.string()));
  }

  Result<void> note(const RecoveredEntry& entry) {
    ++summary_.found;
    if (!entry.left_out.empty() && !options_.partly && is_for_partly(*entry.file)) ++summary_.only_partly;
    if (!entry.left_out.empty() && entry.file->content == ContentState::kOverwritten) ++summary_.overwritten;
    report_(entry);
    if (!manifest_) return {};
    OrderedJson json = manifest_line(entry);
    if (!entry.local.empty()) json["file"] = valid_utf8(entry.local.lexically_relative(destination_).string());
    const std::string line = safe_json(json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace)) + '\n';
    hash_.update(as_bytes(line));
    const std::uint64_t at = std::exchange(written_, written_ + line.size());
    return write_exactly(manifest_.get(), as_bytes(line), at, destination_ / "manifest.jsonl");
  }

  const machine::Machine& machine_;
  const Path destination_;
  const RecoverOptions& options_;
  const std::function<void(const RecoveredEntry&)>& report_;
  FileDescriptor manifest_;
  std::uint64_t written_ = 0;
  Sha256 hash_;
  RecoverSummary summary_;
};

Result<RecoverSummary> recover_all(Workspace& workspace, const machine::Machine& machine, const Path& destination, const RecoverOptions& options,
                                   const std::function<void(const RecoveredEntry&)>& report) {
  ICECORE_ASSIGN(auto sweeps, sweep_machine(workspace, machine));
  ICECORE_CHECK(find_deleted(workspace, machine, sweeps));
  return Recovery(machine, destination, options, report).run(sweeps, workspace.progress());
}

}  // namespace

OrderedJson manifest_line(const RecoveredEntry& entry) {
  const fs::DeletedFile& file = *entry.file;
  OrderedJson json;
  json["path"] = entry.path.empty() ? OrderedJson(nullptr) : OrderedJson(valid_utf8(entry.path));
  json["inode"] = file.info.inode;
  json["type"] = kTypeNames[static_cast<std::size_t>(file.info.type)];
  json["size"] = file.info.size;
  if (!file.size_exact) json["size_exact"] = false;
  if (!entry.sha256.empty()) json["sha256"] = entry.sha256;
  if (!entry.left_out.empty()) json["left_out"] = valid_utf8(entry.left_out);
  json["state"] = fs::state_name(file.content);
  json["sureness"] = fs::sureness_name(file.sureness);
  json["source"] = json_of(file.origin);
  OrderedJson names = OrderedJson::array();
  for (const fs::DeletedName& name : file.names) {
    OrderedJson one = {{"path", valid_utf8(name.path)}, {"sureness", fs::sureness_name(name.sureness)}};
    one.update(json_of(name.origin));
    names.push_back(std::move(one));
  }
  json["names"] = std::move(names);
  json["inode_reused"] = file.inode_reused;
  if (file.info.deleted) json["deleted"] = to_iso8601(*file.info.deleted);
  if (file.info.mode != 0) {
    json.update({{"mode", fs::mode_string(file.info.type, file.info.mode)}, {"uid", file.info.uid}, {"gid", file.info.gid}});
    json.update(
        {{"modified", to_iso8601(file.info.modified)}, {"changed", to_iso8601(file.info.changed)}, {"accessed", to_iso8601(file.info.accessed)}});
    if (file.info.born) json["born"] = to_iso8601(*file.info.born);
  }
  OrderedJson extents = OrderedJson::array();
  for (const fs::DeletedExtent& extent : file.extents)
    extents.push_back({{"file_offset", extent.file_offset}, {"offset", extent.source_offset}, {"length", extent.length}, {"free", extent.free}});
  if (!extents.empty()) json["extents"] = std::move(extents);
  OrderedJson provenance = {{"snapshot", valid_utf8(entry.where.snapshot)}};
  if (!entry.where.volume.empty()) provenance["volume"] = valid_utf8(entry.where.volume);
  if (entry.where.partition) provenance["partition"] = *entry.where.partition;
  provenance["filesystem"] = entry.where.filesystem;
  if (entry.where.image_offset) provenance["image_offset"] = *entry.where.image_offset;
  json["provenance"] = std::move(provenance);
  return json;
}

Result<RecoverSummary> recover(Workspace& workspace, const Target& target, const Path& destination, const RecoverOptions& options,
                               const std::function<void(const RecoveredEntry&)>& report) {
  if (!target.machine) return fail(Code::kNotFound, target.name + " holds no filesystem that can be read");
  std::uint64_t act = 0;
  const bool logged = workspace.has_case() && !options.list_only;
  if (logged) {
    ICECORE_ASSIGN(act, workspace.folder().ledger().intend({{"act", "recover"},
                                                            {"target", valid_utf8(target.name)},
                                                            {"directory", valid_utf8(std::filesystem::absolute(destination).string())},
                                                            {"paths", valid_utf8(options.pattern)}}));
  }
  auto summary = recover_all(workspace, *target.machine, destination, options, report);
  if (logged) {
    Json body = {{"ok", summary.has_value()}};
    if (summary)
      body.update(
          {{"found", summary->found}, {"written", summary->written}, {"bytes", summary->bytes}, {"manifest_sha256", summary->manifest_sha256}});
    else
      body["error"] = valid_utf8(to_string(summary.error()));
    ICECORE_CHECK(workspace.folder().ledger().conclude(act, std::move(body)));
  }
  return summary;
}

}  // namespace icecore::engine
