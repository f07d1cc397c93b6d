#include "artefact/journal_payload.h"

#include <lz4.h>
#include <lzma.h>
#include <zstd.h>
#include <algorithm>
#include <bit>
#include <limits>
#include <memory>

#include "artefact/journal_format.h"

namespace icecore::artefact::journal {
namespace {

Failure damaged(const char* how) { return fail(Code::kCorrupt, std::string("a compressed field does not unpack (") + how + ")"); }

Result<std::string> unpack_zstd(ByteView payload, std::size_t limit) {
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  if (!context) return fail(Code::kInternal, "zstd: no memory");
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, 23);  // 8 MiB: journald's level needs no more
  std::string text(std::min<std::size_t>(limit, std::max<std::size_t>(payload.size() * 4, 4096)), '\0');
  ZSTD_inBuffer in{payload.data(), payload.size(), 0};
  ZSTD_outBuffer out{text.data(), text.size(), 0};
  for (;;) {
    const std::size_t code = ZSTD_decompressStream(context.get(), &out, &in);
    if (ZSTD_isError(code) != 0) return damaged("zstd");
    if (code == 0 || (out.pos == out.size && out.size == limit)) break;
    if (out.pos < out.size && in.pos == in.size) return damaged("zstd, cut short");
    if (out.pos == out.size) {
      text.resize(std::min(limit, text.size() * 2));
      out.dst = text.data();
      out.size = text.size();
    }
  }
  text.resize(out.pos);
  return text;
}

// compress.c, compress_blob_lz4: the size as le64, then one block.
Result<std::string> unpack_lz4(ByteView payload, std::size_t limit) {
  if (payload.size() <= 8 || payload.size() > std::size_t{std::numeric_limits<int>::max()}) return damaged("lz4, size");
  const std::uint64_t claimed = load_le<std::uint64_t>(payload, 0);
  std::string text(std::min<std::uint64_t>(claimed, limit), '\0');
  const ByteView block = payload.subspan(8);
  const int size = static_cast<int>(text.size());
  const int count = LZ4_decompress_safe_partial(reinterpret_cast<const char*>(block.data()), text.data(), static_cast<int>(block.size()), size, size);
  if (count < 0) return damaged("lz4");
  text.resize(static_cast<std::size_t>(count));
  return text;
}

Result<std::string> unpack_xz(ByteView payload, std::size_t limit) {
  constexpr std::uint64_t kMemory = 64 << 20;
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_stream_decoder(&stream, kMemory, 0) != LZMA_OK) return fail(Code::kInternal, "xz: no memory");
  const std::unique_ptr<lzma_stream, decltype(&lzma_end)> end(&stream, lzma_end);
  std::string text(std::min<std::size_t>(limit, std::max<std::size_t>(payload.size() * 4, 4096)), '\0');
  stream.next_in = reinterpret_cast<const std::uint8_t*>(payload.data());
  stream.avail_in = payload.size();
  std::size_t done = 0;
  for (;;) {
    stream.next_out = reinterpret_cast<std::uint8_t*>(text.data()) + done;
    stream.avail_out = text.size() - done;
    const lzma_ret code = lzma_code(&stream, LZMA_RUN);
    done = text.size() - stream.avail_out;
    if (code == LZMA_STREAM_END || done == limit) break;
    if (code != LZMA_OK) return damaged("xz");
    if (done == text.size()) text.resize(std::min(limit, text.size() * 2));
  }
  text.resize(done);
  return text;
}

}  // namespace

Result<std::string> unpack(ByteView payload, std::uint8_t flag, std::size_t limit) {
  switch (flag) {
    case 0: return std::string(as_text(payload.first(std::min(limit, payload.size()))));
    case kObjectXz: return unpack_xz(payload, limit);
    case kObjectLz4: return unpack_lz4(payload, limit);
    case kObjectZstd: return unpack_zstd(payload, limit);
    default: return fail(Code::kUnsupported, "a field is packed in a way that is not known");
  }
}

// Aumasson and Bernstein, "SipHash: a fast short-input PRF".
std::uint64_t keyed_hash(ByteView key16, ByteView data) {
  const std::uint64_t k0 = load_le<std::uint64_t>(key16, 0);
  const std::uint64_t k1 = load_le<std::uint64_t>(key16, 8);
  std::uint64_t v0 = k0 ^ 0x736f6d6570736575U, v1 = k1 ^ 0x646f72616e646f6dU, v2 = k0 ^ 0x6c7967656e657261U, v3 = k1 ^ 0x7465646279746573U;
  const auto round = [&] {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  };
  const auto mix = [&](std::uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  };
  std::size_t at = 0;
  for (; at + 8 <= data.size(); at += 8) mix(load_le<std::uint64_t>(data, at));
  std::uint64_t last = static_cast<std::uint64_t>(data.size()) << 56U;
  for (std::size_t i = 0; at + i < data.size(); ++i) last |= std::to_integer<std::uint64_t>(data[at + i]) << (8 * i);
  mix(last);
  v2 ^= 0xFF;
  for (int i = 0; i < 4; ++i) round();
  return v0 ^ v1 ^ v2 ^ v3;
}

}  // namespace icecore::artefact::journal
