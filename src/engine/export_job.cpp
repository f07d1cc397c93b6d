#include "engine/export_job.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>

#include "container/container.h"
#include "core/hash.h"
#include "core/parallel.h"
#include "core/text.h"
#include "engine/local_image.h"
#include "evidence/manifest.h"
#include "image/file_source.h"

namespace icecore::engine {
namespace {

constexpr std::uint64_t kWindow = std::uint64_t{8} << 30;

Result<Disk*> pick(Target& target, const std::optional<std::string>& wanted) {
  std::string known;
  for (Disk& disk : target.disks) {
    if (wanted ? disk.snapshot == *wanted || disk.volume == *wanted : target.disks.size() == 1) return &disk;
    known += fmt::format("{}{}{}", known.empty() ? "" : ", ", disk.snapshot, disk.volume.empty() ? "" : " (" + disk.volume + ")");
  }
  if (target.disks.empty()) return fail(Code::kNotFound, target.name + " has no disk; run icecore collect first");
  return fail(Code::kInvalidArgument, wanted ? fmt::format("{} is none of the target's disks: {}", *wanted, known)
                                             : fmt::format("--disk says which of the target's disks: {}", known));
}

Result<void> complete(Workspace& workspace, Disk& disk, bool fetch) {
  if (!disk.on_demand || disk.on_demand->progress().complete) return {};
  if (!fetch)
    return fail(Code::kConflict, fmt::format("{} is not wholly here: icecore acquire fetches the rest, or --fetch does it now", disk.snapshot));
  ICECORE_CHECK(disk.on_demand->list_all());
  const image::ImageProgress known = disk.on_demand->progress();
  workspace.say(fmt::format("{}: fetching {}", disk.snapshot, human_size((known.written_blocks - known.recorded_blocks) * image::kBlockSize)));
  return disk.on_demand->acquire_all(workspace.progress());
}

// A block that was never written is not in blocks.db, and a complete image has every other.
auto recorded_data(const image::OnDemandImage& image) {
  struct State {
    std::uint64_t end = 0;  // of the window that was asked for
    std::vector<std::uint64_t> blocks;
    std::size_t next = 0;
  };
  return [&image, state = std::make_shared<State>()](std::uint64_t offset) -> Result<std::optional<image::ByteRange>> {
    for (;;) {
      for (; state->next < state->blocks.size(); ++state->next) {
        const std::uint64_t begin = state->blocks[state->next] * image::kBlockSize;
        if (begin + image::kBlockSize > offset) return std::optional(image::ByteRange{begin, image::kBlockSize});
      }
      if (state->end >= image.size()) return std::optional<image::ByteRange>();
      ICECORE_ASSIGN(const auto references, image.block_references({state->end, std::min(kWindow, image.size() - state->end)}));
      state->blocks.clear();
      for (const BlockReference& reference : references) state->blocks.push_back(reference.index);
      state->next = 0;
      state->end = std::min(state->end + kWindow, image.size());
    }
  };
}

auto sparse_data(std::shared_ptr<const FileDescriptor> file, const std::string& name) {
  return [file, name](std::uint64_t offset) -> Result<std::optional<image::ByteRange>> {
    const off_t begin = ::lseek(file->get(), static_cast<off_t>(offset), SEEK_DATA);
    if (begin < 0 && errno == ENXIO) return std::optional<image::ByteRange>();
    if (begin < 0) return errno_failure(errno, "look for holes in", name);
    const off_t end = ::lseek(file->get(), begin, SEEK_HOLE);
    if (end < 0) return errno_failure(errno, "look for holes in", name);
    return std::optional(image::ByteRange{static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(end - begin)});
  };
}

container::WriteOptions options_for(Workspace& workspace, const Disk& disk) {
  container::WriteOptions options;
  options.threads = cpu_count();
  options.progress = &workspace.progress();
  if (disk.on_demand) options.next_data = recorded_data(*disk.on_demand);
  // Only of a raw file are the holes the disk's.
  if (dynamic_cast<const image::FileSource*>(disk.source.get()) != nullptr)
    if (auto file = open_file(disk.snapshot, O_RDONLY); file)
      if (::lseek(file->get(), 0, SEEK_DATA) >= 0)
        options.next_data = sparse_data(std::make_shared<const FileDescriptor>(std::move(*file)), disk.snapshot);
  return options;
}

Result<container::CaseHeader> header_for(Workspace& workspace, const Disk& disk, container::CaseHeader header) {
  const auto fill = [](std::string& value, std::string from) {
    if (value.empty()) value = std::move(from);
  };
  fill(header.evidence_number, Path(disk.snapshot).filename().string());
  if (workspace.has_case()) {
    fill(header.case_number, workspace.folder().identity().id);
    ICECORE_ASSIGN(const auto records, snapshots_of(workspace.folder()));
    const auto record = std::ranges::find(records, disk.snapshot, &SnapshotRecord::snapshot);
    if (record != records.end()) {
      fill(header.description,
           fmt::format("EBS snapshot {} of {}{}", record->snapshot, record->volume, record->instance.empty() ? "" : " of " + record->instance));
      const auto whole = disk.on_demand ? disk.on_demand->known_whole_image() : std::nullopt;
      fill(header.notes, fmt::format("Snapshot taken {} in {} (account {}){}. icecore {}", record->started, record->region, record->account,
                                     whole ? "; SHA-256 " + whole->sha256 : "", workspace.options().version));
    }
  }
  fill(header.notes, "icecore " + workspace.options().version);
  return header;
}

Result<std::optional<container::Qcow2Backing>> backing_for(const ExportOptions& options) {
  if (options.backing.empty()) return std::optional<container::Qcow2Backing>();
  std::error_code ignored;
  const auto folder_of = [](const Path& path) { return path.has_parent_path() ? path.parent_path() : Path("."); };
  if (!std::filesystem::equivalent(folder_of(options.backing), folder_of(options.file), ignored))
    return fail(Code::kInvalidArgument, fmt::format("{} has to be in the same folder as {}: the image names it without one", options.backing.string(),
                                                    options.file.string()));
  ICECORE_ASSIGN(auto opened, open_local_image(options.backing));
  if (opened.format != "raw" && opened.format != "qcow2")
    return fail(Code::kInvalidArgument, fmt::format("{} is {}; a backing file is raw or qcow2", options.backing.string(), opened.format));
  return std::optional(container::Qcow2Backing{std::move(opened.source), options.backing.filename().string(), opened.format});
}

Result<container::WrittenDisk> write(Workspace& workspace, const Disk& disk, const ExportOptions& options) {
  const container::WriteOptions writing = options_for(workspace, disk);
  if (options.format == "raw") return container::write_raw(*disk.source, options.file, writing);
  if (options.format == "qcow2") {
    ICECORE_ASSIGN(const auto backing, backing_for(options));
    return container::write_qcow2(*disk.source, options.file, backing, writing);
  }
  ICECORE_ASSIGN(const auto header, header_for(workspace, disk, options.header));
  return container::write_ewf(*disk.source, options.file, header, writing);
}

Result<Path> write_manifest(const container::WrittenDisk& disk, const std::string& format) {
  std::string text;
  for (const Path& file : disk.files) {
    std::string hash = disk.sha256;
    if (format != "raw") {
      ICECORE_ASSIGN(hash, evidence::hash_beneath(file.has_parent_path() ? file.parent_path() : Path("."), file.filename().string()));
    }
    text += evidence::format_manifest_line(hash, file.filename().string());
  }
  const Path manifest = disk.files.front().string() + ".sha256";
  ICECORE_CHECK(write_file_atomically(manifest, text));
  return manifest;
}

void take_back(const container::WrittenDisk& disk) {
  std::error_code ignored;
  for (const Path& file : disk.files) std::filesystem::remove(file, ignored);
}

Result<void> check_known(const Disk& disk, const container::WrittenDisk& written) {
  const auto whole = disk.on_demand ? disk.on_demand->known_whole_image() : std::nullopt;
  if (!whole || whole->sha256 == written.sha256) return {};
  return fail(Code::kIntegrity,
              fmt::format("{}: the exported bytes hash to {}, and acquisition recorded {}", disk.snapshot, written.sha256, whole->sha256));
}

}  // namespace

Result<Exported> export_disk(Workspace& workspace, Target& target, const ExportOptions& options) {
  if (options.format != "raw" && options.format != "qcow2" && options.format != "e01")
    return fail(Code::kInvalidArgument, "the format is raw, qcow2 or e01");
  if (!options.backing.empty() && options.format != "qcow2") return fail(Code::kInvalidArgument, "only a qcow2 image has a backing file");
  ICECORE_ASSIGN(Disk* const disk, pick(target, options.disk));
  ICECORE_CHECK(complete(workspace, *disk, options.fetch));
  ICECORE_ASSIGN(auto written, write(workspace, *disk, options));
  if (const auto known = check_known(*disk, written); !known) {
    take_back(written);
    return Failure(known.error());
  }
  auto manifest = write_manifest(written, options.format);
  if (!manifest) {
    take_back(written);
    return Failure(manifest.error());
  }
  return Exported{std::move(written), std::move(*manifest)};
}

}  // namespace icecore::engine
