#include "machine/fstab.h"

#include <algorithm>
#include <charconv>

#include "core/text.h"

namespace icecore::machine {
namespace {

// fstab(5): a space or tab in a field is written \040 or \011.
std::string decode_octal(std::string_view text) {
  std::string plain;
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && octal(text[i + 1]) && octal(text[i + 2]) && octal(text[i + 3])) {
      plain += static_cast<char>(((text[i + 1] - '0') << 6) | ((text[i + 2] - '0') << 3) | (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::string_view unquoted(std::string_view text) {
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front()) return text.substr(1, text.size() - 2);
  return text;
}

std::optional<std::uint32_t> number_of(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct DeviceName {
  std::string letters;                // "f" of xvdf, sdf, vdf
  std::optional<std::uint32_t> nvme;  // 1 of nvme1n1
  std::optional<std::uint32_t> number;
};

std::optional<DeviceName> parse_nvme(std::string_view name) {
  if (!name.starts_with("nvme")) return std::nullopt;
  const std::size_t n = name.find('n', 4);
  if (n == std::string_view::npos) return std::nullopt;
  DeviceName device;
  device.nvme = number_of(name.substr(4, n - 4));
  const std::size_t p = name.find('p', n);
  if (p != std::string_view::npos) device.number = number_of(name.substr(p + 1));
  if (!device.nvme || (p != std::string_view::npos && !device.number)) return std::nullopt;
  return device;
}

std::optional<DeviceName> parse_device(std::string_view path) {
  if (!path.starts_with("/dev/")) return std::nullopt;
  std::string_view name = path.substr(5);
  if (auto nvme = parse_nvme(name)) return nvme;
  for (const std::string_view prefix : {"xvd", "sd", "vd", "hd"}) {
    if (!name.starts_with(prefix)) continue;
    name.remove_prefix(prefix.size());
    const std::size_t digits = std::min(name.find_first_of("0123456789"), name.size());
    DeviceName device;
    device.letters = std::string(name.substr(0, digits));
    if (digits < name.size() && !(device.number = number_of(name.substr(digits)))) return std::nullopt;
    if (device.letters.empty()) return std::nullopt;
    return device;
  }
  return std::nullopt;
}

// Nitro numbers disks as they are found: usually the mapping's order, the root first.
std::optional<std::uint32_t> disk_order(std::size_t index, const std::vector<Partition>& partitions) {
  std::vector<std::string> disks;
  for (const Partition& partition : partitions) {
    const std::string& disk = partition.volume.empty() ? partition.snapshot : partition.volume;
    if (std::ranges::find(disks, disk) == disks.end()) disks.push_back(disk);
    if (&partition == &partitions[index]) return static_cast<std::uint32_t>(std::ranges::find(disks, disk) - disks.begin());
  }
  return std::nullopt;
}

template <typename Predicate>
std::optional<std::size_t> first(const std::vector<Partition>& partitions, Predicate matches) {
  for (std::size_t i = 0; i < partitions.size(); ++i)
    if (matches(i)) return i;
  return std::nullopt;
}

std::optional<std::size_t> match_device(std::string_view spec, const std::vector<Partition>& partitions) {
  const auto wanted = parse_device(spec);
  if (!wanted) return std::nullopt;
  return first(partitions, [&](std::size_t i) {
    if (partitions[i].number != wanted->number || !partitions[i].names.empty()) return false;
    if (wanted->nvme) return disk_order(i, partitions) == wanted->nvme;
    const auto mapped = parse_device(partitions[i].device);  // "/dev/sda1" in a mapping is a disk all the same
    return mapped && !mapped->letters.empty() && mapped->letters == wanted->letters;
  });
}

// by-id/nvme-Amazon_Elastic_Block_Store_vol0a5203422c0000001-part1
std::optional<std::size_t> match_by_id(std::string_view id, const std::vector<Partition>& partitions) {
  const std::size_t at = id.find("_vol");
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view serial = id.substr(at + 4);
  std::optional<std::uint32_t> number;
  if (const std::size_t part = serial.find("-part"); part != std::string_view::npos) {
    number = number_of(serial.substr(part + 5));
    serial = serial.substr(0, part);
  }
  const std::string volume = "vol-" + std::string(serial.substr(0, serial.find('_')));
  return first(partitions, [&](std::size_t i) { return partitions[i].volume == volume && partitions[i].number == number; });
}

struct Tag {
  std::string_view by_equals, by_path;
  bool (*matches)(const Partition&, std::string_view);
};

constexpr auto kSameText = [](std::string_view a, std::string_view b) { return !a.empty() && to_lower(a) == to_lower(b); };

constexpr Tag kTags[] = {
    {"UUID=", "/dev/disk/by-uuid/", [](const Partition& p, std::string_view v) { return kSameText(p.filesystem->info().uuid, v); }},
    {"LABEL=", "/dev/disk/by-label/", [](const Partition& p, std::string_view v) { return !v.empty() && p.filesystem->info().label == v; }},
    {"PARTUUID=", "/dev/disk/by-partuuid/", [](const Partition& p, std::string_view v) { return kSameText(p.uuid, v); }},
    {"PARTLABEL=", "/dev/disk/by-partlabel/", [](const Partition& p, std::string_view v) { return !v.empty() && p.label == v; }},
};

}  // namespace

std::vector<FstabEntry> parse_fstab(std::string_view text) {
  std::vector<FstabEntry> entries;
  std::uint64_t number = 0;
  for (const std::string_view line : split_lines(text)) {
    ++number;
    const auto fields = split_fields(trim(line));
    if (fields.size() < 2 || fields[0].front() == '#') continue;
    FstabEntry entry{number, decode_octal(fields[0]), decode_octal(fields[1]), "auto", "defaults"};
    if (fields.size() > 2) entry.type = std::string(fields[2]);
    if (fields.size() > 3) entry.options = std::string(fields[3]);
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::string crypttab_device(std::string_view crypttab, std::string_view spec) {
  constexpr std::string_view kMapper = "/dev/mapper/";
  if (!spec.starts_with(kMapper)) return {};
  for (const std::string_view line : split_lines(crypttab)) {
    const auto fields = split_fields(trim(line));
    if (fields.size() < 2 || fields[0].front() == '#' || fields[0] != spec.substr(kMapper.size())) continue;
    for (const std::string_view prefix : {"UUID=", "/dev/disk/by-uuid/"})
      if (fields[1].starts_with(prefix)) return "/dev/mapper/luks-" + to_lower(unquoted(fields[1].substr(prefix.size())));
  }
  return {};
}

std::optional<std::size_t> match_spec(std::string_view spec, const std::vector<Partition>& partitions) {
  for (const Tag& tag : kTags) {
    const std::string_view prefix = spec.starts_with(tag.by_equals) ? tag.by_equals : tag.by_path;
    if (!spec.starts_with(prefix)) continue;
    const std::string_view value = unquoted(spec.substr(prefix.size()));
    return first(partitions, [&](std::size_t i) { return tag.matches(partitions[i], value); });
  }
  const auto named = first(partitions, [&](std::size_t i) { return std::ranges::find(partitions[i].names, spec) != partitions[i].names.end(); });
  if (named) return named;
  constexpr std::string_view kById = "/dev/disk/by-id/";
  if (spec.starts_with(kById)) return match_by_id(spec.substr(kById.size()), partitions);
  return match_device(spec, partitions);
}

}  // namespace icecore::machine
