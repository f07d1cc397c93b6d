#include "volume/lvm_text.h"

#include <fmt/format.h>
#include <charconv>

namespace icecore::volume {
namespace {

constexpr int kMaximumDepth = 16;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  // Up to the closing brace, or the end of the text at depth 0.
  Result<Json> section(int depth) {
    if (depth > kMaximumDepth) return refuse("nested too deep");
    Json object = Json::object();
    for (;;) {
      skip_space();
      if (at_end()) return depth == 0 ? Result<Json>(std::move(object)) : Result<Json>(refuse("ends inside a section"));
      if (text_[at_] == '}') {
        if (depth == 0) return refuse("a brace that closes nothing");
        ++at_;
        return object;
      }
      const std::string name(word());
      if (name.empty()) return refuse("no name where one is due");
      skip_space();
      if (at_end()) return refuse("ends after a name");
      if (text_[at_] == '{') {
        ++at_;
        ICECORE_ASSIGN(object[name], section(depth + 1));
      } else if (text_[at_] == '=') {
        ++at_;
        ICECORE_ASSIGN(object[name], value(depth + 1));
      } else {
        return refuse("neither a value nor a section");
      }
    }
  }

 private:
  bool at_end() const { return at_ >= text_.size() || text_[at_] == '\0'; }

  Failure refuse(std::string_view why) const { return fail(Code::kCorrupt, fmt::format("LVM2 metadata: {} at byte {} of the text", why, at_)); }

  void skip_space() {
    while (!at_end()) {
      const char c = text_[at_];
      if (c == '#') {
        while (!at_end() && text_[at_] != '\n') ++at_;
      } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        ++at_;
      } else {
        return;
      }
    }
  }

  std::string_view word() {
    const std::size_t begin = at_;
    constexpr std::string_view kEnds = " \t\r\n={}[],#\"";
    while (!at_end() && kEnds.find(text_[at_]) == std::string_view::npos) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  Result<Json> value(int depth) {
    if (depth > kMaximumDepth) return refuse("nested too deep");
    skip_space();
    if (at_end()) return refuse("ends where a value is due");
    if (text_[at_] == '"') return string();
    if (text_[at_] == '[') return list(depth);
    return number();
  }

  Result<Json> string() {
    std::string plain;
    for (++at_; !at_end() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      plain += text_[at_];
    }
    if (at_end()) return refuse("a string without an end");
    ++at_;
    return Json(std::move(plain));
  }

  Result<Json> list(int depth) {
    Json items = Json::array();
    for (++at_;;) {
      skip_space();
      if (at_end()) return refuse("a list without an end");
      if (text_[at_] == ']') {
        ++at_;
        return items;
      }
      if (text_[at_] == ',') {
        ++at_;
        continue;
      }
      ICECORE_ASSIGN(Json item, value(depth + 1));
      items.push_back(std::move(item));
    }
  }

  Result<Json> number() {
    const std::string_view digits = word();
    std::int64_t whole = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), whole);
    if (error == std::errc() && end == digits.data() + digits.size()) return Json(whole);
    double real = 0;
    const auto [real_end, real_error] = std::from_chars(digits.data(), digits.data() + digits.size(), real);
    if (real_error == std::errc() && real_end == digits.data() + digits.size()) return Json(real);
    return refuse("no number where one is due");
  }

  const std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Result<Json> parse_lvm_text(std::string_view text) { return Parser(text).section(0); }

}  // namespace icecore::volume
