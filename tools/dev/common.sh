# Shared by the commands of ./dev; sourced with the repository's root as the working folder.
# shellcheck shell=bash
# shellcheck disable=SC2034  # read by the commands that source this

PYTHON=/usr/bin/python3 # Debian's own: python3-boto3 and the like are installed for it, whatever other python3 is first in PATH
CACHE=${ICECORE_CACHE:-$HOME/.cache/icecore}
INCIDENT=build/incident
JOBS=$(nproc)
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }
[ -t 2 ] || say() { printf '==> %s\n' "$*" >&2; }

die() {
  printf 'dev: %s\n' "$*" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo -E "$@"
  else
    die "this needs root: run it as root, or install sudo"
  fi
}

# need_setup: installs what is missing; nothing where all is there.
need_setup() {
  source tools/dev/setup.sh
  dev_setup
}

# build_preset PRESET [TARGET…]: configures once, then builds.
build_preset() {
  local preset=$1
  shift
  [ -f "build/$preset/build.ninja" ] || cmake --preset "$preset" >/dev/null
  cmake --build "build/$preset" -j "$JOBS" ${@:+--target "$@"}
}

# need_incident: the practice incident in build/incident; the builder's own stamp says whether it is up to date.
need_incident() {
  as_root lab/incident/build --out "$INCIDENT" --cache "$CACHE"
}

# start_lab [FLAG…]: the lab on a free port, stopped at exit; exports the variables that reach it.
start_lab() {
  local port_file log=build/lab.log
  port_file=$(mktemp)
  build/release/icecore-lab --world "$INCIDENT" --exports --port-file "$port_file" "$@" >"$log" 2>&1 &
  LAB_PID=$!
  trap 'kill "$LAB_PID" 2>/dev/null || true' EXIT
  for _ in $(seq 100); do
    [ -s "$port_file" ] && break
    kill -0 "$LAB_PID" 2>/dev/null || die "the lab did not start: $(tail -n 3 "$log")"
    sleep 0.1
  done
  rm -f "$port_file"
  eval "$(grep '^export ' "$log")"
}
