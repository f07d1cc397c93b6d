#include "engine/extract.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <algorithm>

#include "core/hash.h"
#include "core/interrupt.h"
#include "engine/safe_path.h"

namespace icecore::engine {
namespace {

using machine::FileRef;

constexpr std::size_t kChunk = std::size_t{4} << 20;

Result<Extracted> copy_file(const machine::Machine& machine, const FileRef& file, const Path& local) {
  ICECORE_CHECK(make_private_directory(local.parent_path()));
  ICECORE_ASSIGN(const FileDescriptor out, open_file(local, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  Sha256 hash;
  Bytes chunk(kChunk);
  std::uint64_t offset = 0;
  while (offset < file.info.size) {
    if (interrupted()) return interruption();
    ICECORE_ASSIGN(const std::size_t count, machine.read_at(file, offset, chunk));
    if (count == 0) break;
    const ByteView piece = ByteView(chunk).first(count);
    hash.update(piece);
    ICECORE_CHECK(write_exactly(out.get(), piece, offset, local));
    offset += count;
  }
  return Extracted{file.path, local, to_hex(hash.finish()), offset, ""};
}

std::string why_left_out(const machine::Machine& machine, const FileRef& file) {
  switch (file.info.type) {
    case fs::FileType::kSymlink: {
      const auto target = machine.readlink(file);
      return "a link to " + (target ? *target : "somewhere unreadable");
    }
    case fs::FileType::kCharacterDevice: return fmt::format("a character device {}:{}", file.info.device >> 20, file.info.device & 0xFFFFF);
    case fs::FileType::kBlockDevice: return fmt::format("a block device {}:{}", file.info.device >> 20, file.info.device & 0xFFFFF);
    case fs::FileType::kFifo: return "a fifo";
    case fs::FileType::kSocket: return "a socket";
    default: return "of unknown type";
  }
}

class Extraction {
 public:
  Extraction(const machine::Machine& machine, Path destination, std::size_t prefix, const std::function<void(const Extracted&)>& report)
      : machine_(machine), destination_(std::move(destination)), prefix_(prefix), report_(report) {}

  /// Errors of this machine's disk and of the source end it; damage is reported to the machine's anomalies.
  Result<void> one(const FileRef& file) {
    if (file.info.type != fs::FileType::kRegular && file.info.type != fs::FileType::kDirectory) {
      report_({file.path, {}, "", 0, why_left_out(machine_, file)});
      return {};
    }
    auto done = write(file);
    if (done) return {};
    if (machine::ends_the_run(done.error().code) || done.error().code == Code::kConflict) return done;
    machine_.report(file.path, done.error());
    report_({file.path, {}, "", 0, to_string(done.error())});
    return {};
  }

 private:
  Result<void> write(const FileRef& file) {
    ICECORE_ASSIGN(const Path local, path_below(destination_, std::string_view(file.path).substr(std::min(prefix_, file.path.size()))));
    if (file.info.type == fs::FileType::kDirectory) return make_private_directory(local);
    if (std::filesystem::exists(std::filesystem::symlink_status(local)))
      return fail(Code::kConflict, fmt::format("{} is there already and is not overwritten; give an empty folder", local.string()));
    ICECORE_ASSIGN(const Extracted extracted, copy_file(machine_, file, local));
    report_(extracted);
    return {};
  }

  const machine::Machine& machine_;
  const Path destination_;
  const std::size_t prefix_;
  const std::function<void(const Extracted&)>& report_;
};

}  // namespace

Result<void> extract(const Target& target, const std::string& path, const Path& destination, const std::function<void(const Extracted&)>& report) {
  if (!target.machine) return fail(Code::kNotFound, target.name + " holds no filesystem that can be read");
  const machine::Machine& machine = *target.machine;
  ICECORE_ASSIGN(const FileRef start, machine.resolve(path));
  ICECORE_CHECK(make_private_directory(destination));
  // Below the destination the last name of the path begins: extract /etc/ssh gives DESTINATION/ssh/….
  const std::size_t prefix = start.path.find_last_of('/') == std::string::npos ? 0 : start.path.find_last_of('/');
  Extraction extraction(machine, destination, prefix, report);
  ICECORE_CHECK(extraction.one(start));
  if (start.info.type != fs::FileType::kDirectory) return {};
  Result<void> outcome;
  ICECORE_CHECK(machine.walk(start.path, [&](const FileRef& file) {
    outcome = extraction.one(file);
    return outcome ? machine::Walk::kEnter : machine::Walk::kStop;
  }));
  return outcome;
}

}  // namespace icecore::engine
