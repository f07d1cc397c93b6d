#include "volume/partition_types.h"

#include <algorithm>
#include <array>

namespace icecore::volume {
namespace {

struct GptType {
  std::string_view guid, name;
};

// UEFI 2.10 table 5.7; the Discoverable Partitions Specification; util-linux include/pt-gpt-partnames.h.
constexpr auto kGptTypes = std::to_array<GptType>({
    {"C12A7328-F81F-11D2-BA4B-00A0C93EC93B", "EFI System"},
    {"21686148-6449-6E6F-744E-656564454649", "BIOS boot"},
    {"024DEE41-33E7-11D3-9D69-0008C781F39F", "MBR partition scheme"},
    {"0FC63DAF-8483-4772-8E79-3D69D8477DE4", "Linux filesystem"},
    {"4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709", "Linux root (x86-64)"},
    {"B921B045-1DF0-41C3-AF44-4C6F280D3FAE", "Linux root (ARM64)"},
    {"933AC7E1-2EB4-4F13-B844-0E14E2AEF915", "Linux home"},
    {"3B8F8425-20E0-4F3B-907F-1A25A76F98E8", "Linux server data"},
    {"4D21B016-B534-45C2-A9FB-5C16E091FD2D", "Linux variable data"},
    {"BC13C2FF-59E6-4262-A352-B275FD6F7172", "Linux extended boot"},
    {"0657FD6D-A4AB-43C4-84E5-0933C84B4F4F", "Linux swap"},
    {"E6D6D379-F507-44C2-A23C-238F2A3DF928", "Linux LVM"},
    {"A19D880F-05FC-4D3B-A006-743F0F84911E", "Linux RAID"},
    {"CA7D7CCB-63ED-4C53-861C-1742536059CC", "Linux LUKS"},
    {"EBD0A0A2-B9E5-4433-87C0-68B6B72699C7", "Microsoft basic data"},
    {"E3C9E316-0B5C-4DB8-817D-F92DF00215AE", "Microsoft reserved"},
    {"DE94BBA4-06D1-4D40-A16A-BFD50179D6AC", "Windows recovery environment"},
    {"7C3457EF-0000-11AA-AA11-00306543ECAC", "Apple APFS"},
    {"48465300-0000-11AA-AA11-00306543ECAC", "Apple HFS+"},
    {"516E7CB6-6ECF-11D6-8FF8-00022D09712B", "FreeBSD UFS"},
    {"9E1A2D38-C612-4316-AA26-8B49521E5A8B", "PowerPC PReP boot"},
});

struct MbrType {
  std::uint8_t type;
  std::string_view name;
};

constexpr auto kMbrTypes = std::to_array<MbrType>({
    {0x01, "FAT12"},
    {0x04, "FAT16 <32M"},
    {0x06, "FAT16"},
    {0x07, "HPFS/NTFS/exFAT"},
    {0x0B, "W95 FAT32"},
    {0x0C, "W95 FAT32 (LBA)"},
    {0x0E, "W95 FAT16 (LBA)"},
    {0x27, "Hidden NTFS WinRE"},
    {0x82, "Linux swap"},
    {0x83, "Linux"},
    {0x8E, "Linux LVM"},
    {0xA5, "FreeBSD"},
    {0xAF, "HFS / HFS+"},
    {0xE8, "Linux LUKS"},
    {0xEE, "GPT"},
    {0xEF, "EFI (FAT-12/16/32)"},
    {0xFD, "Linux raid autodetect"},
});

}  // namespace

std::string_view gpt_type_name(std::string_view guid) {
  const auto found = std::ranges::find(kGptTypes, guid, &GptType::guid);
  return found == kGptTypes.end() ? std::string_view{} : found->name;
}

std::string_view mbr_type_name(std::uint8_t type) {
  const auto found = std::ranges::find(kMbrTypes, type, &MbrType::type);
  return found == kMbrTypes.end() ? std::string_view{} : found->name;
}

}  // namespace icecore::volume
