// Structures of journal files: src/libsystemd/sd-journal/journal-def.h of systemd 252; systemd.io/JOURNAL_FILE_FORMAT. Little-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace icecore::artefact::journal {

constexpr std::string_view kSignature = "LPKSHHRH";

// struct Header
namespace header {
constexpr std::size_t kIncompatibleFlags = 12, kFileId = 24, kMachineId = 40, kHeaderSize = 88, kArenaSize = 96, kTailObject = 136, kEntryCount = 152;
constexpr std::size_t kLeastSize = 208;  // of the first version
}  // namespace header

enum IncompatibleFlag : std::uint32_t { kXz = 1, kLz4 = 2, kKeyedHash = 4, kZstd = 8, kCompact = 16 };
constexpr std::uint32_t kKnownFlags = kXz | kLz4 | kKeyedHash | kZstd | kCompact;

enum class ObjectType : std::uint8_t { kUnused, kData, kField, kEntry, kDataHashTable, kFieldHashTable, kEntryArray, kTag };
constexpr std::uint8_t kLastType = 7;

enum ObjectFlag : std::uint8_t { kObjectXz = 1, kObjectLz4 = 2, kObjectZstd = 4 };

// struct ObjectHeader
constexpr std::size_t kObjectHeader = 16, kObjectSize = 8;

// struct DataObject
constexpr std::size_t kDataHash = 16, kDataPayload = 64, kDataPayloadCompact = 72;

// struct EntryObject
namespace entry {
constexpr std::size_t kSeqnum = 16, kRealtime = 24, kMonotonic = 32, kBootId = 40, kItems = 64;
constexpr std::size_t kItem = 16, kItemCompact = 4;
}  // namespace entry

constexpr std::uint64_t align(std::uint64_t offset) { return (offset + 7) & ~std::uint64_t{7}; }

}  // namespace icecore::artefact::journal
