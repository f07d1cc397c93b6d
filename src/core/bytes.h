// Bytes as disks store them: little- and big-endian loads and stores in a span, bounds checked once by the caller or by Cursor.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace icecore {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

template <std::unsigned_integral T>
constexpr T byte_swap(T value) {
  if constexpr (sizeof(T) == 1) return value;
  if constexpr (sizeof(T) == 2) return __builtin_bswap16(value);
  if constexpr (sizeof(T) == 4) return __builtin_bswap32(value);
  if constexpr (sizeof(T) == 8) return __builtin_bswap64(value);
}

/// Loads a T at `offset`. Precondition: offset + sizeof(T) <= view.size().
template <std::unsigned_integral T>
T load_le(ByteView view, std::size_t offset) {
  T value;
  std::memcpy(&value, view.data() + offset, sizeof value);
  if constexpr (std::endian::native == std::endian::big) value = byte_swap(value);
  return value;
}

template <std::unsigned_integral T>
T load_be(ByteView view, std::size_t offset) {
  T value;
  std::memcpy(&value, view.data() + offset, sizeof value);
  if constexpr (std::endian::native == std::endian::little) value = byte_swap(value);
  return value;
}

/// Stores `value` at `offset`. Precondition: offset + sizeof(T) <= out.size().
template <std::unsigned_integral T>
void store_le(std::span<std::byte> out, std::size_t offset, T value) {
  if constexpr (std::endian::native == std::endian::big) value = byte_swap(value);
  std::memcpy(out.data() + offset, &value, sizeof value);
}

template <std::unsigned_integral T>
void store_be(std::span<std::byte> out, std::size_t offset, T value) {
  if constexpr (std::endian::native == std::endian::little) value = byte_swap(value);
  std::memcpy(out.data() + offset, &value, sizeof value);
}

/// True also of no bytes. At memcmp's speed: whole images go through it.
inline bool is_all_zero(ByteView bytes) {
  return bytes.empty() || (bytes[0] == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

inline ByteView as_bytes(std::string_view text) { return std::as_bytes(std::span<const char>(text.data(), text.size())); }
inline std::string_view as_text(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// The bytes up to the first NUL.
inline std::string_view c_string(ByteView bytes) {
  const std::string_view text = as_text(bytes);
  return text.substr(0, text.find('\0'));
}

/// A reading position in bytes that knows where they came from: every error it makes says source, path and absolute offset.
/// Not thread-safe; cheap to copy.
class Cursor {
 public:
  Cursor(ByteView bytes, Location origin) : bytes_(bytes), origin_(std::move(origin)) {}

  std::size_t position() const { return position_; }
  std::size_t remaining() const { return bytes_.size() - position_; }
  /// `origin` moved to the current position.
  Location where() const;

  Result<void> seek(std::size_t position);
  Result<void> skip(std::size_t count);
  /// The next `count` bytes, or kCorrupt ("ends after …").
  Result<ByteView> take(std::size_t count);

  template <std::unsigned_integral T>
  Result<T> le() {
    return take(sizeof(T)).map([](ByteView view) { return load_le<T>(view, 0); });
  }
  template <std::unsigned_integral T>
  Result<T> be() {
    return take(sizeof(T)).map([](ByteView view) { return load_be<T>(view, 0); });
  }

 private:
  ByteView bytes_;
  Location origin_;
  std::size_t position_ = 0;
};

}  // namespace icecore
