// LVM's groups, each view's under a name of its own (lvm(8), vgimportclone(8); dm-snapshot: Documentation/admin-guide/device-mapper/snapshot.rst).
#include "workstation/script_parts.h"

namespace icecore::workstation {

const std::string_view kGroupShell =
    R"SH(# The names of a volume group and of its logical volumes, and the ids of its disks, are there once on a machine: the second copy goes by others.
# They stand in the metadata of LVM; so that nothing is written to an as-is copy, its new names go into memory (dm-snapshot), and the blocks of the
# logical volumes come from the disk as it is.
mapped() { # name
  for file in /sys/block/dm-*/dm/name; do
    [ -r "$file" ] && [ "$(cat "$file")" = "$1" ] && file=${file%/dm/name} && printf %s "${file##*/}" && return
  done
}
overlay() { # device
  name=icecore-as-is-${1##*/}
  node=$(mapped "$name")
  if [ -n "$node" ]; then
    if [ -e "/sys/block/$node/slaves/${1##*/}" ]; then printf '/dev/%s' "$node" && return 0; fi
    dmsetup remove "$name" >/dev/null 2>&1
  fi
  layer=/run/icecore-$name
  dd if=/dev/null of="$layer" bs=1048576 seek=64 2>/dev/null
  modprobe -a loop dm-snapshot 2>/dev/null
  loop=$(losetup -f 2>/dev/null)
  if ! error=$(losetup "$loop" "$layer" 2>&1); then printf %s "$error" && return 1; fi
  rm -f "$layer"
  if ! error=$(printf '0 %s snapshot %s %s N 16\n' "$(blockdev --getsz "$1")" "$1" "$loop" | dmsetup create "$name" 2>&1); then
    losetup -d "$loop"
    printf %s "$error" && return 1
  fi
  printf '/dev/%s' "$(mapped "$name")"
}

# LVM's view of these devices and no others: of two copies of one disk it would take neither.
only() {
  filter=
  for device in $1; do filter="$filter\"a|^$device\$|\","; done
  printf 'devices { use_devicesfile = 0 filter = [%s"r|.*|"] }' "$filter"
}
group_on() { pvs --config "$1" --noheadings -o vg_name "$2" 2>/dev/null | tr -d ' '; }

# Is a group of this name active on other disks?
taken() { # group devices
  prefix=$(printf %s "$1" | sed 's/-/--/g')-
  for mapped in /sys/block/dm-*; do
    [ -r "$mapped/dm/name" ] || continue
    case $(cat "$mapped/dm/name") in "$prefix"[!-]*) [ -z "$(strangers "${mapped##*/}" "$2")" ] || return 0 ;; esac
  done
  return 1
}

assemble_lvm() { # view list
  mine=$(of_view "$1" "$2")
  [ -n "$mine" ] || return 0
  list=$2
  if [ "$1" = as-is ]; then
    laid=
    for member in $mine; do
      owner=$(owner_of "$member" "$list")
      if over=$(overlay "$member"); then
        laid="$laid $over"
        list="$list as-is:$owner:$over"
      else
        say "$owner" "${member##*/}" LVM2_member failed '' "no copy-on-write layer for its names: $over; the recovered copy has the same volumes"
      fi
    done
    mine=$laid
  fi
  config=$(only "$mine")
  groups=
  for member in $mine; do
    group=$(group_on "$config" "$member")
    [ -n "$group" ] || continue
    case " $groups " in *" $group "*) ;; *) groups="$groups $group" ;; esac
  done
  for group in $groups; do
    parts=
    for member in $mine; do [ "$(group_on "$config" "$member")" = "$group" ] && parts="$parts $member"; done
    owner=$(owner_of "${parts##* }" "$list")
    remark=
    clone=no
    case $1:$group in
      as-is:*.as-is) ;;
      as-is:*) clone=yes ;;
      *) taken "$group" "$mine" && clone=yes ;;
    esac
    if [ "$clone" = yes ]; then
      # shellcheck disable=SC2086
      if ! error=$(vgimportclone --config "$config" -n "$group.$1" $parts 2>&1); then
        say "$owner" "$group" LVM2_member failed '' "$error"
        continue
      fi
      remark="; in the evidence the group is $group"
      group=$(group_on "$config" "${parts##* }")
    fi
    if ! error=$(vgchange --config "$config" -ay -- "$group" 2>&1); then
      say "$owner" "$group" LVM2_member failed '' "$error"
      continue
    fi
    vgscan --config "$config" --mknodes >/dev/null 2>&1
    for logical in $(lvs --config "$config" --noheadings -o lv_name -- "$group" 2>/dev/null); do
      [ -e "/dev/$group/$logical" ] || continue
      show "$owner" "$logical" "/dev/$(kernel_name "/dev/$group/$logical")" "lvm-$group" "$1"
    done
    remark=
  done
}

# Arrays first, since groups lie on them; and again for what was found inside.
assemble() {
  rounds=0
  while [ -n "$raids$physicals" ] && [ "$rounds" -lt 6 ]; do
    rounds=$((rounds + 1))
    batch=$raids
    raids=
    for one_view in recovered as-is writable; do assemble_md "$one_view" "$batch"; done
    [ -z "$raids" ] || continue
    batch=$physicals
    physicals=
    for one_view in recovered as-is writable; do assemble_lvm "$one_view" "$batch"; done
  done
}
)SH";

}  // namespace icecore::workstation
