# ./dev demo: the main job, from nothing to the verdict.
# shellcheck shell=bash

DEMO_INSTANCE=i-05203422c5203422c

dev_demo() {
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
