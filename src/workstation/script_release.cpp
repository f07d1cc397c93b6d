// Letting go: unmounting, and taking apart whatever stands on a disk.
#include "workstation/script_parts.h"

namespace icecore::workstation {

const std::string_view kReleaseShell = R"SH(release() { # volume serial letter gib folder flags
  if ! disk=$(find_disk "$2" "$3" "$4"); then say "$1" '' '' missing '' 'the disk is not there (any more)'; return; fi
  nodes=${disk##*/}
  for node in /sys/block/"$nodes"/"$nodes"*; do [ -e "$node/partition" ] && nodes="$nodes ${node##*/}"; done
  # And all that stands on them, however high.
  found=$nodes
  while [ -n "$found" ]; do
    next=
    for node in $found; do
      for holder in /sys/class/block/"$node"/holders/*; do
        [ -e "$holder" ] || continue
        case " $nodes " in *" ${holder##*/} "*) continue ;; esac
        nodes="$nodes ${holder##*/}"
        next="$next ${holder##*/}"
      done
    done
    found=$next
  done
  for node in $nodes; do
    numbers=$(cat "/sys/class/block/$node/dev")
    awk -v n="$numbers" '$3 == n {print $5}' /proc/self/mountinfo | sort -r | while read -r where; do
      where=$(printf '%b' "$where")
      if error=$(umount ${6:+"$6"} "$where" 2>&1); then rmdir "$where" "${where%/*}" 2>/dev/null; else say "$1" '' '' busy "$where" "$error"; fi
    done
  done
  devices=
  for node in $nodes; do devices="$devices /dev/$node"; done
  config=$(only "$devices")
  for node in $nodes; do
    [ -r "/sys/block/$node/dm/name" ] || continue
    group=$(lvs --config "$config" --noheadings -o vg_name "/dev/mapper/$(cat "/sys/block/$node/dm/name")" 2>/dev/null | tr -d ' ')
    [ -n "$group" ] && vgchange --config "$config" -an -- "$group" >/dev/null 2>&1
  done
  # From the top down: what still holds something stays for the next round.
  rounds=0
  while [ "$rounds" -lt 6 ]; do
    rounds=$((rounds + 1))
    for node in $nodes; do
      [ -e "/sys/block/$node" ] || continue
      [ -z "$(ls "/sys/block/$node/holders")" ] || continue
      case $node in
        dm-*)
          loops=$(cd "/sys/block/$node/slaves" && ls -d loop* 2>/dev/null)
          dmsetup remove "$(cat "/sys/block/$node/dm/name")" >/dev/null 2>&1 || continue
          for loop in $loops; do losetup -d "/dev/$loop"; done ;;
        md*) mdadm --stop "/dev/$node" >/dev/null 2>&1 ;;
      esac
    done
  done
  # Names without a device; where udev runs there are none.
  dmsetup mknodes >/dev/null 2>&1
  rmdir "/forensics/$5" 2>/dev/null
  sync
  say "$1" '' '' unmounted '' "$disk"
}
)SH";

}  // namespace icecore::workstation
