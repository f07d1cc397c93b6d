#include "workstation/mount_script.h"

#include <fmt/format.h>

#include <functional>

#include "core/text.h"

namespace icecore::workstation {
namespace {

// Everything that comes from the disk (labels, names of volume groups) is quoted and only ever a word. noload and norecovery give the disk as it
// stands (mount(8)); without them the kernel replays the journal, also for a read-only mount of a writable device (ext4, XFS). `nouuid`: two copies
// of one XFS carry one id, and the workstation's own root may be of the same image.
constexpr std::string_view kFunctions = R"SH(#!/bin/sh
# Written by icecore. Run it as root on the forensics workstation. It finds the disks by their volume ids, mounts them below /forensics, and may be
# run again at any time.
set -u
LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL PATH
safe=nosuid,nodev,noexec
lvm_config='devices { use_devicesfile = 0 }'
say() { printf 'icecore\t%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "$5" "$(printf %s "$6" | tr '\t\n' '  ' | cut -c1-300)"; }

# The disk of a volume: by NVMe serial (Nitro), else by the name that was asked for (Xen), if it has the volume's size.
find_disk() { # serial letter gib
  for file in /sys/block/nvme*/device/serial; do
    [ -r "$file" ] || continue
    serial=$(tr -d ' \n' <"$file")
    if [ "$serial" = "$1" ]; then
      disk=${file%/device/serial}
      printf '/dev/%s' "${disk##*/}"
      return 0
    fi
  done
  for name in "xvd$2" "sd$2"; do
    [ -r "/sys/block/$name/size" ] || continue
    read -r sectors <"/sys/block/$name/size"
    if [ "$sectors" -eq $(($3 * 2097152)) ]; then
      printf '/dev/%s' "$name"
      return 0
    fi
  done
  return 1
}
wait_disk() {
  tries=0
  while [ "$tries" -lt "${ICECORE_WAIT:-60}" ]; do
    if find_disk "$@"; then return 0; fi
    tries=$((tries + 1))
    sleep 1
  done
  return 1
}
type_of() { blkid -p -s TYPE -o value "$1" 2>/dev/null; }
is_mounted() { grep -q " $1 " /proc/mounts; }
recoveries() { dmesg 2>/dev/null | grep -F "(${1##*/})" | grep -c -i 'recovery'; }
last_words() { dmesg 2>/dev/null | grep -F "(${1##*/})" | tail -n 1 | sed 's/^\[[^]]*\] *//'; }

mount_one() { # volume partition device folder view type
  where=/forensics/$4
  if is_mounted "$where"; then say "$1" "$2" "$6" mounted "$where" "$3, as before"; return; fi
  mkdir -p "$where"
  options=ro,$safe
  state=mounted
  case $6 in xfs) options=$options,nouuid ;; esac
  case $5 in
    as-is)
      blockdev --setro "$3"
      case $6 in
        ext3 | ext4) options=$options,noload ;;
        xfs) options=$options,norecovery ;;
        btrfs) options=$options,rescue=nologreplay ;;
      esac ;;
    writable) options=rw,${options#ro,} ;;
    *)
      # Once, so that the kernel replays the journal of this copy; then nothing can write to it any more.
      if [ "$(blockdev --getro "$3")" = 0 ]; then
        before=$(recoveries "$3")
        if ! error=$(mount -t "$6" -o "$options" "$3" "$where" 2>&1); then
          rmdir "$where" 2>/dev/null
          say "$1" "$2" "$6" failed '' "$error; $(last_words "$3")"
          return
        fi
        umount "$where"
        [ "$(recoveries "$3")" = "$before" ] || state=recovered
        blockdev --setro "$3"
      fi ;;
  esac
  if error=$(mount -t "$6" -o "$options" "$3" "$where" 2>&1); then
    say "$1" "$2" "$6" "$state" "$where" "$3 $options"
  else
    rmdir "$where" 2>/dev/null
    say "$1" "$2" "$6" failed '' "$error; $(last_words "$3")"
  fi
}

