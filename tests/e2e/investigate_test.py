"""`icecore investigate`, whole and undisturbed: what its user, an examiner without icecore, and the account's owner get to see."""
import hashlib
import json
import os
import re
import stat
import subprocess
import unittest
import urllib.parse

import envelope
import ledger
import verdict
from harness import DATA_VOLUME, DONE, FINDINGS, INSTANCE, INTEGRITY, ROOT_VOLUME, Case, Lab, investigated, scratch

READING = re.compile(r"(Describe|Get|List|Lookup)")


def form(line):
    """The parameters of a recorded EC2 request."""
    return dict(urllib.parse.parse_qsl(line["request"].get("body", ""), keep_blank_values=True))


def mutating(requests):
    return [line for line in requests if not READING.match(line["action"]) and form(line).get("DryRun") != "true"]


def data_of(path):
    """What lies in a sparse file, hole by hole."""
    with open(path, "rb") as file:
        end, at = os.fstat(file.fileno()).st_size, 0
        while at < end:
            try:
                start = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:
                return
            at = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            yield os.pread(file.fileno(), at - start, start)


class CaseTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.case = investigated()
        cls.folder = cls.case.folder

    def files(self):
        return [path for path in self.folder.rglob("*") if path.is_file()]

    def test_ends_well_and_says_where_the_case_is(self):
        self.assertEqual(self.case.ran.code, DONE, self.case.ran)
        self.assertIn(f"case: case-{INSTANCE}", self.case.ran.out)

    def test_the_folder_is_laid_out_as_documented(self):
        instance = f"instances/{INSTANCE}"
        for name in ("case.json", "ledger.jsonl", "MANIFEST.sha256", f"{instance}/metadata.json", f"{instance}/describe-instances.xml",
                     f"{instance}/console.jpg", f"{instance}/user-data", "cloudtrail/events.jsonl", "analysis/findings.json",
                     "analysis/timeline.jsonl", "analysis/anomalies.jsonl", "report/findings.txt", "signatures/manifest.dsse.json"):
            self.assertTrue((self.folder / name).is_file(), f"{name} is missing")
        self.assertTrue(list((self.folder / instance).glob("console-output*.txt")), "no console output")
        snapshots = list((self.folder / "snapshots").iterdir())
        self.assertEqual(len(snapshots), 2)
        for snapshot in snapshots:
            self.assertEqual({"snapshot.json", "image.raw", "blocks.db"} - {path.name for path in snapshot.iterdir()}, set())
        self.assertEqual([path for path in self.files() if path.suffix == ".tmp"], [])

    def test_everything_could_be_read(self):
        self.assertEqual((self.folder / "analysis/anomalies.jsonl").read_text(), "")

    def test_the_efi_partition_is_read(self):
        ran = self.case.run("ls", self.folder, "/boot/efi", "--json")
        self.assertEqual(ran.code, DONE, ran)
        self.assertIn("/boot/efi/EFI", [file["path"] for file in ran.json()], ran)

    def test_nobody_else_can_read_it(self):
        for path in [self.folder, *self.folder.rglob("*")]:
            wanted = 0o700 if path.is_dir() else 0o600
            self.assertEqual(oct(stat.S_IMODE(path.lstat().st_mode)), oct(wanted), path)

    def test_no_credential_is_in_it(self):
        needle = self.case.lab.exports["AWS_SECRET_ACCESS_KEY"].encode()
        for path in self.files():
            for piece in data_of(path):
                self.assertNotIn(needle, piece, path)

    def test_sha256sum_agrees_with_the_manifest(self):
        ran = subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "MANIFEST.sha256"], cwd=self.folder, capture_output=True, text=True, check=False)
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        listed = {line.split(None, 1)[1] for line in (self.folder / "MANIFEST.sha256").read_text().splitlines() if not line.startswith("#")}
        there = {str(path.relative_to(self.folder)) for path in self.files()}
        unlisted = {name for name in there - listed if not name.endswith("/image.raw")}
        self.assertEqual(unlisted, {"MANIFEST.sha256", "signatures/manifest.dsse.json", ".lock"})

    def test_openssl_agrees_with_the_signatures(self):
        checkpoints = sorted((self.folder / "signatures").glob("checkpoint-*.dsse.json"))
        self.assertTrue(checkpoints)
        lines = (self.folder / "ledger.jsonl").read_bytes().splitlines(keepends=True)
        for path in checkpoints:
            signed = envelope.statement(self.folder, path.relative_to(self.folder))
            covered = b"".join(lines[:signed["predicate"]["entries"]])
            self.assertEqual(signed["subject"][0]["digest"]["sha256"], hashlib.sha256(covered).hexdigest(), path)
        signed = envelope.statement(self.folder, "signatures/manifest.dsse.json")
        manifest = hashlib.sha256((self.folder / "MANIFEST.sha256").read_bytes()).hexdigest()
        self.assertEqual(signed["subject"][0]["digest"]["sha256"], manifest)

    def test_verify_finds_it_intact_and_a_changed_byte_not(self):
        ran = self.case.run("verify", self.folder)
        self.assertEqual(ran.code, DONE, ran)
        self.assertIn("intact", ran.out)
        copy = scratch() / "case"
        subprocess.run(["cp", "-a", "--sparse=always", self.folder, copy], check=True)
        target = copy / "cloudtrail/events.jsonl"
        target.write_bytes(target.read_bytes().replace(b"203.0.113.66", b"203.0.113.67", 1))
        ran = self.case.run("verify", copy)
        self.assertEqual(ran.code, INTEGRITY, ran)
        self.assertIn("cloudtrail/events.jsonl", ran.out)


