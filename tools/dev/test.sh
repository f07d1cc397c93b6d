# ./dev test [--threads | --vm | --all]: the quick suite; the threaded rooms under TSan; the workstation with a virtual machine; or all, and what takes its
# time.
# shellcheck shell=bash

# Rooms whose code runs on several threads: these run again under TSan.
THREADED=(core_test aws_test evidence_test image_test container_test)

dev_test() {
  local what=${1:-quick}
  need_setup
  case $what in
    quick) test_quick 0 ;;
    --threads) test_threads ;;
    --vm) test_machine 0 ;;
    --all)
      test_quick 1
      test_machine 1
      test_threads
      ;;
    *) die "./dev test takes --threads, --vm or --all, not '$what'" ;;
  esac
}

# test_quick SLOW: 1 asks the end-to-end tests for what takes minutes.
test_quick() {
  say "building icecore and the lab (release)"
  build_preset release icecore icecore-lab
  say "the practice incident"
  need_incident
  say "building the tests (ASan, UBSan)"
  build_preset asan
  say "unit tests, fuzz corpora and the lab against the AWS CLI, boto3 and botocore's models, under ASan and UBSan"
  as_root ctest --test-dir build/asan --output-on-failure -j "$JOBS"
  say "the practice incident and its score"
  run_python tests/lab
  say "end to end"
  ICECORE_SLOW=$1 run_python tests/e2e
}

test_threads() {
  say "threads, under TSan"
  build_preset release icecore-lab
  build_preset tsan "${THREADED[@]}"
  as_root ctest --test-dir build/tsan --output-on-failure -R "^($(IFS='|'; echo "${THREADED[*]%_test}"))\$"
}

# The forensics instance with a real machine behind it: apart from the quick suite, since emulation takes its time. SLOW: as for test_quick.
test_machine() {
  build_preset release icecore icecore-lab
  need_incident
  say "the virtual machine: kernel and initramfs"
  lab/vm/build --out build/vm --cache "$CACHE"
  say "the workstation, on the lab's records"
  ICECORE_SLOW=$1 run_python tests/workstation
  say "the workstation, with a real machine"
  ICECORE_VM="$PWD/build/vm" run_python tests/workstation '*_vm.py'
}

run_python() {
  as_root env ICECORE_VM="${ICECORE_VM:-}" ICECORE="$PWD/build/release/icecore" ICECORE_LAB="$PWD/build/release/icecore-lab" ICECORE_INCIDENT="$PWD/$INCIDENT" \
    ICECORE_SLOW="${ICECORE_SLOW:-0}" "$PYTHON" -m unittest discover -s "$1" -p "${2:-*_test.py}"
}