# One filesystem, or what it is instead. Members of LVM and md are kept for later.
show() { # volume partition device folder view
  type=$(type_of "$3")
  case $type in
    '') say "$1" "$2" '' skipped '' "$3 holds nothing that blkid knows" ;;
    swap) say "$1" "$2" swap skipped '' "$3" ;;
    crypto_LUKS) say "$1" "$2" "$type" skipped '' "encrypted: cryptsetup open --readonly $3 NAME, then mount it" ;;
    LVM2_member | linux_raid_member)
      if [ "$5" = as-is ]; then
        say "$1" "$2" "$type" skipped '' "two copies of one $type cannot be assembled on one machine; the recovered one is"
      else
        members="$members $3"
        members_of="$members_of $1:$5"
      fi ;;
    *) mount_one "$1" "$2" "$3" "$4/$2" "$5" "$type" ;;
  esac
}

members=
members_of=
disks=
volume() { # volume serial letter gib folder view
  if ! disk=$(wait_disk "$2" "$3" "$4"); then
    say "$1" '' '' missing '' "the disk did not appear; lsblk -o NAME,SERIAL,SIZE shows what there is"
    return
  fi
  parts=
  for part in /sys/block/"${disk##*/}"/"${disk##*/}"*; do
    [ -r "$part/partition" ] && parts="$parts ${part##*/}"
  done
  if [ -z "$parts" ]; then
    show "$1" whole "$disk" "$5" "$6"
  else
    for part in $parts; do
      read -r number <"/sys/block/${disk##*/}/$part/partition"
      show "$1" "$number" "/dev/$part" "$5" "$6"
    done
  fi
  [ "$6" = writable ] || disks="$disks $disk"
}

assemble() {
  [ -n "$members" ] || return 0
  owner=${members_of##* }
  view=${owner#*:}
  owner=${owner%%:*}
  uuids=
  for member in $members; do
    [ "$(type_of "$member")" = linux_raid_member ] || continue
    uuid=$(mdadm --examine --export "$member" 2>/dev/null | sed -n 's/^MD_UUID=//p')
    case " $uuids " in *" $uuid "*) ;; *) uuids="$uuids $uuid" ;; esac
  done
  number=120
  for uuid in $uuids; do
    array=
    for file in /sys/block/md*/md/uuid; do
      [ -r "$file" ] && [ "$(tr -d ':-' <"$file")" = "$(printf %s "$uuid" | tr -d ':-')" ] && array=${file%/md/uuid} && array=/dev/${array##*/}
    done
    if [ -z "$array" ]; then
      while [ -e "/sys/block/md$number" ]; do number=$((number + 1)); done
      array=/dev/md$number
      # shellcheck disable=SC2086
      if ! error=$(mdadm --assemble --run --uuid="$uuid" "$array" $members 2>&1); then
        say "$owner" "md $uuid" linux_raid_member failed '' "$error"
        continue
      fi
    fi
    if [ "$(type_of "$array")" = LVM2_member ]; then members="$members $array"; else show "$owner" "${array##*/}" "$array" "md-$uuid" "$view"; fi
  done
  groups=
  for member in $members; do
    [ "$(type_of "$member")" = LVM2_member ] || continue
    group=$(pvs --config "$lvm_config" --noheadings -o vg_name "$member" 2>/dev/null | tr -d ' ')
    [ -n "$group" ] || continue
    case " $groups " in *" $group "*) ;; *) groups="$groups $group" ;; esac
  done
  for group in $groups; do
    if ! error=$(vgchange --config "$lvm_config" -ay -- "$group" 2>&1); then
      say "$owner" "$group" LVM2_member failed '' "$error"
      continue
    fi
    vgscan --config "$lvm_config" --mknodes >/dev/null 2>&1
    for logical in $(lvs --config "$lvm_config" --noheadings -o lv_name -- "$group" 2>/dev/null); do
      node=$(readlink -f "/dev/$group/$logical")
      show "$owner" "$logical" "$node" "lvm-$group" "$view"
    done
  done
}

