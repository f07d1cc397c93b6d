#include "volume/luks.h"

#include <fmt/format.h>
#include <libcryptsetup.h>
#include <sys/mman.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <memory>

#include "core/file.h"
#include "core/json.h"
#include "core/text.h"
#include "volume/luks_cipher.h"

namespace icecore::volume {
namespace {

constexpr std::uint64_t kMaximumHeader = std::uint64_t{64} << 20;  // LUKS2 allows two copies of 4 MiB and 128 MiB of key slots; tools make 16 MiB

struct FreeDevice {
  void operator()(crypt_device* device) const { crypt_free(device); }
};
using Device = std::unique_ptr<crypt_device, FreeDevice>;

void stay_silent(int, const char*, void*) {}

// The first `size` bytes as a file in memory, which is what libcryptsetup reads. It goes with the descriptor.
Result<FileDescriptor> header_in_memory(const image::BlockSource& source, std::uint64_t size) {
  FileDescriptor file(::memfd_create("luks-header", MFD_CLOEXEC));
  if (!file) return fail(Code::kIo, "no file in memory can be made for a LUKS header");
  constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;
  ICECORE_CHECK(source.prefetch(std::array{image::ByteRange{0, size}}));
  Bytes piece;
  for (std::uint64_t at = 0; at < size; at += kPiece) {
    piece.resize(static_cast<std::size_t>(std::min(kPiece, size - at)));
    ICECORE_CHECK(source.read(at, piece));
    ICECORE_CHECK(write_exactly(file.get(), piece, at, "luks-header"));
  }
  return file;
}

// Bytes before the encrypted data, so that only they are copied.
Result<std::uint64_t> header_size(const image::BlockSource& source) {
  std::array<std::byte, 512> bytes{};
  ICECORE_CHECK(source.read(0, bytes));
  const ByteView view(bytes);
  if (load_be<std::uint16_t>(view, 6) == 1) return std::uint64_t{load_be<std::uint32_t>(view, 104)} * 512;
  return kMaximumHeader;
}

// What deriving a key may cost, so that a header cannot make it take hours: some ten times of what cryptsetup asks for by default.
constexpr std::uint64_t kMaximumIterations = 100'000'000;          // PBKDF2
constexpr std::uint64_t kMaximumPasses = std::uint64_t{64} << 20;  // Argon2: KiB of memory times passes
constexpr std::uint32_t kMaximumMemory = std::uint32_t{4} << 20;   // Argon2: KiB

bool is_affordable(const crypt_pbkdf_type& pbkdf) {
  if (pbkdf.type != nullptr && std::string_view(pbkdf.type) == CRYPT_KDF_PBKDF2) return pbkdf.iterations <= kMaximumIterations;
  return pbkdf.max_memory_kb <= kMaximumMemory && std::uint64_t{pbkdf.max_memory_kb} * pbkdf.iterations <= kMaximumPasses;
}

// The check of a derived key is iterated too: LUKS1 in its binary header, LUKS2 in its JSON.
Result<void> check_digests(crypt_device* device, const image::BlockSource& source, int version) {
  const auto refuse = [&](std::uint64_t iterations) {
    return fail(Code::kUnsupported, fmt::format("the LUKS header asks for {} iterations to check a key: that would take too long", iterations),
                Location{source.name(), 0});
  };
  if (version == 1) {
    std::array<std::byte, 512> bytes{};
    ICECORE_CHECK(source.read(0, bytes));
    const auto iterations = load_be<std::uint32_t>(ByteView(bytes), 164);
    return iterations > kMaximumIterations ? Result<void>(refuse(iterations)) : Result<void>();
  }
  const char* text = nullptr;
  if (crypt_dump_json(device, &text, 0) < 0 || text == nullptr)
    return fail(Code::kCorrupt, "libcryptsetup gives no LUKS2 metadata", Location{source.name(), 0});
  ICECORE_ASSIGN(const Json metadata, parse_json(text, "LUKS2 metadata"));
  for (const Json& digest : json_at(metadata, {"digests"})) {
    const Json& iterations = json_at(digest, {"iterations"});
    if (iterations.is_number_unsigned() && iterations.get<std::uint64_t>() > kMaximumIterations) return refuse(iterations.get<std::uint64_t>());
  }
  return {};
}

}  // namespace

Result<LuksHeader> read_luks_header(const image::BlockSource& source) {
  std::array<std::byte, 512> bytes{};
  if (source.size() < bytes.size()) return fail(Code::kNotFound, "no LUKS header", Location{source.name()});
  ICECORE_CHECK(source.read(0, bytes));
  const ByteView view(bytes);
  using namespace std::string_view_literals;
  if (as_text(view.first(6)) != "LUKS\xba\xbe"sv) return fail(Code::kNotFound, "no LUKS header", Location{source.name()});
  LuksHeader header;
  header.version = load_be<std::uint16_t>(view, 6);
  header.uuid = std::string(c_string(view.subspan(168, 40)));
  if (header.version == 2) header.label = std::string(c_string(view.subspan(24, 48)));
  return header;
}

Result<image::SourcePtr> open_luks(image::SourcePtr source, const std::vector<LuksKey>& keys) {
  const Location where{source->name(), 0};
  ICECORE_ASSIGN(const LuksHeader header, read_luks_header(*source));
  ICECORE_ASSIGN(const std::uint64_t size, header_size(*source));
  const std::uint64_t most = std::min(source->size(), kMaximumHeader);
  ICECORE_ASSIGN(const FileDescriptor file, header_in_memory(*source, std::clamp(size, std::min<std::uint64_t>(4096, most), most)));
  crypt_set_log_callback(nullptr, stay_silent, nullptr);
  crypt_metadata_locking(nullptr, 0);  // the copy is ours alone
  crypt_device* raw = nullptr;
  if (crypt_init(&raw, fmt::format("/proc/self/fd/{}", file.get()).c_str()) < 0)
    return fail(Code::kInternal, "libcryptsetup cannot open a LUKS header in memory", where);
  const Device device(raw);
  crypt_set_log_callback(device.get(), stay_silent, nullptr);
  if (crypt_load(device.get(), CRYPT_LUKS, nullptr) < 0)
    return fail(Code::kCorrupt, "libcryptsetup finds the LUKS header damaged; `cryptsetup repair` on a copy may help", where);
  CryptParameters parameters;
  parameters.cipher = crypt_get_cipher(device.get()) == nullptr ? "" : crypt_get_cipher(device.get());
  parameters.mode = crypt_get_cipher_mode(device.get()) == nullptr ? "" : crypt_get_cipher_mode(device.get());
  parameters.data_offset = crypt_get_data_offset(device.get()) * 512;
  parameters.iv_offset = crypt_get_iv_offset(device.get());
  if (const int sector = crypt_get_sector_size(device.get()); sector > 0) parameters.sector_size = static_cast<std::uint32_t>(sector);
  const int key_size = crypt_get_volume_key_size(device.get());
  if (key_size <= 0 || key_size > 512) return fail(Code::kCorrupt, fmt::format("a volume key of {} bytes", key_size), where);
  if (!keys.empty()) ICECORE_CHECK(check_digests(device.get(), *source, header.version));
  const int slots = crypt_keyslot_max(crypt_get_type(device.get()));
  for (const LuksKey& key : keys) {
    for (int slot = 0; slot < slots; ++slot) {
      crypt_pbkdf_type pbkdf{};
      const auto status = crypt_keyslot_status(device.get(), slot);
      if (status != CRYPT_SLOT_ACTIVE && status != CRYPT_SLOT_ACTIVE_LAST) continue;
      if (crypt_keyslot_get_pbkdf(device.get(), slot, &pbkdf) < 0 || !is_affordable(pbkdf)) continue;
      parameters.key.resize(static_cast<std::size_t>(key_size));
      auto length = static_cast<std::size_t>(key_size);
      if (crypt_volume_key_get(device.get(), slot, reinterpret_cast<char*>(parameters.key.data()), &length, key.secret.data(), key.secret.size()) < 0)
        continue;
      parameters.key.resize(length);
      return open_crypt(std::move(source), std::move(parameters), fmt::format("LUKS volume {}", printable(header.uuid)));
    }
  }
  return fail(Code::kPermission, fmt::format("no key given opens the LUKS{} volume {}", header.version, printable(header.uuid)), where);
}

}  // namespace icecore::volume
