"""icecore archive: a case in a bucket, as boto3, zstd and sha256sum see it; killed, disturbed, refused."""
import base64
import collections
import datetime
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest
import urllib.parse

import conformance
import ledger
from harness import DONE, FAILED, INTEGRITY, REPOSITORY, USAGE, Case, Lab, finish, scratch, sha256, start

sys.path.insert(0, str(REPOSITORY / "tests/conformance"))
import small_world as world  # noqa: E402

LOCKED, OPEN, ABROAD = "evidence-locked", "evidence-open", "evidence-abroad"
SNAPSHOT = world.AMI_SNAPSHOT
IMAGE = f"snapshots/{SNAPSHOT}/image.raw"
DATA_BLOCKS = 100  # 50 MiB that do not compress: half a dozen parts


def make_world():
    folder = scratch()
    world.build(folder)
    noise = random.Random(7)
    with open(folder / "base.raw", "r+b") as disk:
        for block in range(DATA_BLOCKS):
            disk.seek(block * 3 * world.BLOCK)
            disk.write(noise.randbytes(world.BLOCK))
    return folder


WORLD = make_world()


_acquired = []


def acquired():
    """A case with a complete image, made once."""
    if not _acquired:
        lab = Lab(world=WORLD)
        case = Case(lab)
        ran = case.run("acquire", SNAPSHOT, "--case", "acquired")
        assert ran.code == DONE, ran
        lab.stop()
        _acquired.append(case.cwd / "acquired")
    return _acquired[0]


