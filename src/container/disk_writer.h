// A disk given onward: raw, qcow2 or E01. Nothing appears under the final name before it is whole.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/progress.h"
#include "image/block_source.h"

namespace icecore::container {

struct WriteOptions {
  /// The next range at or behind an offset that may hold something else than zeros; nullopt: only zeros from there on. Null: all may.
  std::function<Result<std::optional<image::ByteRange>>(std::uint64_t offset)> next_data = nullptr;
  std::size_t threads = 2;
  Progress* progress = nullptr;  ///< null: none
};

struct WrittenDisk {
  std::vector<Path> files;  ///< what was made; an E01 may have segments
  std::string sha256;       ///< of the disk's bytes, lower-case hex
  std::string md5, sha1;    ///< of the disk's bytes; E01 only
};

/// A sparse file of exactly the disk's bytes.
Result<WrittenDisk> write_raw(const image::BlockSource& disk, const Path& file, const WriteOptions& options);

struct Qcow2Backing {
  image::SourcePtr source;
  std::string name;    ///< as written into the image: a bare file name
  std::string format;  ///< "raw", "qcow2"
};

/// qcow2 version 3, zstd, a cluster of 512 KiB for each block of a snapshot. With a backing file only the clusters that differ from it.
Result<WrittenDisk> write_qcow2(const image::BlockSource& disk, const Path& file, const std::optional<Qcow2Backing>& backing,
                                const WriteOptions& options);

/// What stands in an E01's header; empty ones are left out.
struct CaseHeader {
  std::string case_number, evidence_number, examiner, description, notes;
};

/// E01 (EnCase 6, compressed) with MD5 and SHA-1; `file` ends in .E01, further segments are .E02 and on. Bytes that do not fill the last sector of
/// 512 are kUnsupported.
Result<WrittenDisk> write_ewf(const image::BlockSource& disk, const Path& file, const CaseHeader& header, const WriteOptions& options);

}  // namespace icecore::container
