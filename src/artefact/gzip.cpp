#include "artefact/gzip.h"

#include <zlib.h>
#include <algorithm>
#include <array>
#include <limits>
#include <new>

namespace icecore::artefact {
namespace {

constexpr int kGzipOnly = 15 + 16;  // zlib.h, inflateInit2: window of 32 KiB, gzip header wanted
constexpr std::size_t kPiece = 64 << 10;

// zlib takes a pointer to non-const and does not write through it.
Bytef* input_of(ByteView bytes) { return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data())); }

}  // namespace

bool is_gzip(ByteView bytes) { return bytes.size() >= 3 && bytes[0] == std::byte{0x1F} && bytes[1] == std::byte{0x8B} && bytes[2] == std::byte{8}; }

struct GzipStream::State {
  z_stream stream{};
  ByteView input;
  std::array<char, kPiece> output;
  bool member_ended = false;
  State() {
    if (inflateInit2(&stream, kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  ~State() { inflateEnd(&stream); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

GzipStream::GzipStream() : state_(std::make_unique<State>()) {}
GzipStream::~GzipStream() = default;
GzipStream::GzipStream(GzipStream&&) noexcept = default;
GzipStream& GzipStream::operator=(GzipStream&&) noexcept = default;

void GzipStream::feed(ByteView compressed) { state_->input = compressed; }

Result<std::string_view> GzipStream::next() {
  State& s = *state_;
  while (!s.input.empty()) {
    if (s.member_ended) {  // another member, or padding of zeros
      if (s.input[0] == std::byte{0}) {
        s.input = s.input.subspan(1);
        continue;
      }
      inflateReset(&s.stream);
      s.member_ended = false;
    }
    const std::size_t given = std::min<std::size_t>(s.input.size(), std::numeric_limits<uInt>::max());
    s.stream.next_in = input_of(s.input);
    s.stream.avail_in = static_cast<uInt>(given);
    s.stream.next_out = reinterpret_cast<Bytef*>(s.output.data());
    s.stream.avail_out = static_cast<uInt>(s.output.size());
    const int code = inflate(&s.stream, Z_NO_FLUSH);
    s.input = s.input.subspan(given - s.stream.avail_in);
    const std::string_view piece(s.output.data(), s.output.size() - s.stream.avail_out);
    if (code == Z_STREAM_END) s.member_ended = true;
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
      s.input = {};
      if (!piece.empty()) return piece;  // the error comes again if more is fed
      return fail(Code::kCorrupt, std::string("the gzip stream is damaged: ") + (s.stream.msg != nullptr ? s.stream.msg : "bad data"));
    }
    if (!piece.empty()) return piece;
    if (code == Z_BUF_ERROR) break;
  }
  return std::string_view();
}

bool GzipStream::finished() const { return state_->member_ended && state_->input.empty(); }

Unpacked gunzip(ByteView compressed, std::uint64_t limit) {
  Unpacked unpacked;
  GzipStream stream;
  stream.feed(compressed);
  for (;;) {
    const auto piece = stream.next();
    if (!piece || piece->empty()) break;
    if (unpacked.text.size() + piece->size() > limit) {
      unpacked.text += piece->substr(0, limit - unpacked.text.size());
      return unpacked;
    }
    unpacked.text += *piece;
  }
  unpacked.complete = stream.finished();
  return unpacked;
}

}  // namespace icecore::artefact
