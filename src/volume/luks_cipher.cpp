#include "volume/luks_cipher.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <algorithm>
#include <array>
#include <memory>

#include "core/hash.h"
#include "image/slice_source.h"

namespace icecore::volume {
namespace {

enum class Iv { kPlain, kPlain64, kEssiv };

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* bytes_of(ByteView bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

class CryptSource final : public image::BlockSource {
 public:
  CryptSource(image::SourcePtr sectors, CryptParameters parameters, const EVP_CIPHER* cipher, Iv iv, std::string name)
      : sectors_(std::move(sectors)), parameters_(std::move(parameters)), cipher_(cipher), iv_(iv), name_(std::move(name)) {
    if (iv_ == Iv::kEssiv) essiv_key_ = sha256(parameters_.key);
  }

  std::uint64_t size() const override { return sectors_->size() / parameters_.sector_size * parameters_.sector_size; }
  std::string name() const override { return name_; }
  std::uint64_t image_offset(std::uint64_t offset) const override { return sectors_->image_offset(offset); }
  const image::BlockSource* disk_at(std::uint64_t offset) const override { return sectors_->disk_at(offset); }

  Result<void> prefetch(std::span<const image::ByteRange> ranges) const override {
    std::vector<image::ByteRange> whole;
    for (const image::ByteRange& range : ranges) {
      if (range.offset >= size()) continue;
      const std::uint64_t begin = range.offset / parameters_.sector_size * parameters_.sector_size;
      whole.push_back({begin, std::min(range.length, size() - range.offset) + (range.offset - begin) + parameters_.sector_size});
    }
    return sectors_->prefetch(whole);
  }

  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
    ICECORE_CHECK(image::check_range(offset, out.size(), size(), name_));
    constexpr std::size_t kPiece = std::size_t{1} << 20;
    while (!out.empty()) {
      const std::uint64_t begin = offset / parameters_.sector_size * parameters_.sector_size;
      const auto skip = static_cast<std::size_t>(offset - begin);
      const std::size_t count = std::min(out.size(), kPiece - skip);
      const std::size_t sectors = (skip + count + parameters_.sector_size - 1) / parameters_.sector_size;
      Bytes encrypted(sectors * parameters_.sector_size), plain(encrypted.size());
      ICECORE_CHECK(sectors_->read(begin, encrypted));
      ICECORE_CHECK(decrypt(begin / parameters_.sector_size, encrypted, plain));
      std::ranges::copy(ByteView(plain).subspan(skip, count), out.begin());
      out = out.subspan(count);
      offset += count;
    }
    return {};
  }

 private:
  Failure failed() const { return fail(Code::kInternal, "OpenSSL cannot decrypt a sector", Location{name_}); }

  Result<void> decrypt(std::uint64_t first, ByteView encrypted, std::span<std::byte> plain) const {
    const Context context(EVP_CIPHER_CTX_new()), essiv(EVP_CIPHER_CTX_new());
    if (!context || EVP_DecryptInit_ex(context.get(), cipher_, nullptr, bytes_of(parameters_.key), nullptr) != 1) return failed();
    if (iv_ == Iv::kEssiv && (!essiv || EVP_EncryptInit_ex(essiv.get(), EVP_aes_256_ecb(), nullptr, bytes_of(essiv_key_), nullptr) != 1))
      return failed();
    EVP_CIPHER_CTX_set_padding(context.get(), 0);
    if (essiv) EVP_CIPHER_CTX_set_padding(essiv.get(), 0);
    for (std::size_t at = 0, i = 0; at < encrypted.size(); at += parameters_.sector_size, ++i) {
      // dm-crypt counts IVs in 512-byte sectors unless told otherwise (iv_large_sectors, which LUKS2 does not set).
      std::uint64_t number = (first + i) * (parameters_.sector_size / 512) + parameters_.iv_offset;
      if (iv_ == Iv::kPlain) number &= 0xFFFFFFFF;
      std::array<unsigned char, 16> iv{};
      for (std::size_t byte = 0; byte < 8; ++byte) iv[byte] = static_cast<unsigned char>(number >> (8 * byte));
      int length = 0;
      if (iv_ == Iv::kEssiv && EVP_EncryptUpdate(essiv.get(), iv.data(), &length, iv.data(), 16) != 1) return failed();
      if (EVP_DecryptInit_ex(context.get(), nullptr, nullptr, nullptr, iv.data()) != 1) return failed();
      if (EVP_DecryptUpdate(context.get(), reinterpret_cast<unsigned char*>(plain.data()) + at, &length, bytes_of(encrypted.subspan(at)),
                            static_cast<int>(parameters_.sector_size)) != 1)
        return failed();
    }
    return {};
  }

  const image::SourcePtr sectors_;
  const CryptParameters parameters_;
  const EVP_CIPHER* const cipher_;
  const Iv iv_;
  const std::string name_;
  Sha256Digest essiv_key_{};
};

}  // namespace

Result<image::SourcePtr> open_crypt(image::SourcePtr source, CryptParameters parameters, const std::string& name) {
  const Location where{source->name()};
  const std::size_t bits = parameters.key.size() * 8;
  const EVP_CIPHER* cipher = nullptr;
  Iv iv = Iv::kPlain64;
  if (parameters.mode == "xts-plain64" || parameters.mode == "xts-plain") {
    cipher = bits == 512 ? EVP_aes_256_xts() : bits == 256 ? EVP_aes_128_xts() : nullptr;
    if (parameters.mode == "xts-plain") iv = Iv::kPlain;
  } else if (parameters.mode == "cbc-essiv:sha256" || parameters.mode == "cbc-plain64") {
    cipher = bits == 256 ? EVP_aes_256_cbc() : bits == 128 ? EVP_aes_128_cbc() : nullptr;
    if (parameters.mode == "cbc-essiv:sha256") iv = Iv::kEssiv;
  }
  if (parameters.cipher != "aes" || cipher == nullptr)
    return fail(Code::kUnsupported,
                fmt::format("the volume is encrypted with {}-{} and a key of {} bits, which this version does not read", parameters.cipher,
                            parameters.mode, bits),
                where);
  if (parameters.sector_size < 512 || parameters.sector_size > 4096 || (parameters.sector_size & (parameters.sector_size - 1)) != 0 ||
      parameters.data_offset > source->size())
    return fail(Code::kCorrupt, fmt::format("encrypted sectors of {} bytes from byte {}", parameters.sector_size, parameters.data_offset), where);
  const image::ByteRange range{parameters.data_offset, source->size() - parameters.data_offset};
  ICECORE_ASSIGN(auto sectors, image::SliceSource::make(std::move(source), range, name));
  return image::SourcePtr(std::make_shared<CryptSource>(std::move(sectors), std::move(parameters), cipher, iv, name));
}

}  // namespace icecore::volume
