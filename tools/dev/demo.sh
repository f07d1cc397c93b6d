# ./dev demo: the main job, from nothing to the verdict.
# shellcheck shell=bash

DEMO_INSTANCE=i-05203422c5203422c

dev_demo() {
  [ "${1:-}" = --workstation ] && { dev_demo_workstation; return; }
  need_setup
  say "building icecore and the lab"
  build_preset release icecore icecore-lab
  say "the practice incident: a real Debian root, attacked"
  need_incident
  say "starting the lab"
  start_lab
  # A new lab knows nothing of an old lab's snapshots, so each demo is a case of its own.
  rm -rf build/demo-case
  say "icecore investigate $DEMO_INSTANCE"
  local code=0
  build/release/icecore investigate "$DEMO_INSTANCE" --case build/demo-case "$@" || code=$?
  [ $code = 0 ] || die "icecore ended with $code"
  say "icecore verify build/demo-case"
  build/release/icecore verify build/demo-case
  printf 'case: %s\n' "$PWD/build/demo-case"
}

# The forensics instance on the practice incident: a real machine, the two disks, a file that stands only in the journal.
dev_demo_workstation() {
  need_setup
  say "building icecore and the lab"
  build_preset release icecore icecore-lab
  say "the practice incident"
  need_incident
  say "the virtual machine: kernel and initramfs"
  lab/vm/build --out build/vm --cache "$CACHE"
  start_lab --vm build/vm
  rm -rf build/demo-workstation
  local volume
  for volume in vol-0a5203422c0000001 vol-0a5203422c0000002; do
    step collect "$volume" --case build/demo-workstation
  done
  step workstation up build/demo-workstation --dry-run
  step workstation up build/demo-workstation
  step workstation attach build/demo-workstation --as-is
  say "/etc/hosts as the journal has it, and as the blocks stand"
  # shellcheck disable=SC2016  # the guest's shell expands it
  in_guest 'for f in /forensics/vol-0a5203422c0000001*/*/etc/hosts; do echo "== $f"; cat "$f"; done'
  say "a write fails"
  in_guest 'touch /forensics/vol-0a5203422c0000002/whole/evil 2>&1 || true'
  step workstation status build/demo-workstation
  step workstation down build/demo-workstation
}

step() {
  say "icecore $*"
  build/release/icecore "$@"
}

# A command in the machine, as `aws ssm send-command` gives it.
in_guest() {
  local instance
  instance=$(build/release/icecore workstation status build/demo-workstation --json | jq -r '.items[] | select(.kind == "instance") | .id')
  "$PYTHON" tests/workstation/in_guest.py "$instance" "$1"
}