release() { # volume serial letter gib folder flags
  if ! disk=$(find_disk "$2" "$3" "$4"); then say "$1" '' '' missing '' 'the disk is not there (any more)'; return; fi
  nodes=$disk
  for node in /sys/block/"${disk##*/}"/"${disk##*/}"*; do [ -e "$node/partition" ] && nodes="$nodes /dev/${node##*/}"; done
  for node in $nodes; do
    for holder in /sys/class/block/"${node##*/}"/holders/*; do
      [ -e "$holder" ] || continue
      nodes="$nodes /dev/${holder##*/}"
      for above in "$holder"/holders/*; do [ -e "$above" ] && nodes="$nodes /dev/${above##*/}"; done
    done
  done
  for node in $nodes; do
    # The same block device may go by several names; its numbers do not lie.
    numbers=$(cat "/sys/class/block/${node##*/}/dev")
    awk -v n="$numbers" '$3 == n {print $5}' /proc/self/mountinfo | sort -r | while read -r where; do
      if error=$(umount ${6:+"$6"} "$(printf '%b' "$where")" 2>&1); then rmdir "$(printf '%b' "$where")" 2>/dev/null; else say "$1" '' '' busy "$where" "$error"; fi
    done
  done
  for node in $nodes; do
    case $node in
      /dev/dm-*) group=$(lvs --config "$lvm_config" --noheadings -o vg_name "/dev/mapper/$(cat "/sys/class/block/${node##*/}/dm/name")" 2>/dev/null | tr -d ' ')
        [ -n "$group" ] && vgchange --config "$lvm_config" -an -- "$group" >/dev/null 2>&1
        rmdir "/forensics/lvm-$group" 2>/dev/null ;;
    esac
  done
  for node in $nodes; do case $node in /dev/md*) mdadm --stop "$node" >/dev/null 2>&1 ;; esac; done
  rmdir "/forensics/$5" 2>/dev/null
  sync
  say "$1" '' '' unmounted '' "$disk"
}
)SH";

std::string serial_of(const std::string& volume) {
  std::string serial = volume;
  std::erase(serial, '-');
  return serial;
}

// The letter or letters behind sd or xvd.
std::string letters_of(std::string_view device) {
  for (const std::string_view prefix : {"/dev/", "xvd", "sd"})
    if (device.starts_with(prefix)) device.remove_prefix(prefix.size());
  return std::string(device);
}

// All of these are ids or of our own making; what is not would end the quotes, so it is left out.
std::string word(std::string_view text) {
  std::string clean;
  for (const char c : text)
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_') clean += c;
  return "'" + clean + "'";
}

std::string calls(std::string_view function, const std::vector<AttachedCopy>& copies, const std::function<std::string(const AttachedCopy&)>& last) {
  std::string text;
  for (const AttachedCopy& copy : copies)
    text += fmt::format("{} {} {} {} {} {} {}\n", function, word(copy.volume), word(serial_of(copy.volume)), word(letters_of(copy.device)),
                        copy.size_gib, word(copy.copy.folder()), last(copy));
  return text;
}

}  // namespace

std::string mount_script(const std::vector<AttachedCopy>& copies) {
  return std::string(kFunctions) + calls("volume", copies, [](const AttachedCopy& copy) { return word(view_name(copy.copy.view)); }) +
         "assemble\n# shellcheck disable=SC2086\nfor disk in $disks; do blockdev --setro \"$disk\"; done\n";
}

std::string unmount_script(const std::vector<AttachedCopy>& copies, bool lazily) {
  return std::string(kFunctions) + calls("release", copies, [&](const AttachedCopy&) { return lazily ? "-l" : "''"; });
}

std::vector<Mounted> parse_report(std::string_view output) {
  std::vector<Mounted> report;
  for (const std::string_view line : split_lines(output)) {
    const auto fields = split(line, '\t');
    if (fields.size() != 7 || fields[0] != "icecore") continue;
    report.push_back({std::string(fields[1]), std::string(fields[2]), std::string(fields[3]), std::string(fields[4]), std::string(fields[5]),
                      std::string(fields[6])});
  }
  return report;
}

}  // namespace icecore::workstation
