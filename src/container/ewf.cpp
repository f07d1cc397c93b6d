// E01 and Ex01 (EnCase) through libewf, with the hashes and the header that whoever acquired it stored.
#include <libewf.h>

#include <fmt/format.h>
#include <array>

#include "container/formats.h"
#include "core/text.h"

namespace icecore::container {
namespace {

struct Closer {
  void operator()(libewf_handle_t* handle) const { (void)libewf_handle_free(&handle, nullptr); }
};

Failure failure(Code code, std::string_view doing, const Path& path, libewf_error_t*& error) {
  return library_failure(code, doing, path, error, libewf_error_sprint, libewf_error_free);
}

struct Names {  // of the segment files, from libewf_glob
  char** names = nullptr;
  int count = 0;
  Names() = default;
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;
  ~Names() {
    if (names != nullptr) (void)libewf_glob_free(names, count, nullptr);
  }
};

// libewf gives the hash as text; present in E01s that were finished.
std::vector<StoredHash> stored_hashes(libewf_handle_t* handle) {
  std::vector<StoredHash> hashes;
  std::array<std::uint8_t, 64> text{};
  if (libewf_handle_get_utf8_hash_value_md5(handle, text.data(), text.size(), nullptr) == 1)
    hashes.push_back({"MD5", std::string(c_string(std::as_bytes(std::span(text))))});
  text.fill(0);
  if (libewf_handle_get_utf8_hash_value_sha1(handle, text.data(), text.size(), nullptr) == 1)
    hashes.push_back({"SHA-1", std::string(c_string(std::as_bytes(std::span(text))))});
  return hashes;
}

std::vector<std::string> header_values(libewf_handle_t* handle) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kValues = {{{"case_number", "case number"},
                                                                                     {"evidence_number", "evidence number"},
                                                                                     {"description", "description"},
                                                                                     {"examiner_name", "examiner"},
                                                                                     {"notes", "notes"},
                                                                                     {"acquiry_date", "acquired"}}};
  std::vector<std::string> values;
  for (const auto& [identifier, word] : kValues) {
    std::array<std::uint8_t, 1024> text{};
    const auto* const name = reinterpret_cast<const std::uint8_t*>(identifier.data());
    if (libewf_handle_get_utf8_header_value(handle, name, identifier.size(), text.data(), text.size(), nullptr) != 1) continue;
    const std::string_view value = trim(c_string(std::as_bytes(std::span(text))));
    if (!value.empty()) values.push_back(fmt::format("{}: {}", word, value));
  }
  return values;
}

// The library gives a chunk whose checksum is wrong all the same, and notes its sectors: in ascending ranges, of which those that touch are merged,
// so that their number says nothing of one read. A chunk that it has in its cache was noted when it was first read.
bool is_damaged(libewf_handle_t* handle, std::uint64_t bytes_per_sector, std::uint64_t offset, std::uint64_t count) {
  std::uint32_t ranges = 0;
  if (libewf_handle_get_number_of_checksum_errors(handle, &ranges, nullptr) != 1) return true;
  for (std::uint32_t i = 0; i < ranges; ++i) {
    std::uint64_t first = 0, sectors = 0;
    if (libewf_handle_get_checksum_error(handle, i, &first, &sectors, nullptr) != 1) return true;
    if (first * bytes_per_sector >= offset + count) break;
    if ((first + sectors) * bytes_per_sector > offset) return true;
  }
  return false;
}

}  // namespace

Result<Container> open_ewf(const Path& path) {
  libewf_error_t* error = nullptr;
  Names segments;
  const std::string name = path.string();
  if (libewf_glob(name.c_str(), name.size(), LIBEWF_FORMAT_UNKNOWN, &segments.names, &segments.count, &error) != 1)
    return failure(Code::kCorrupt, "find the segments (.E01, .E02 …) of", path, error);
  libewf_handle_t* raw = nullptr;
  if (libewf_handle_initialize(&raw, &error) != 1) return failure(Code::kInternal, "start libewf for", path, error);
  const std::shared_ptr<libewf_handle_t> handle(raw, Closer());
  if (libewf_handle_open(raw, segments.names, segments.count, LIBEWF_OPEN_READ, &error) != 1)
    return failure(Code::kCorrupt, "open the E01 image", path, error);
  size64_t size = 0;
  if (libewf_handle_get_media_size(raw, &size, &error) != 1) return failure(Code::kCorrupt, "find the size of", path, error);
  ICECORE_ASSIGN(const std::uint64_t checked, checked_size(size, path));
  std::uint32_t sector = 0;
  if (libewf_handle_get_bytes_per_sector(raw, &sector, &error) != 1) return failure(Code::kCorrupt, "find the size of a sector of", path, error);
  auto read = [handle, sector, path](std::uint64_t offset, std::span<std::byte> out) -> Result<std::size_t> {
    libewf_error_t* problem = nullptr;
    const ssize_t count = libewf_handle_read_random(handle.get(), out.data(), out.size(), static_cast<off64_t>(offset), &problem);
    if (count < 0) return failure(Code::kCorrupt, fmt::format("read byte {} of", offset), path, problem);
    if (is_damaged(handle.get(), sector, offset, static_cast<std::uint64_t>(count)))
      return fail(Code::kIntegrity, fmt::format("a chunk near byte {} of {} does not match its checksum", offset, path.string()),
                  Location{path.string(), offset});
    return static_cast<std::size_t>(count);
  };
  return Container{std::make_shared<LibrarySource>(checked, name, std::move(read)), "E01", stored_hashes(raw), header_values(raw)};
}

}  // namespace icecore::container
