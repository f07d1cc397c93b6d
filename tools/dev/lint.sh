# ./dev lint [--tidy]: what reads the code without running it.
# shellcheck shell=bash

dev_lint() {
  need_setup
  say "layers"
  tools/check-layers
  say "format"
  git ls-files '*.h' '*.cpp' | xargs clang-format --dry-run --Werror
  say "shell"
  shellcheck -x dev .ci/run tools/dev/*.sh
  [ "${1:-}" = --tidy ] || return 0
  say "clang-tidy"
  [ -f build/tidy/build.ninja ] || cmake --preset tidy >/dev/null
  tools/run-tidy build/tidy "$JOBS"
}
