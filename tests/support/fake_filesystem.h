// A filesystem in memory, for tests of what stands above filesystems. Content lies in a source of its own, so that extents mean something.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>

#include "fs/filesystem.h"

namespace icecore::test {

/// Bytes at `image_start` of an imagined image; counts prefetches.
class FakeSource final : public image::BlockSource {
 public:
  explicit FakeSource(std::uint64_t image_start) : image_start_(image_start) {}
  std::uint64_t size() const override { return bytes.size(); }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
    ICECORE_CHECK(image::check_range(offset, out.size(), bytes.size(), name()));
    std::memcpy(out.data(), bytes.data() + offset, out.size());
    return {};
  }
  Result<void> prefetch(std::span<const image::ByteRange> ranges) const override {
    prefetched.insert(prefetched.end(), ranges.begin(), ranges.end());
    return {};
  }
  std::string name() const override { return "fake"; }
  std::uint64_t image_offset(std::uint64_t offset) const override { return image_start_ + offset; }

  std::string bytes;
  mutable std::vector<image::ByteRange> prefetched;

 private:
  std::uint64_t image_start_;
};

class FakeFilesystem final : public fs::Filesystem {
 public:
  explicit FakeFilesystem(std::uint64_t image_start = 0) : source_(std::make_shared<FakeSource>(image_start)) {
    info_.type = "fake";
    info_.block_size = kBlock;
    info_.root_inode = 2;
    nodes_[2].info = directory_info(2);
  }

  FakeFilesystem& identity(std::string uuid, std::string label) {
    info_.uuid = std::move(uuid);
    info_.label = std::move(label);
    return *this;
  }
  std::uint64_t folder(const std::string& path) { return make(path, directory_info(0), ""); }
  std::uint64_t file(const std::string& path, const std::string& content, Timestamp modified = {}, std::uint32_t mode = 0100644) {
    fs::FileInfo info;
    info.type = fs::FileType::kRegular;
    info.mode = mode;
    info.modified = modified;
    info.size = content.size();
    return make(path, info, content);
  }
  std::uint64_t link(const std::string& path, const std::string& target) {
    fs::FileInfo info;
    info.type = fs::FileType::kSymlink;
    info.mode = 0120777;
    info.size = target.size();
    return make(path, info, target);
  }
  /// Puts one name for an inode that exists; folders too, as only damage does.
  void name(std::uint64_t directory, const std::string& text, std::uint64_t inode) { nodes_[directory].names.emplace_back(text, inode); }
  void damage(std::uint64_t inode, Code code = Code::kCorrupt) { nodes_[inode].broken = code; }
  void set_owner(std::uint64_t inode, std::uint32_t uid) { nodes_[inode].info.uid = uid; }
  const FakeSource& fake_source() const { return *source_; }

  const fs::FilesystemInfo& info() const override { return info_; }
  const image::BlockSource& source() const override { return *source_; }
  Result<fs::FileInfo> stat(std::uint64_t inode) const override {
    ICECORE_ASSIGN(const Node* node, at(inode, false));
    return node->info;
  }
  Result<std::vector<fs::DirectoryEntry>> list(std::uint64_t directory) const override {
    ICECORE_ASSIGN(const Node* node, at(directory, true));
    std::vector<fs::DirectoryEntry> entries;
    for (const auto& [text, inode] : node->names) entries.push_back({text, inode, nodes_.at(inode).info.type});
    return entries;
  }
  Result<std::size_t> read(std::uint64_t inode, std::uint64_t offset, std::span<std::byte> out) const override {
    ICECORE_ASSIGN(const Node* node, at(inode, true));
    if (offset >= node->info.size) return std::size_t{0};
    const std::size_t count = std::min<std::size_t>(out.size(), node->info.size - offset);
    ICECORE_CHECK(source_->read(node->start + offset, out.first(count)));
    return count;
  }
  Result<std::string> readlink(std::uint64_t inode) const override {
    ICECORE_ASSIGN(const Node* node, at(inode, true));
    return node->target;
  }
  Result<std::vector<fs::ExtendedAttribute>> xattrs(std::uint64_t) const override { return std::vector<fs::ExtendedAttribute>(); }
  Result<std::vector<fs::Extent>> extents(std::uint64_t inode) const override {
    ICECORE_ASSIGN(const Node* node, at(inode, true));
    if (node->info.type != fs::FileType::kRegular || node->info.size == 0) return std::vector<fs::Extent>();
    return std::vector<fs::Extent>{{0, node->start, (node->info.size + kBlock - 1) / kBlock * kBlock, false}};
  }
  Result<fs::FileTable> sweep(const fs::SweepOptions&, Anomalies&, Progress&) const override {
    return fail(Code::kUnsupported, "the fake has no sweep");
  }

 private:
  static constexpr std::uint64_t kBlock = 4096;
  struct Node {
    fs::FileInfo info;
    std::vector<std::pair<std::string, std::uint64_t>> names;
    std::string target;
    std::uint64_t start = 0;
    std::optional<Code> broken;
  };

  static fs::FileInfo directory_info(std::uint64_t inode) {
    fs::FileInfo info;
    info.inode = inode;
    info.type = fs::FileType::kDirectory;
    info.mode = 0040755;
    return info;
  }
  Result<const Node*> at(std::uint64_t inode, bool content) const {
    const auto found = nodes_.find(inode);
    if (found == nodes_.end()) return fail(Code::kCorrupt, "no such inode");
    if (content && found->second.broken) return fail(*found->second.broken, "damaged on purpose");
    return &found->second;
  }
  std::uint64_t make(const std::string& path, fs::FileInfo info, const std::string& content) {
    std::uint64_t parent = 2;
    std::size_t begin = 1;
    for (std::size_t slash = path.find('/', begin); slash != std::string::npos; begin = slash + 1, slash = path.find('/', begin)) {
      const std::string part = path.substr(begin, slash - begin);
      std::uint64_t next = 0;
      for (const auto& [text, inode] : nodes_[parent].names)
        if (text == part) next = inode;
      parent = next != 0 ? next : folder(path.substr(0, slash));
    }
    const std::uint64_t inode = ++last_;
    info.inode = inode;
    info.inode_offset = inode * 256;
    Node node;
    node.info = info;
    if (info.type == fs::FileType::kRegular) {
      node.start = source_->bytes.size();
      source_->bytes += content;
      source_->bytes.resize((source_->bytes.size() + kBlock - 1) / kBlock * kBlock);
    } else {
      node.target = content;
    }
    nodes_[inode] = std::move(node);
    nodes_[parent].names.emplace_back(path.substr(begin), inode);
    return inode;
  }

  fs::FilesystemInfo info_;
  std::shared_ptr<FakeSource> source_;
  std::map<std::uint64_t, Node> nodes_;
  std::uint64_t last_ = 10;
};

}  // namespace icecore::test
