# ./dev lab: the practice incident, served in the foreground until Ctrl-C.
# shellcheck shell=bash

dev_lab() {
  need_setup
  build_preset release icecore icecore-lab >&2
  need_incident >&2
  exec build/release/icecore-lab --world "$INCIDENT" --exports "$@"
}