class ArchiveTest(unittest.TestCase):
    def setUp(self):
        self.lab = Lab("--page-size", "3", world=WORLD)
        self.addCleanup(self.lab.stop)
        self.s3 = self.lab.boto("s3")
        self.case = Case(self.lab)
        self.addCleanup(self.case.remove)
        self.folder = self.case.cwd / "the-case"

    def copy(self):
        # cp keeps the holes; a copy of a case is that case.
        subprocess.run(["cp", "-a", "--sparse=always", acquired(), self.folder], check=True)
        self.id = json.loads((self.folder / "case.json").read_text())["case"]
        self.root = f"cases/{self.id}/"
        return self.folder

    def archive(self, *flags, bucket=LOCKED, code=DONE):
        ran = self.case.run("archive", self.folder, f"s3://{bucket}/cases", "--json", *flags)
        self.assertEqual(ran.code, code, ran)
        return ran.json() if code == DONE else ran

    def versions(self, bucket=LOCKED):
        found = collections.defaultdict(list)
        for one in self.s3.list_object_versions(Bucket=bucket, Prefix="cases/").get("Versions", []):
            found[one["Key"]].append(one["VersionId"])
        return found

    def head(self, key, bucket=LOCKED):
        return self.s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")

    def restore(self, bucket=LOCKED):
        """What is in the bucket, as anyone gets it back with boto3 and zstd."""
        folder = scratch()
        for key in self.versions(bucket):
            path = folder / key[len(self.root):]
            path.parent.mkdir(parents=True, exist_ok=True)
            self.s3.download_file(bucket, key, str(path))
            if path.suffix == ".zst":
                subprocess.run(["zstd", "-q", "-d", "--rm", path], check=True)
        return folder

    def asked(self, action):
        lines = self.lab.record.read_text().splitlines() if self.lab.record.exists() else []
        return [line for line in map(json.loads, filter(lambda text: text.endswith("}"), lines)) if line["action"] == action]

    def parts_sent(self):
        counts = collections.Counter()
        for line in self.asked("UploadPart"):
            number = urllib.parse.parse_qs(line["request"]["query"])["partNumber"][0]
            counts[urllib.parse.unquote(line["request"]["path"]), int(number)] += 1
        return counts

    def assert_no_leftovers(self, bucket=LOCKED):
        self.assertEqual(self.s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []), [])

    def assert_restores(self, bucket=LOCKED):
        restored = self.restore(bucket)
        checked = subprocess.run(["sha256sum", "--quiet", "-c", "MANIFEST.sha256"], cwd=restored, capture_output=True, text=True, check=False)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        self.assertEqual(sha256(restored / IMAGE), sha256(self.folder / IMAGE))
        return restored

    def test_a_case_under_object_lock(self):
        self.copy()
        manifest = (self.folder / "MANIFEST.sha256").read_text()
        before = datetime.datetime.now(datetime.timezone.utc)
        done = self.archive("--retain-days", "30", "--mode", "compliance")
        # Every file of the manifest and the manifest itself, once each, and nothing else.
        files = [line[66:] for line in manifest.splitlines() if re.match(r"[0-9a-f]{64}  ", line)]
        wanted = {self.root + (path + ".zst" if path == IMAGE else path) for path in files} | {self.root + "MANIFEST.sha256",
                                                                                              self.root + "signatures/manifest.dsse.json"}
        versions = self.versions()
        self.assertEqual(set(versions), wanted)
        self.assertEqual({len(ids) for ids in versions.values()}, {1})
        self.assertEqual((done["objects"], done["already_there"]), (len(wanted), 0))
        restored = self.assert_restores()
        self.assertEqual((restored / "MANIFEST.sha256").read_text(), manifest)
        verified = self.case.run("verify", restored)
        self.assertEqual(verified.code, DONE, verified)
        # The receipt says what boto3 says, and the whole-image hash is the one of the manifest.
        receipt = json.loads((self.folder / done["receipt"]).read_text())
        self.assertEqual({item["key"] for item in receipt["objects"]}, wanted)
        for item in receipt["objects"]:
            head = self.head(item["key"])
            self.assertEqual((head["VersionId"], head["ChecksumSHA256"], head["ContentLength"]), (item["version_id"], item["checksum_sha256"], item["bytes"]))
            self.assertEqual(head["ObjectLockMode"], "COMPLIANCE")
            until = head["ObjectLockRetainUntilDate"]
            self.assertEqual(item["retention"]["until"], until.strftime("%Y-%m-%dT%H:%M:%SZ"))
            self.assertAlmostEqual((until - before).total_seconds(), 30 * 86400, delta=120)
            with self.assertRaises(self.s3.exceptions.ClientError):
                self.s3.delete_object(Bucket=LOCKED, Key=item["key"], VersionId=item["version_id"], BypassGovernanceRetention=True)
            if not item["key"].endswith(".zst") and item["parts"] == 1:
                self.assertEqual(base64.b64decode(head["ChecksumSHA256"]).hex(), item["sha256"])
        image = self.head(self.root + IMAGE + ".zst")
        self.assertEqual(image["Metadata"]["icecore-raw-sha256"], sha256(self.folder / IMAGE))
        # 1 GiB of which 50 MiB are written: the holes cost 40 bytes a MiB.
        self.assertLess(image["ContentLength"], DATA_BLOCKS * world.BLOCK + 200_000)
        self.assertGreater(int(image["ChecksumSHA256"].split("-")[1]), 3)
        # The act is in the case, which is still intact.
        self.assertEqual(self.case.run("verify", self.folder).code, DONE)
        self.assertEqual(len([i for i in ledger.created(ledger.entries(self.folder)) if i.startswith(f"s3://{LOCKED}/")]), len(wanted))
        self.assert_no_leftovers()
        # Manifest last: who finds it finds the rest.
        puts = [urllib.parse.unquote(line["request"]["path"]) for line in self.asked("PutObject")]
        self.assertEqual(puts[-1], f"/{LOCKED}/{self.root}MANIFEST.sha256")
        self.lab.stop()
        self.assertEqual(conformance.complaints(self.lab.record), [])

    def test_again_only_what_is_new_is_sent(self):
        self.copy()
        first = self.archive("--retain-days", "2")
        parts = len(self.asked("UploadPart"))
        again = self.archive("--retain-days", "5")
        self.assertEqual(len(self.asked("UploadPart")), parts)
        self.assertLess(again["sent_bytes"], first["sent_bytes"] / 20)
        self.assertGreaterEqual(again["already_there"], 4)
        # Kept as long as was asked for now, without a second version.
        image = self.root + IMAGE + ".zst"
        self.assertEqual(len(self.versions()[image]), 1)
        self.assertEqual(self.head(image)["ObjectLockRetainUntilDate"].strftime("%Y-%m-%dT%H:%M:%SZ"), again["retain_until"])
        self.assert_restores()

    def test_killed_it_goes_on_part_by_part(self):
        self.copy()
        self.lab.control("PUT", "faults", {"latency_ms": 150, "only": ["UploadPart", "CompleteMultipartUpload"]})
        arguments = ["archive", str(self.folder), f"s3://{LOCKED}/cases", "--retain-days", "30"]
        kills = 0
        for enough in (1, 4, 6):
            process = start(arguments, self.case.env, self.case.cwd)
            deadline = time.monotonic() + 60
            while sum(self.parts_sent().values()) < enough and time.monotonic() < deadline and process.poll() is None:
                time.sleep(0.02)
            if process.poll() is None:
                kills += 1
                os.killpg(process.pid, signal.SIGKILL)
            finish(process, arguments)
        self.assertGreater(kills, 0)
        done = self.archive("--retain-days", "30")
        sent = self.parts_sent()
        # In flight at a kill are four parts at most.
        self.assertLessEqual(sum(sent.values()) - len(sent), 4 * kills, sent)
        self.assertEqual(len(self.asked("CreateMultipartUpload")), 1, "a second upload was begun")
        self.assertEqual(len(self.versions()[self.root + IMAGE + ".zst"]), 1)
        untils = {self.head(key)["ObjectLockRetainUntilDate"] for key in self.versions()}
        self.assertEqual(len(untils), 1, "one archive has one date")
        self.assertEqual(self.case.run("verify", self.folder).code, DONE)
        self.assertEqual(done["mode"], "GOVERNANCE")
        self.assert_restores()
        self.assert_no_leftovers()

    def test_an_image_that_is_still_being_filled(self):
        lab = Lab("--ebs-get-rate", "40", world=WORLD)
        self.addCleanup(lab.stop)
        slow = Case(lab)
        arguments = ["acquire", SNAPSHOT, "--case", str(self.folder)]
        process = start(arguments, slow.env, slow.cwd)
        image = self.folder / IMAGE
        deadline = time.monotonic() + 60
        while (not image.exists() or image.stat().st_blocks * 512 < 20 * world.BLOCK) and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        finish(process, arguments)
        self.id = json.loads((self.folder / "case.json").read_text())["case"]
        self.root = f"cases/{self.id}/"
        self.archive("--retain-days", "1")
        restored = self.assert_restores()
        self.assertIn("left out: " + IMAGE, (restored / "MANIFEST.sha256").read_text())
        self.assertEqual(self.case.run("verify", restored).code, DONE)

    def test_a_bad_line(self):
        self.copy()
        self.lab.control("PUT", "faults", {"throttle": 10, "error_5xx": 5, "reset": 8, "truncate": 3, "seed": 3})
        done = self.archive("--retain-days", "3")
        self.lab.control("DELETE", "faults")
        self.assertEqual({len(ids) for ids in self.versions().values()}, {1}, "a lost reply made a second version")
        self.assertEqual(done["objects"], len(self.versions()))
        self.assert_restores()
        self.assert_no_leftovers()

    def test_what_is_damaged_on_its_way_is_sent_again(self):
        self.copy()
        self.lab.control("PUT", "faults", {"corrupt": 30, "seed": 5, "only": ["UploadPart", "PutObject"]})
        self.archive("--retain-days", "3")
        self.assertIn("XAmzContentSHA256Mismatch", self.lab.record.read_text())
        self.lab.control("DELETE", "faults")
        self.assertEqual({len(ids) for ids in self.versions().values()}, {1})
        self.assert_restores()

    def test_what_another_run_left_is_swept_up(self):
        self.copy()
        self.s3.create_multipart_upload(Bucket=LOCKED, Key=self.root + "no-longer-there.bin", ChecksumAlgorithm="SHA256")
        other = self.s3.create_multipart_upload(Bucket=LOCKED, Key="someone/else.bin", ChecksumAlgorithm="SHA256")["UploadId"]
        self.archive()
        left = [one["UploadId"] for one in self.s3.list_multipart_uploads(Bucket=LOCKED)["Uploads"]]
        self.assertEqual(left, [other])

    def test_what_may_not_be_swept_up_is_said_and_the_archive_is_whole(self):
        self.copy()
        self.s3.create_multipart_upload(Bucket=LOCKED, Key=self.root + "no-longer-there.bin", ChecksumAlgorithm="SHA256")
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"},
                                                         {"Effect": "Deny", "Action": "s3:AbortMultipartUpload", "Resource": "*"}]}
        self.lab.control("PUT", "policies", {"arn": f"arn:aws:iam::{world.ACCOUNT}:user/responder", "policies": [policy]})
        done = self.archive()
        self.assertTrue((self.folder / done["receipt"]).exists())
        self.assertEqual(len(self.s3.list_multipart_uploads(Bucket=LOCKED)["Uploads"]), 1)

    def test_a_bucket_without_object_lock(self):
        self.copy()
        ran = self.archive("--retain-days", "30", bucket=OPEN, code=FAILED)
        self.assertIn("evidence-open has no Object Lock", ran.err)
        self.assertIn("nothing was uploaded", ran.err)
        self.assertEqual(self.s3.list_objects_v2(Bucket=OPEN)["KeyCount"], 0)
        done = self.archive(bucket=OPEN)
        self.assertEqual(done["retain_until"], "")
        self.assert_restores(OPEN)

    def test_bad_input(self):
        self.copy()
        nowhere = self.archive(bucket="no-such-bucket-here", code=FAILED)
        self.assertIn("no bucket no-such-bucket-here", nowhere.err)
        abroad = self.archive("--retain-days", "1", bucket=ABROAD, code=USAGE)
        self.assertIn("--region eu-west-1", abroad.err)
        past = self.archive("--retain-until", "2020-01-01", code=USAGE)
        self.assertIn("past", past.err)
        self.assertEqual(self.archive("--retain-days", "0", code=USAGE).code, USAGE)
        self.assertEqual(self.case.run("archive", self.folder, "http://x/y").code, USAGE)
        self.assertEqual(self.case.run("archive", self.folder, "s3://B!/y").code, USAGE)
        self.assertNotEqual(self.case.run("archive", self.case.cwd / "nothing", f"s3://{LOCKED}/x").code, DONE)
        limited = self.case.env | {"AWS_ACCESS_KEY_ID": world.LIMITED_KEY[0], "AWS_SECRET_ACCESS_KEY": world.LIMITED_KEY[1]}
        arguments = ["archive", str(self.folder), f"s3://{LOCKED}/cases", "--retain-days", "1"]
        refused = finish(start(arguments, limited, self.case.cwd), arguments)
        self.assertEqual(refused.code, FAILED, refused)
        self.assertIn("s3:GetBucketObjectLockConfiguration", refused.err)
        self.assertEqual(self.versions(), {})
        self.assertEqual(self.case.run("verify", self.folder).code, DONE)

    def test_a_damaged_case_is_not_archived(self):
        self.copy()
        with open(self.folder / IMAGE, "r+b") as image:
            image.seek(3 * world.BLOCK + 17)
            byte = image.read(1)
            image.seek(3 * world.BLOCK + 17)
            image.write(bytes([byte[0] ^ 1]))
        ran = self.archive("--retain-days", "1", code=INTEGRITY)
        self.assertIn("is not intact, so it is not archived", ran.err)
        self.assertEqual(self.lab.requests(), [])

    def test_a_dry_run_changes_nothing(self):
        self.copy()
        before = sha256(self.folder / "ledger.jsonl")
        plan = self.archive("--retain-days", "1", "--dry-run")
        self.assertIn("s3:PutObjectRetention", plan["iam_actions"])
        self.assertIn("s3:AbortMultipartUpload", plan["iam_actions"])
        self.assertGreater(plan["cost_dollars"], 0)
        self.assertEqual(sha256(self.folder / "ledger.jsonl"), before)
        self.assertEqual({line["action"] for line in self.lab.requests()}, {"GetObjectLockConfiguration"})
        shutil.rmtree(self.folder)


if __name__ == "__main__":
    unittest.main()
