// Files of fixed records: wtmp, btmp, lastlog. lastlog is mostly holes.
#include <algorithm>

#include "artefact/gzip.h"
#include "artefact/lines.h"
#include "core/interrupt.h"

namespace icecore::artefact {
namespace {

constexpr std::uint64_t kMostRecords = 256 << 20;  // bytes of records in one file

// Steps that touch data: a lastlog with a uid of 4,000,000,000 is a terabyte of holes.
Result<std::vector<std::uint64_t>> written_steps(const machine::Machine& machine, const machine::FileRef& file, std::size_t step) {
  std::vector<std::uint64_t> steps;
  const std::uint64_t count = (file.info.size + step - 1) / step;
  ICECORE_ASSIGN(auto extents, machine.filesystem_of(file).extents(file.info.inode));
  if (extents.empty()) {  // inside the inode, or nothing but a hole
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(count, 64); ++i) steps.push_back(i);
    return steps;
  }
  std::ranges::sort(extents, {}, &fs::Extent::file_offset);
  for (const fs::Extent& extent : extents) {
    if (extent.unwritten || extent.length == 0) continue;
    if (extent.file_offset >= file.info.size) continue;
    const std::uint64_t first = std::max(extent.file_offset / step, steps.empty() ? 0 : steps.back() + 1);
    const std::uint64_t last = std::min((extent.file_offset + extent.length - 1) / step, count == 0 ? 0 : count - 1);
    for (std::uint64_t i = first; i <= last; ++i) {
      if (steps.size() * step >= kMostRecords) {
        machine.report(file.path, Error{Code::kUnsupported, "more records than any machine writes: the rest was not read"});
        return steps;
      }
      steps.push_back(i);
    }
  }
  return steps;
}

struct Outcome {
  std::optional<Error> visitor;  // its errors are not the file's
};

Result<void> read_steps(const machine::Machine& machine, const machine::FileRef& file, std::size_t step, const PieceVisitor& visit,
                        Outcome& outcome) {
  ICECORE_ASSIGN(const auto steps, written_steps(machine, file, step));
  Bytes bytes(step);
  for (const std::uint64_t index : steps) {
    if (interrupted()) return interruption();
    ICECORE_ASSIGN(const std::size_t count, machine.read_at(file, index * step, bytes));
    if (count == 0) break;
    if (auto done = visit(ByteView(bytes).first(count), index * step); !done) {
      outcome.visitor = done.error();
      return done;
    }
  }
  return {};
}

Result<void> read_packed(const machine::Machine& machine, const machine::FileRef& file, std::size_t step, const PieceVisitor& visit,
                         Outcome& outcome) {
  ICECORE_ASSIGN(const std::string packed, machine.read(file, kMostRecords));
  const Unpacked unpacked = gunzip(as_bytes(packed), kMostRecords);
  const ByteView bytes = as_bytes(unpacked.text);
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    if (auto done = visit(bytes.subspan(at, std::min(step, bytes.size() - at)), at); !done) {
      outcome.visitor = done.error();
      return done;
    }
  }
  if (!unpacked.complete) return fail(Code::kCorrupt, "the gzip stream is damaged or ends too early");
  return {};
}

}  // namespace

Result<void> for_each_record(const machine::Machine& machine, const machine::FileRef& file, std::size_t step, const PieceVisitor& visit) {
  if (file.info.type != fs::FileType::kRegular || file.info.size == 0) return {};
  Outcome outcome;
  const bool packed = file.path.ends_with(".gz");
  auto done = packed ? read_packed(machine, file, step, visit, outcome) : read_steps(machine, file, step, visit, outcome);
  if (done) return {};
  if (outcome.visitor || machine::ends_the_run(done.error().code)) return done;
  machine.report(file.path, done.error());
  return {};
}

}  // namespace icecore::artefact
