// md arrays, of the disks of one view alone: the superblocks of two copies are the same, and mdadm would mix them.
#include "workstation/script_parts.h"

namespace icecore::workstation {

const std::string_view kArrayShell = R"SH(# Which of a list of VIEW:VOLUME:DEVICE are of a view; and whose a device is.
of_view() { # view list
  for one in $2; do case $one in "$1":*) printf ' %s' "${one##*:}" ;; esac; done
}
owner_of() { # device list
  for one in $2; do case $one in *:"$1") one=${one#*:} && printf %s "${one%%:*}" && return ;; esac; done
}
# What a device stands on that is none of these.
strangers() { # kernel-name devices
  below=$1
  while [ -n "$below" ]; do
    next=
    for node in $below; do
      for slave in /sys/class/block/"$node"/slaves/*; do
        [ -e "$slave" ] || continue
        slave=${slave##*/}
        case " $2 " in *" /dev/$slave "*) continue ;; esac
        if [ -n "$(ls "/sys/class/block/$slave/slaves" 2>/dev/null)" ]; then next="$next $slave"; else printf '%s ' "$slave"; fi
      done
    done
    below=$next
  done
}

md_uuid() { mdadm --examine --export "$1" 2>/dev/null | sed -n 's/^MD_UUID=//p'; }

# The array of these members that is there already: from an earlier run, or udev's doing. One that does not run, or that has a disk of another copy
# in it, is taken apart.
array_of() { # members
  for member in $1; do
    for holder in /sys/class/block/"${member##*/}"/holders/md*; do
      [ -e "$holder" ] || continue
      holder=${holder##*/}
      case $(cat "/sys/block/$holder/md/array_state") in inactive | clear) runs=no ;; *) runs=yes ;; esac
      if [ "$runs" = yes ] && [ -z "$(strangers "$holder" "$1")" ]; then printf '/dev/%s' "$holder" && return; fi
      mdadm --stop "/dev/$holder" >/dev/null 2>&1
    done
  done
}

# mdadm does not assemble a second array of one UUID; the kernel does, through its own files (Documentation/admin-guide/md.rst), and a read-only one
# neither resyncs nor writes its superblocks.
start_by_kernel() { # array members state
  metadata=$(mdadm --examine --brief "${2##* }" 2>/dev/null | sed -n 's/.*metadata=\([0-9.]*\).*/\1/p')
  modprobe md_mod 2>/dev/null
  echo "${1##*/}" >/sys/module/md_mod/parameters/new_array || return 1
  echo "${metadata:-0.90}" >"/sys/block/${1##*/}/md/metadata_version" || return 1
  for member in $2; do
    cat "/sys/class/block/${member##*/}/dev" >"/sys/block/${1##*/}/md/new_dev" || return 1
  done
  echo "$3" >"/sys/block/${1##*/}/md/array_state"
}
start() { # view uuid array members
  if [ "$1" = as-is ]; then
    start_by_kernel "$3" "$4" readonly
    return
  fi
  # shellcheck disable=SC2086
  if said=$(mdadm --assemble --run --uuid="$2" "$3" $4 2>&1); then return; fi
  echo "$said"
  case $said in *'already active'*) start_by_kernel "$3" "$4" active ;; *) return 1 ;; esac
}

assemble_md() { # view list
  mine=$(of_view "$1" "$2")
  uuids=
  for member in $mine; do
    uuid=$(md_uuid "$member")
    case " $uuids " in *" $uuid "*) ;; *) uuids="$uuids $uuid" ;; esac
  done
  for uuid in $uuids; do
    parts=
    for member in $mine; do [ "$(md_uuid "$member")" = "$uuid" ] && parts="$parts $member"; done
    owner=$(owner_of "${parts##* }" "$2")
    array=$(array_of "$parts")
    if [ -z "$array" ]; then
      number=120
      while [ -e "/sys/block/md$number" ]; do number=$((number + 1)); done
      array=/dev/md$number
      if ! error=$(start "$1" "$uuid" "$array" "$parts" 2>&1); then
        mdadm --stop "$array" >/dev/null 2>&1
        say "$owner" "md $uuid" linux_raid_member failed '' "$error"
        continue
      fi
    fi
    folder=md-$uuid
    [ "$1" = recovered ] || folder=$folder.$1
    show "$owner" "${array##*/}" "$array" "$folder" "$1"
  done
}

)SH";

}  // namespace icecore::workstation
