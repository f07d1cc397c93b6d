#include <libewf.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>

#include "container/disk_stream.h"
#include "container/formats.h"
#include "core/legacy_hash.h"

namespace icecore::container {
namespace {

constexpr std::uint64_t kSector = 512;

Failure failure(std::string_view doing, const Path& path, libewf_error_t*& error) {
  return library_failure(Code::kIo, doing, path, error, libewf_error_sprint, libewf_error_free);
}

struct Closer {
  void operator()(libewf_handle_t* handle) const { (void)libewf_handle_free(&handle, nullptr); }
};
using Handle = std::unique_ptr<libewf_handle_t, Closer>;

const std::uint8_t* utf8(std::string_view text) { return reinterpret_cast<const std::uint8_t*>(text.data()); }

// .E01 … .E99, .EAA … .EZZ, .FAA … .ZZZ: in the order of their names.
bool is_segment_extension(std::string_view extension) {
  if (extension.size() != 4 || extension[0] != '.' || extension[1] < 'E' || extension[1] > 'Z') return false;
  const auto both = [&](char first, char last) {
    return std::ranges::all_of(extension.substr(2), [&](char letter) { return letter >= first && letter <= last; });
  };
  return both('A', 'Z') || (extension[1] == 'E' && both('0', '9') && extension != ".E00");
}

Result<void> flush(const Path& path, int flags) {
  ICECORE_ASSIGN(const FileDescriptor file, open_file(path, flags));
  return ::fsync(file.get()) == 0 ? Result<void>() : Result<void>(errno_failure(errno, "flush", path));
}

// libewf names its files after a stem; they are renamed once all are whole. What a run that was killed left under that stem is removed first: it
// would pass for the end of this image.
class Segments {
 public:
  explicit Segments(const Path& file) : stem_(file.string().substr(0, file.string().size() - 4)), partial_(stem_ + ".partial") { remove(); }
  ~Segments() {
    if (!committed_) remove();
  }
  Segments(const Segments&) = delete;
  Segments& operator=(const Segments&) = delete;
  const std::string& partial() const { return partial_; }

  Result<std::vector<Path>> commit() {
    std::vector<Path> files;
    const std::vector<Path> from = made();
    for (const Path& path : from) files.emplace_back(stem_ + path.extension().string());
    for (const Path& file : files) ICECORE_CHECK(refuse_existing(file));
    for (const Path& path : from) ICECORE_CHECK(flush(path, O_RDONLY));
    for (std::size_t i = from.size(); i-- > 0;)  // the first last: with it the image is there
      if (::rename(from[i].c_str(), files[i].c_str()) != 0) return errno_failure(errno, "name", files[i]);
    committed_ = true;
    ICECORE_CHECK(flush(folder(), O_RDONLY | O_DIRECTORY));
    return files;
  }

 private:
  void remove() const {
    for (const Path& path : made()) ::unlink(path.c_str());
  }

  Path folder() const { return Path(partial_).has_parent_path() ? Path(partial_).parent_path() : Path("."); }

  std::vector<Path> made() const {
    std::vector<Path> files;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder(), ignored)) {
      const Path name = entry.path().filename();
      if (name.stem() == Path(partial_).filename() && is_segment_extension(name.extension().string()))
        files.push_back(folder() == "." ? name : entry.path());
    }
    std::ranges::sort(files);
    return files;
  }

  const std::string stem_, partial_;
  bool committed_ = false;
};

