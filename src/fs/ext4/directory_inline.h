// for_each_dirent(): inline, since a sweep calls it for every directory block of a disk.
#pragma once

#include <fmt/format.h>
#include <algorithm>

#include "fs/ext4/directory.h"

namespace icecore::fs::ext4 {

/// ext4_rec_len_from_disk(): in 64 KiB blocks the length does not fit 16 bits.
inline std::size_t record_length(ByteView block, std::size_t at, std::size_t block_size) {
  const std::size_t length = load_le<std::uint16_t>(block, at + 4);
  if (length == 65535 || length == 0) return block_size >= 65536 ? 65536 : length;
  return length;
}

inline FileType file_type_of_dirent(std::uint8_t type) {
  static constexpr FileType kTypes[] = {FileType::kUnknown,     FileType::kRegular, FileType::kDirectory, FileType::kCharacterDevice,
                                        FileType::kBlockDevice, FileType::kFifo,    FileType::kSocket,    FileType::kSymlink};
  return type < std::size(kTypes) ? kTypes[type] : FileType::kUnknown;
}

inline std::size_t dirent_space(std::size_t name_length) { return (kDirentHeader + name_length + 3) & ~std::size_t{3}; }

/// An entry at `at` of which nothing is believed yet but that its header fits. nullopt where it cannot be a name.
inline std::optional<Dirent> dirent_at(ByteView block, std::size_t at, std::size_t end, const DirentOptions& options) {
  const std::size_t name_length = options.filetype ? std::to_integer<std::size_t>(block[at + 6]) : load_le<std::uint16_t>(block, at + 6);
  if (name_length == 0 || name_length > 255 || at + kDirentHeader + name_length > end) return std::nullopt;
  Dirent entry;
  entry.inode = load_le<std::uint32_t>(block, at);
  entry.name = as_text(block.subspan(at + kDirentHeader, name_length));
  if (options.filetype) entry.type = file_type_of_dirent(std::to_integer<std::uint8_t>(block[at + 7]));
  return entry;
}

/// Old entries between a live one's own bytes and its record's end. A removed entry keeps inode, length and name; only the record before it grew over
/// it.
template <typename Found>
void for_each_slack_dirent(ByteView block, std::size_t at, std::size_t end, const DirentOptions& options, Found&& found) {
  while (at + kDirentHeader + 1 <= end) {
    const std::size_t length = load_le<std::uint16_t>(block, at + 4);
    const auto entry = dirent_at(block, at, end, options);
    const bool plausible = entry && entry->inode != 0 && entry->inode <= options.inodes && length % 4 == 0 &&
                           length >= dirent_space(entry->name.size()) && at + length <= block.size() &&
                           (!options.filetype || std::to_integer<unsigned>(block[at + 7]) - 1U < 7U) &&
                           entry->name.find('\0') == std::string_view::npos && entry->name.find('/') == std::string_view::npos &&
                           entry->name != "." && entry->name != "..";
    if (!plausible) {
      at += 4;
      continue;
    }
    Dirent old = *entry;
    old.deleted = true;
    found(old);
    at += dirent_space(entry->name.size());
  }
}

template <typename Found>
std::optional<std::string> for_each_dirent(ByteView block, const DirentOptions& options, Found&& found) {
  std::size_t at = 0;
  while (at + kDirentHeader <= block.size()) {
    const std::size_t length = record_length(block, at, block.size());
    if (length < 12 || length % 4 != 0 || length > block.size() - at) {
      // An inline directory may end in fewer bytes than an entry takes.
      return fmt::format("record of {} bytes at byte {}", length, at);
    }
    const auto inode = load_le<std::uint32_t>(block, at);
    std::size_t used = kDirentHeader;
    if (inode != 0) {
      const auto entry = dirent_at(block, at, at + length, options);
      if (!entry) return fmt::format("name longer than its record at byte {}", at);
      if (entry->inode > options.inodes) return fmt::format("inode {} at byte {}", entry->inode, at);
      used = dirent_space(entry->name.size());
      if (entry->name != "." && entry->name != "..") found(*entry);
    } else if (options.slack) {
      used = 0;  // the block's first entry, when it is removed, loses only its inode number; what it covers may hold more
      if (const auto entry = dirent_at(block, at, at + length, options); entry && entry->name.find('\0') == std::string_view::npos)
        used = dirent_space(entry->name.size());
      if (used == 0) used = kDirentHeader;
    }
    if (options.slack) for_each_slack_dirent(block, at + used, at + length, options, found);
    at += length;
  }
  return std::nullopt;
}

}  // namespace icecore::fs::ext4
