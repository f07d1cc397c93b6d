# ./dev bench [NAME…]: against the peers, side by side.
# shellcheck shell=bash

dev_bench() {
  need_setup
  build_preset release icecore icecore-lab
  need_incident
  as_root env ICECORE_CACHE="$CACHE" "$PYTHON" bench/run "$@"
}
