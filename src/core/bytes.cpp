#include "core/bytes.h"

#include <fmt/format.h>

namespace icecore {

Location Cursor::where() const {
  Location here = origin_;
  here.offset = origin_.offset.value_or(0) + position_;
  return here;
}

Result<void> Cursor::seek(std::size_t position) {
  if (position > bytes_.size()) return fail(Code::kCorrupt, fmt::format("points to byte {} of {}", position, bytes_.size()), where());
  position_ = position;
  return {};
}

Result<void> Cursor::skip(std::size_t count) {
  return take(count).map([](ByteView) {});
}

Result<ByteView> Cursor::take(std::size_t count) {
  if (count > remaining()) return fail(Code::kCorrupt, fmt::format("needs {} bytes where {} are left", count, remaining()), where());
  const ByteView view = bytes_.subspan(position_, count);
  position_ += count;
  return view;
}

}  // namespace icecore
