// Hashes for others: hashdeep's list of a machine's files, and the hashes stored in a container.
#include <fmt/format.h>
#include <algorithm>

#include "container/container.h"
#include "core/hash.h"
#include "core/interrupt.h"
#include "core/legacy_hash.h"
#include "core/parallel.h"
#include "core/text.h"
#include "engine/export_job.h"

namespace icecore::engine {
namespace {

using machine::FileRef;
constexpr std::size_t kChunk = std::size_t{1} << 20;
constexpr std::size_t kBatch = 256;

Result<std::string> hash_line(const machine::Machine& machine, const FileRef& file) {
  Sha256 sha256;
  LegacyHash md5(LegacyHash::Kind::kMd5);
  Bytes chunk(kChunk);
  std::uint64_t offset = 0;
  while (offset < file.info.size) {
    if (interrupted()) return interruption();
    ICECORE_ASSIGN(const std::size_t count, machine.read_at(file, offset, chunk));
    if (count == 0) break;
    sha256.update(ByteView(chunk).first(count));
    md5.update(ByteView(chunk).first(count));
    offset += count;
  }
  return fmt::format("{},{},{},{}\n", offset, to_hex(md5.finish()), to_hex(sha256.finish()), file.path);
}

}  // namespace

Result<std::uint64_t> write_hashdeep(Workspace& workspace, const Target& target, const Path& file) {
  if (!target.machine) return fail(Code::kNotFound, target.name + " holds no filesystem that can be read");
  const machine::Machine& machine = *target.machine;
  std::vector<FileRef> files;
  ICECORE_CHECK(machine.walk("/", [&](const FileRef& found) {
    if (found.info.type == fs::FileType::kRegular) files.push_back(found);
    return machine::Walk::kEnter;
  }));
  workspace.progress().begin("hashing", files.size(), "files");
  // hashdeep's own header; its file names end at the line's end, so that a name with a line feed cannot stand in it.
  std::string text = "%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n";
  text += fmt::format("## Invoked from: /\n## $ {}\n## \n", printable(workspace.options().command));
  std::uint64_t count = 0;
  for (std::size_t first = 0; first < files.size(); first += kBatch) {
    std::vector<std::string> lines(std::min(kBatch, files.size() - first));
    ICECORE_CHECK(machine.prefetch(std::span(files).subspan(first, lines.size())));
    ICECORE_CHECK(parallel_for(lines.size(), cpu_count(), [&](std::size_t i) -> Result<void> {
      const FileRef& one = files[first + i];
      if (one.path.find('\n') != std::string::npos) {
        machine.report(one.path, Error{Code::kUnsupported, "a name with a line feed cannot stand in a hashdeep list", std::nullopt, nullptr});
        return {};
      }
      auto line = hash_line(machine, one);
      if (!line && machine::ends_the_run(line.error().code)) return Failure(line.error());
      if (line)
        lines[i] = std::move(*line);
      else
        machine.report(one.path, line.error());
      return {};
    }));
    for (const std::string& line : lines) {
      text += line;
      if (!line.empty()) ++count;
    }
    workspace.progress().update(first + lines.size());
  }
  workspace.progress().end();
  ICECORE_CHECK(write_file_atomically(file, text));
  return count;
}

Result<ContainerCheck> check_container(const Path& image, Progress& progress) {
  ICECORE_ASSIGN(const auto opened, container::open_container(image));
  if (opened.hashes.empty())
    return fail(Code::kInvalidArgument,
                fmt::format("{} is {}, which holds no hash of the disk to check; sha256sum makes one", image.string(), opened.format));
  Sha256 sha256;
  LegacyHash md5(LegacyHash::Kind::kMd5), sha1(LegacyHash::Kind::kSha1);
  progress.begin("hashing", opened.source->size(), "bytes");
  Bytes chunk(kChunk);
  for (std::uint64_t offset = 0; offset < opened.source->size();) {
    if (interrupted()) return interruption();
    const auto piece = std::span(chunk).first(static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, opened.source->size() - offset)));
    ICECORE_CHECK(opened.source->read(offset, piece));
    sha256.update(piece);
    md5.update(piece);
    sha1.update(piece);
    offset += piece.size();
    progress.update(offset);
  }
  progress.end();
  ContainerCheck check;
  const std::string md5_now = to_hex(md5.finish()), sha1_now = to_hex(sha1.finish());
  for (const container::StoredHash& stored : opened.hashes) {
    const std::string& now = stored.algorithm == "MD5" ? md5_now : sha1_now;
    const bool fits = to_lower(stored.hex) == now;
    check.fits = check.fits && fits;
    check.lines.push_back(fits ? fmt::format("{} {} fits", stored.algorithm, now)
                               : fmt::format("{} does not fit: stored {}, the bytes have {}", stored.algorithm, printable(stored.hex), now));
  }
  check.lines.push_back("SHA-256 of the disk: " + to_hex(sha256.finish()));
  return check;
}

}  // namespace icecore::engine
