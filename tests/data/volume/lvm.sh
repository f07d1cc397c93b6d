# $1: folder for the answers, $2: fill.py. /dev/ubda and /dev/ubdb become one volume group.
set -e
ins libcrc32c dm-mod dm-bufio dm-bio-prison dm-persistent-data dm-thin-pool dm-log dm-region-hash dm-mirror raid6_pq xor async_tx async_memcpy async_xor async_pq \
  async_raid6_recov md-mod raid456 raid1 raid10 raid0 dm-raid dm-snapshot
mkdir -p /run/lvm /run/lock/lvm
cat > /run/lvm/lvm.conf <<'C'
devices { dir="/dev" scan=["/dev"] obtain_device_list_from_udev=0 use_devicesfile=0 types=["ubd",16] filter=["a|ubd|","r|.*|"] }
activation { udev_sync=0 udev_rules=0 monitoring=0 thin_pool_autoextend_threshold=100 }
global { locking_dir="/run/lock/lvm" use_lvmpolld=0 thin_check_executable="" event_activation=0 }
backup { backup=0 archive=0 }
C
export LVM_SYSTEM_DIR=/run/lvm
create() { lvcreate -q -y -Zn -Wn "$@"; }
pvcreate -q -ff -y /dev/ubda /dev/ubdb
vgcreate -q -s 1M vg-one /dev/ubda /dev/ubdb
create -n striped -i 2 -I 16k -L 8M vg-one
create --type mirror --mirrorlog core -m 1 -n mirrored -L 4M vg-one
lvcreate -q -y --type thin-pool -c 64k --poolmetadatasize 2M -L 10M -n pool vg-one
lvcreate -q -y -V 20M -T vg-one/pool -n thin-a
create -n linear -L 40M vg-one
for name in striped mirrored linear; do python3 "$2" /dev/mapper/vg--one-$name ${#name}; done > "$1/lvm.sums"
python3 "$2" /dev/mapper/vg--one-thin--a 1 40 > /dev/null
lvcreate -q -y -s -kn -n thin-b vg-one/thin-a
lvcreate -q -y -V 1G -T vg-one/pool -n thin-empty
python3 "$2" /dev/mapper/vg--one-thin--b 2 20 >> "$1/lvm.sums"
python3 "$2" /dev/mapper/vg--one-thin--a 3 20 >> "$1/lvm.sums"
vgs --noheadings -o vg_uuid vg-one | tr -d ' ' > "$1/vg.uuid"
pvs --noheadings -o pv_uuid /dev/ubdb | tr -d ' ' > "$1/pvb.uuid"
vgchange -q -an vg-one
