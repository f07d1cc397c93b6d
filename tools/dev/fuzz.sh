# ./dev fuzz [SECONDS [TARGET]]: libFuzzer on each target; new inputs go to build/fuzz-corpus, crashes to build/fuzz-crashes. 0 seconds: the kept corpus
# only, which says that clang still builds everything and that every target runs.
# shellcheck shell=bash

dev_fuzz() {
  local seconds=${1:-60} only=${2:-}
  [[ $seconds =~ ^[0-9]+$ ]] || die "./dev fuzz takes seconds, not '$seconds'"
  [ -z "$only" ] || [ -d "fuzz/corpus/$only" ] || die "there is no target '$only'; there are: $(echo fuzz/corpus/* | sed 's|fuzz/corpus/||g')"
  need_setup
  say "building the fuzz targets (clang, libFuzzer)"
  build_preset fuzz fuzz_targets
  mkdir -p build/fuzz-crashes
  local target name limit=(-max_total_time="$seconds") failed=0
  [ "$seconds" != 0 ] || limit=(-runs=0)
  for target in build/fuzz/*_fuzz; do
    name=$(basename "$target" _fuzz)
    [ -z "$only" ] || [ "$only" = "$name" ] || continue
    [ -d "fuzz/corpus/$name" ] || continue # of a target that is no more
    say "$name for $seconds s"
    mkdir -p "build/fuzz-corpus/$name"
    "$target" "${limit[@]}" -timeout=25 -rss_limit_mb=2048 -artifact_prefix=build/fuzz-crashes/"$name"- -print_final_stats=1 \
      "build/fuzz-corpus/$name" "fuzz/corpus/$name" >build/fuzz-crashes.log 2>&1 || failed=1
    grep -E 'number_of_executed|peak_rss|ERROR|SUMMARY|Test unit' build/fuzz-crashes.log || true
  done
  if compgen -G 'build/fuzz-crashes/*' >/dev/null; then die "crashes: $(ls build/fuzz-crashes)"; fi
  return $failed
}
