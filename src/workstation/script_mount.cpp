// Finding the disks and mounting what is on them. Everything that comes from the disk (labels, names of volume groups) is quoted and only ever a
// word. noload and norecovery give the disk as it stands (mount(8)); without them the kernel replays the journal, also for a read-only mount of a
// writable device (ext4, XFS). `nouuid`: two copies of one XFS carry one id, and the workstation's own root may be of the same image.
#include "workstation/script_parts.h"

namespace icecore::workstation {

const std::string_view kMountShell = R"SH(#!/bin/sh
# Written by icecore. Run it as root on the forensics workstation. It finds the disks by their volume ids, mounts them below /forensics, and may be
# run again at any time.
set -u
LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL PATH
safe=nosuid,nodev,noexec
remark=
raids=
physicals=
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
# The kernel's own name of a block device, which may go by several; its numbers do not lie.
kernel_name() {
  # shellcheck disable=SC2046
  set -- $(stat -L -c '0x%t 0x%T' "$1" 2>/dev/null)
  [ "$#" = 2 ] || return 1
  node=$(readlink -f "/sys/dev/block/$(printf '%d:%d' "$1" "$2")")
  printf %s "${node##*/}"
}
same_device() { [ -b "$1" ] && [ "$(stat -L -c %t:%T "$1")" = "$(stat -L -c %t:%T "$2")" ]; }
mounted_from() { awk -v where="$1" '$2 == where { from = $1 } END { print from }' /proc/mounts; }
recoveries() { dmesg 2>/dev/null | grep -F "(${1##*/})" | grep -c -i 'recovery'; }
last_words() { dmesg 2>/dev/null | grep -F "(${1##*/})" | tail -n 1 | sed 's/^\[[^]]*\] *//'; }

mount_one() { # volume partition device folder view type
  where=/forensics/$4
  source=$(mounted_from "$where")
  if [ -n "$source" ]; then
    if same_device "$source" "$3"; then say "$1" "$2" "$6" mounted "$where" "$3, as before"; return; fi
    # Of a disk that was taken away while it was mounted.
    umount "$where" 2>/dev/null || umount -l "$where"
  fi
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
    say "$1" "$2" "$6" "$state" "$where" "$3 $options$remark"
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
      [ "$5" = as-is ] && blockdev --setro "$3"
      if [ "$type" = LVM2_member ]; then physicals="$physicals $5:$1:$3"; else raids="$raids $5:$1:$3"; fi ;;
    *) mount_one "$1" "$2" "$3" "$4/$2" "$5" "$type" ;;
  esac
}

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

)SH";

}  // namespace icecore::workstation