class FindingsTest(unittest.TestCase):
    def test_the_rows_asked_for_are_found_and_the_clean_twin_is_quiet(self):
        case = investigated()
        clean = verdict.triage_of_clean_twin()
        self.assertEqual(clean.code, DONE, clean)
        file = scratch() / "clean.json"
        file.write_bytes(clean.out_bytes)
        code, text = verdict.score(case.folder, file)
        self.assertEqual(code, 0, text)
        self.assertRegex(text, r"recall \d+/\d+, false alarms 0\n\Z")
        self.assertNotIn("innocent:", text)

    def test_json_on_standard_output_is_what_the_case_keeps(self):
        case = investigated()
        ran = case.run("triage", case.folder, "--json")
        self.assertEqual(ran.code, DONE, ran)
        self.assertEqual(verdict.essence(ran.json()), verdict.essence(case.findings()))

    def test_scripts_can_ask_whether_there_are_findings(self):
        case = investigated()
        self.assertEqual(case.run("triage", case.folder, "--exit-code", "--quiet").code, FINDINGS)
        ran = case.run("report", case.folder)
        self.assertEqual(ran.code, DONE, ran)
        self.assertIn("Verdict:", ran.out)

    def test_a_second_triage_fetches_nothing_that_is_here(self):
        case = investigated()
        case.lab.control("DELETE", "requests")
        ran = case.run("triage", case.folder)
        self.assertEqual(ran.code, DONE, ran)
        self.assertEqual([line for line in case.lab.requests() if line["action"] == "GetSnapshotBlock"], [])


class AccountTest(unittest.TestCase):
    def test_one_labelled_snapshot_of_each_volume(self):
        case = investigated()
        made = {key: value for key, value in case.lab.snapshots().items() if key not in case.snapshots_before}
        self.assertEqual(sorted(item["VolumeId"] for item in made.values()), [ROOT_VOLUME, DATA_VOLUME])
        self.assertEqual(set(made), set(ledger.created(ledger.entries(case.folder))))
        identity = json.loads((case.folder / "case.json").read_text())
        for item in made.values():
            self.assertRegex(item["Description"], rf"\AForensics \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ {INSTANCE}\Z")
            tags = {tag["Key"]: tag["Value"] for tag in item["Tags"]}
            self.assertIn(tags["icecore:case"], json.dumps(identity))
            self.assertTrue(tags["icecore:run"].startswith("run-"))
            self.assertEqual(tags["Name"], item["Description"])
        self.assertEqual(len({item["StartTime"] for item in made.values()}), 1, "not one point in time")

    def test_every_call_is_in_the_ledger_with_its_request_id(self):
        lab = Lab()
        case = Case(lab)
        ran = case.run("collect", INSTANCE)
        self.assertEqual(ran.code, DONE, ran)
        recorded = lab.requests()
        changes = mutating(recorded)
        self.assertEqual([line["action"] for line in changes], ["CreateSnapshots"])
        calls = {}
        for intent, outcome in ledger.acts(ledger.entries(case.folder)):
            if intent["body"]["act"] == "aws-call":
                self.assertIsNotNone(outcome, intent)
                calls[outcome["body"]["request_id"]] = intent["body"]["action"], intent["body"]["mutating"]
        for line in changes:
            self.assertEqual(calls.get(line["request_id"]), (line["action"], True))
        missing = [(line["action"], line["request_id"]) for line in recorded if line["request_id"] not in calls and line["reply"]["status"] < 300]
        self.assertEqual(missing, [])
        lab.stop()

    def test_dry_run_changes_nothing_and_leaves_nothing(self):
        lab = Lab()
        case = Case(lab)
        before = lab.state()
        ran = case.investigate("--dry-run", "--json")
        self.assertEqual(ran.code, DONE, ran)
        plan = ran.json()
        self.assertIn("ec2:CreateSnapshots", plan["iam_actions"])
        self.assertEqual(len(plan["creates"]), 2)
        self.assertEqual(lab.state(), before)
        self.assertEqual([line["action"] for line in mutating(lab.requests())], [])
        self.assertFalse(case.folder.exists())
        lab.stop()


if __name__ == "__main__":
    unittest.main()
