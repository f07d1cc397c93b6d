# ./dev fuzz [SECONDS [TARGET]]: libFuzzer on each target; new inputs go to build/fuzz-corpus, crashes to build/fuzz-crashes.
# shellcheck shell=bash

dev_fuzz() {
  local seconds=${1:-60} only=${2:-}
  need_setup
  build_preset fuzz
  mkdir -p build/fuzz-crashes
  local target name failed=0
  for target in build/fuzz/*_fuzz; do
    name=$(basename "$target" _fuzz)
    [ -z "$only" ] || [ "$only" = "$name" ] || continue
    say "$name for $seconds s"
    mkdir -p "build/fuzz-corpus/$name"
    "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -artifact_prefix=build/fuzz-crashes/"$name"- -print_final_stats=1 \
      "build/fuzz-corpus/$name" "fuzz/corpus/$name" 2>&1 | grep -E 'stat::|ERROR|SUMMARY|Test unit' || failed=1
  done
  if compgen -G 'build/fuzz-crashes/*' >/dev/null; then die "crashes: $(ls build/fuzz-crashes)"; fi
  return $failed
}
