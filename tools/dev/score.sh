# ./dev score [CASE]: recall and false alarms against the incident's truth. The clean twin is triaged afresh with the program as it is now.
# shellcheck shell=bash

dev_score() {
  local case=${1:-build/demo-case}
  [ -f "$case/analysis/findings.json" ] || die "no findings in $case; run ./dev demo first, or name a case"
  [ $# -gt 0 ] && shift
  build_preset release icecore >&2
  local twin
  twin=$("$PYTHON" -c 'import json,sys; w=json.load(open(sys.argv[1]+"/world.json")); t=json.load(open(sys.argv[1]+"/truth.json"));
print(next(s["_image"] for s in w["snapshots"] if s["SnapshotId"]==t["clean_snapshot"]))' "$INCIDENT")
  build/release/icecore triage "$INCIDENT/$twin" --json >build/clean-findings.json || [ $? = 3 ]
  lab/incident/score "$case" --truth "$INCIDENT/truth.json" --clean build/clean-findings.json "$@"
}
