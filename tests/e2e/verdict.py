"""When two runs say the same, and what the truth says of one."""
import json
import subprocess

from harness import INCIDENT, REPOSITORY, icecore, environment, scratch

# The rows of lab/incident that issue 2 asks for.
ROWS = ["C1", "C2", "C3", "C4", "H1", "H2", "H3", "H4", "H6", "H7", "H8", "H10", "H12"]
PLACE = ("kind", "volume", "partition", "inode", "path", "offset", "line", "event_id", "event_name", "instance", "attribute", "sha256")


def places(finding):
    return sorted(json.dumps({name: location.get(name) for name in PLACE if name in location}, sort_keys=True) for location in finding["locations"])


def essence(findings):
    """All that two runs on the same machine must agree in: not the snapshots' names, nor when it was said."""
    said = [(f["rule"], f["severity"], f["title"], f["sentence"], f.get("time"), f.get("first"), f.get("last"), places(f)) for f in findings["findings"]]
    return sorted(json.dumps(one) for one in said)


def clean_twin():
    """The image file of the machine before the attack."""
    truth = json.loads((INCIDENT / "truth.json").read_text())
    world = json.loads((INCIDENT / "world.json").read_text())
    return INCIDENT / next(item["_image"] for item in world["snapshots"] if item["SnapshotId"] == truth["clean_snapshot"])


def triage_of_clean_twin():
    home = scratch()
    return icecore("triage", clean_twin(), "--json", env=environment(home=home), cwd=home)


def score(case, clean, rows=None):
    """lab/incident/score's exit code and text."""
    command = [REPOSITORY / "lab/incident/score", case, "--truth", INCIDENT / "truth.json", "--clean", clean, "--verbose"]
    ran = subprocess.run([*command, "--rows", ",".join(rows or ROWS)], capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout + ran.stderr
