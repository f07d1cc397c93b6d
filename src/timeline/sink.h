// Where a timeline is written: standard output or a file, in large pieces.
#pragma once

#include <string>
#include <string_view>

#include "core/file.h"
#include "core/result.h"

namespace icecore::timeline {

/// Takes text in order. Not thread-safe.
class TextSink {
 public:
  virtual ~TextSink() = default;
  virtual Result<void> write(std::string_view text) = 0;
};

/// Writes to a file descriptor that somebody else owns. A closed pipe (`| head`) is kInterrupted, so that the caller can end quietly.
class DescriptorSink final : public TextSink {
 public:
  DescriptorSink(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
  Result<void> write(std::string_view text) override;

 private:
  int fd_;
  std::string name_;
};

class StringSink final : public TextSink {
 public:
  Result<void> write(std::string_view text) override {
    text_ += text;
    return {};
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace icecore::timeline
