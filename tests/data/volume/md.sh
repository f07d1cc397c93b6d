# $1: folder for the answers and copies of the members, $2: fill.py. /dev/ubda … /dev/ubdd are members, of different sizes.
set -e
ins md-mod linear raid0 raid1 raid10
array() {
  local name=$1 seed=$2
  shift 2
  for disk in a b c d; do dd if=/dev/zero of=/dev/ubd$disk bs=1M status=none 2>/dev/null || true; done
  yes | mdadm --quiet --create /dev/md5 --name="$name" --homehost=web --run --force "$@" 2>&1
  python3 "$fill" /dev/md5 "$seed" > "$out/$name.sum"
  mdadm --detail /dev/md5 | sed -n 's/.*UUID : //p' > "$out/$name.uuid"
  mdadm --quiet --stop /dev/md5
  for disk in a b c d; do cp --sparse=always /dev/ubd$disk "$out/$name.$disk"; done
}
out=$1 fill=$2
array striped 1 --metadata=1.2 --level=0 --chunk=64 --raid-devices=3 /dev/ubda /dev/ubdc /dev/ubdd
array mirror 2 --metadata=1.0 --level=1 --bitmap=none --assume-clean --raid-devices=2 /dev/ubda /dev/ubdb
array old 3 --metadata=0.90 --level=1 --bitmap=none --assume-clean --raid-devices=2 /dev/ubda /dev/ubdb
array near 4 --metadata=1.2 --level=10 --layout=n2 --chunk=64 --bitmap=none --assume-clean --raid-devices=3 /dev/ubda /dev/ubdb /dev/ubdc
array far 5 --metadata=1.1 --level=10 --layout=f2 --chunk=64 --bitmap=none --assume-clean --raid-devices=3 /dev/ubda /dev/ubdb /dev/ubdc
array offset 6 --metadata=1.2 --level=10 --layout=o2 --chunk=64 --bitmap=none --assume-clean --raid-devices=4 /dev/ubda /dev/ubdb /dev/ubdc /dev/ubdd
array joined 7 --metadata=1.1 --level=linear --raid-devices=3 /dev/ubda /dev/ubdc /dev/ubdd
