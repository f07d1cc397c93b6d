// A filesystem in memory whose files have all four times, owners and modes, and which can be swept: what detectors need.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fs/filesystem.h"

namespace icecore::detect::test {

/// Times of a file. By default all four are the same.
struct Times {
  Timestamp born, modified, changed, accessed;
  static Times at(Timestamp time) { return {time, time, time, time}; }
};

class MemorySource final : public image::BlockSource {
 public:
  std::uint64_t size() const override { return bytes.size(); }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) const override {
    ICECORE_CHECK(image::check_range(offset, out.size(), bytes.size(), name()));
    std::memcpy(out.data(), bytes.data() + offset, out.size());
    return {};
  }
  std::string name() const override { return "memory"; }
  std::string bytes;
};

class MemoryFilesystem final : public fs::Filesystem {
 public:
  explicit MemoryFilesystem(std::string label = "") : source_(std::make_shared<MemorySource>()) {
    info_.type = "ext4";
    info_.label = std::move(label);
    info_.block_size = kBlock;
    info_.root_inode = 2;
    nodes_[2].info.inode = 2;
    nodes_[2].info.type = fs::FileType::kDirectory;
    nodes_[2].info.mode = 0040755;
    nodes_[2].info.links = 2;
  }

  std::uint64_t folder(const std::string& path, Times times) { return make(path, 0040755, 0, times, ""); }
  std::uint64_t file(const std::string& path, const std::string& content, Times times, std::uint32_t mode = 0644, std::uint32_t uid = 0) {
    return make(path, 0100000U | mode, uid, times, content);
  }
  std::uint64_t link(const std::string& path, const std::string& target, Times times) { return make(path, 0120777, 0, times, target); }
  void damage(const std::string& path, Code code) { nodes_[find(path)].broken = code; }

  const fs::FilesystemInfo& info() const override { return info_; }
  const image::BlockSource& source() const override { return *source_; }
  Result<fs::FileInfo> stat(std::uint64_t inode) const override {
    const auto found = nodes_.find(inode);
    if (found == nodes_.end()) return fail(Code::kCorrupt, "no such inode");
    return found->second.info;
  }
  Result<std::vector<fs::DirectoryEntry>> list(std::uint64_t directory) const override {
    ICECORE_ASSIGN(const Node* node, readable(directory));
    std::vector<fs::DirectoryEntry> entries;
    for (const auto& [name, inode] : node->names) entries.push_back({name, inode, nodes_.at(inode).info.type});
    return entries;
  }
  Result<std::size_t> read(std::uint64_t inode, std::uint64_t offset, std::span<std::byte> out) const override {
    ICECORE_ASSIGN(const Node* node, readable(inode));
    if (offset >= node->content.size()) return std::size_t{0};
    const std::size_t count = std::min<std::size_t>(out.size(), node->content.size() - offset);
    std::memcpy(out.data(), node->content.data() + offset, count);
    bytes_read += count;
    return count;
  }
  Result<std::string> readlink(std::uint64_t inode) const override {
    ICECORE_ASSIGN(const Node* node, readable(inode));
    return node->content;
  }
  Result<std::vector<fs::ExtendedAttribute>> xattrs(std::uint64_t) const override { return std::vector<fs::ExtendedAttribute>(); }
  Result<std::vector<fs::Extent>> extents(std::uint64_t inode) const override {
    ICECORE_ASSIGN(const Node* node, readable(inode));
    if (node->info.type != fs::FileType::kRegular || node->content.empty()) return std::vector<fs::Extent>();
    return std::vector<fs::Extent>{{0, inode * kBlock, (node->content.size() + kBlock - 1) / kBlock * kBlock, false}};
  }
  Result<fs::FileTable> sweep(const fs::SweepOptions&, Anomalies&, Progress&) const override {
    fs::FileTable table;
    table.root_inode = 2;
    for (const auto& [inode, node] : nodes_) {
      table.files.push_back(node.info);
      for (const auto& [name, child] : node.names) {
        table.names.push_back({inode, child, table.text.size(), static_cast<std::uint16_t>(name.size()), false});
        table.text += name;
      }
    }
    return table;
  }

  mutable std::size_t bytes_read = 0;

 private:
  static constexpr std::uint64_t kBlock = 4096;
  struct Node {
    fs::FileInfo info;
    std::map<std::string, std::uint64_t> names;
    std::string content;
    std::optional<Code> broken;
  };

  Result<const Node*> readable(std::uint64_t inode) const {
    const auto found = nodes_.find(inode);
    if (found == nodes_.end()) return fail(Code::kCorrupt, "no such inode");
    if (found->second.broken) return fail(*found->second.broken, "damaged on purpose");
    return &found->second;
  }
  std::uint64_t find(const std::string& path) {
    std::uint64_t here = 2;
    for (std::size_t begin = 1; begin <= path.size();) {
      const std::size_t end = std::min(path.find('/', begin), path.size());
      here = nodes_[here].names.at(path.substr(begin, end - begin));
      begin = end + 1;
    }
    return here;
  }
  std::uint64_t make(const std::string& path, std::uint32_t mode, std::uint32_t uid, Times times, const std::string& content) {
    const std::size_t slash = path.rfind('/');
    const std::string name = path.substr(slash + 1);
    std::uint64_t parent = 2;
    for (std::size_t begin = 1; begin < slash + 1 && slash > 0;) {
      const std::size_t end = path.find('/', begin);
      const std::string part = path.substr(begin, end - begin);
      const auto known = nodes_[parent].names.find(part);
      parent = known != nodes_[parent].names.end() ? known->second : make(path.substr(0, end), 0040755, 0, times, "");
      begin = end + 1;
    }
    auto& names = nodes_[parent].names;
    const std::uint64_t inode = names.contains(name) ? names[name] : ++last_;
    fs::FileInfo info;
    info.inode = inode;
    info.inode_offset = inode * 256;
    info.mode = mode;
    info.uid = uid;
    info.links = 1;
    info.type = fs::file_type_of_mode(mode);
    info.size = content.size();
    info.born = times.born;
    info.modified = times.modified;
    info.changed = times.changed;
    info.accessed = times.accessed;
    Node& node = nodes_[inode];
    node.info = info;
    node.content = content;
    nodes_[parent].names[name] = inode;
    source_->bytes.resize(std::max<std::size_t>(source_->bytes.size(), (inode + 1 + content.size() / kBlock) * kBlock));
    return inode;
  }

  fs::FilesystemInfo info_;
  std::shared_ptr<MemorySource> source_;
  std::map<std::uint64_t, Node> nodes_;
  std::uint64_t last_ = 10;
};

}  // namespace icecore::detect::test
