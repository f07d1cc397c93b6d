// One function a format. Internal to container/.
#pragma once

#include <functional>
#include <mutex>

#include "container/container.h"
#include "image/file_source.h"

namespace icecore::container {

/// What a container may claim to hold at most: EBS ends at 64 TiB.
inline constexpr std::uint64_t kLargestDisk = std::uint64_t{1} << 48;

Result<Container> open_qcow2(const Path& path);
Result<Container> open_ewf(const Path& path);
Result<Container> open_vmdk(const Path& path);
Result<Container> open_vhd(const Path& path);

/// The parts of a split image whose first is `path` (.000 or .001 and on, or .aa and on); empty where it is none. kCorrupt where one is missing in
/// the middle.
Result<std::vector<Path>> split_parts(const Path& path);
Result<Container> open_split(const std::vector<Path>& parts);

/// A library's reader as a source: calls come one at a time. `read` gives how many bytes it read, or its error.
class LibrarySource final : public image::BlockSource {
 public:
  using Read = std::function<Result<std::size_t>(std::uint64_t offset, std::span<std::byte> out)>;
  LibrarySource(std::uint64_t size, std::string name, Read read) : size_(size), name_(std::move(name)), read_(std::move(read)) {}
  std::uint64_t size() const override { return size_; }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override;
  std::string name() const override { return name_; }

 private:
  const std::uint64_t size_;
  const std::string name_;
  const Read read_;
  mutable std::mutex mutex_;
};

/// kCorrupt where a container claims no bytes, or more than any disk has.
Result<std::uint64_t> checked_size(std::uint64_t claimed, const Path& path);

/// A name that a container gives for another of its files, in the container's own folder. kUnsupported where it leads elsewhere: whoever made the
/// container must not choose which of this machine's files are read.
Result<Path> beside(const Path& container, std::string_view name);

/// "cannot DOING PATH: …", with what the library says. `print` is the library's error_sprint.
template <typename LibraryError>
Failure library_failure(Code code, std::string_view doing, const Path& path, LibraryError*& error, int (*print)(LibraryError*, char*, std::size_t),
                        void (*free)(LibraryError**));

std::string first_line(std::string_view text);

template <typename LibraryError>
Failure library_failure(Code code, std::string_view doing, const Path& path, LibraryError*& error, int (*print)(LibraryError*, char*, std::size_t),
                        void (*free)(LibraryError**)) {
  std::string text(1024, '\0');
  if (error == nullptr || print(error, text.data(), text.size()) < 0) text.clear();
  if (error != nullptr) free(&error);
  const std::string reason = first_line(text);
  return fail(code, "cannot " + std::string(doing) + ' ' + path.string() + (reason.empty() ? "" : ": " + reason));
}

}  // namespace icecore::container
