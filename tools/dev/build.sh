# ./dev build: the two programs that a user runs.
# shellcheck shell=bash

dev_build() {
  need_setup
  say "building build/release"
  build_preset release icecore icecore-lab
}