Result<void> describe(libewf_handle_t* handle, const Path& file, const CaseHeader& header, std::uint64_t size) {
  libewf_error_t* error = nullptr;
  const std::initializer_list<std::pair<std::string_view, std::string_view>> values = {{"case_number", header.case_number},
                                                                                       {"evidence_number", header.evidence_number},
                                                                                       {"examiner_name", header.examiner},
                                                                                       {"description", header.description},
                                                                                       {"notes", header.notes}};
  for (const auto& [name, value] : values)
    if (!value.empty() && libewf_handle_set_utf8_header_value(handle, utf8(name), name.size(), utf8(value), value.size(), &error) != 1)
      return failure(fmt::format("set the {} of", name), file, error);
  const bool set = libewf_handle_set_media_size(handle, size, &error) == 1 && libewf_handle_set_bytes_per_sector(handle, kSector, &error) == 1 &&
                   libewf_handle_set_format(handle, LIBEWF_FORMAT_ENCASE6, &error) == 1 &&
                   libewf_handle_set_media_type(handle, LIBEWF_MEDIA_TYPE_FIXED, &error) == 1 &&
                   libewf_handle_set_media_flags(handle, LIBEWF_MEDIA_FLAG_PHYSICAL, &error) == 1 &&
                   libewf_handle_set_compression_values(handle, LIBEWF_COMPRESSION_FAST, LIBEWF_FLAG_COMPRESS_EMPTY_BLOCK, &error) == 1;
  return set ? Result<void>() : Result<void>(failure("describe", file, error));
}

Result<void> write_all(libewf_handle_t* handle, const Path& file, ByteView bytes) {
  libewf_error_t* error = nullptr;
  while (!bytes.empty()) {
    const ssize_t count = libewf_handle_write_buffer(handle, bytes.data(), bytes.size(), &error);
    if (count <= 0) return failure("write", file, error);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace

Result<WrittenDisk> write_ewf(const image::BlockSource& disk, const Path& file, const CaseHeader& header, const WriteOptions& options) {
  if (file.extension() != ".E01") return fail(Code::kInvalidArgument, fmt::format("{}: an E01 image's first file ends in .E01", file.string()));
  if (disk.size() % kSector != 0)
    return fail(Code::kUnsupported, fmt::format("{} has {} bytes, and an E01 holds whole sectors of 512", disk.name(), disk.size()));
  ICECORE_CHECK(refuse_existing(file));
  Segments segments(file);
  libewf_error_t* error = nullptr;
  libewf_handle_t* raw = nullptr;
  if (libewf_handle_initialize(&raw, &error) != 1) return failure("start libewf for", file, error);
  Handle handle(raw);
  std::string stem = segments.partial();
  char* names[] = {stem.data()};
  if (libewf_handle_open(raw, names, 1, LIBEWF_OPEN_WRITE, &error) != 1) return failure("make", file, error);
  ICECORE_CHECK(describe(raw, file, header, disk.size()));
  Sha256 sha256;
  LegacyHash md5(LegacyHash::Kind::kMd5), sha1(LegacyHash::Kind::kSha1);
  ICECORE_CHECK(stream_disk(disk, options, nullptr, [&](const DiskCluster& cluster) {
    sha256.update(cluster.bytes);
    md5.update(cluster.bytes);
    sha1.update(cluster.bytes);
    return write_all(raw, file, cluster.bytes);
  }));
  Bytes md5_digest = md5.finish(), sha1_digest = sha1.finish();
  auto* const md5_bytes = reinterpret_cast<std::uint8_t*>(md5_digest.data());
  auto* const sha1_bytes = reinterpret_cast<std::uint8_t*>(sha1_digest.data());
  if (libewf_handle_set_md5_hash(raw, md5_bytes, md5_digest.size(), &error) != 1 ||
      libewf_handle_set_sha1_hash(raw, sha1_bytes, sha1_digest.size(), &error) != 1)
    return failure("store the hashes in", file, error);
  if (libewf_handle_write_finalize(raw, &error) < 0 || libewf_handle_close(raw, &error) != 0) return failure("finish", file, error);
  handle.reset();
  ICECORE_ASSIGN(auto files, segments.commit());
  return WrittenDisk{std::move(files), to_hex(sha256.finish()), to_hex(md5_digest), to_hex(sha1_digest)};
}

}  // namespace icecore::container
