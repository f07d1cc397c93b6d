"""A local image becomes a snapshot that boto3 reads back block for block; killed and begun again it is the same snapshot, and nothing is sent twice."""
import collections
import json
import os
import re
import signal
import time
import unittest

import ledger
from harness import DONE, FAILED, USAGE, Case, Lab, finish, scratch, start

BLOCK = 524288
GIB = 2**30


def read_back(lab, snapshot):
    """{index: bytes} of all written blocks, by an EBS client that is not ours."""
    ebs = lab.boto("ebs")
    found = {}
    page = ebs.list_snapshot_blocks(SnapshotId=snapshot)
    while True:
        for block in page["Blocks"]:
            reply = ebs.get_snapshot_block(SnapshotId=snapshot, BlockIndex=block["BlockIndex"], BlockToken=block["BlockToken"])
            found[block["BlockIndex"]] = reply["BlockData"].read()
        if not page.get("NextToken"):
            return found
        page = ebs.list_snapshot_blocks(SnapshotId=snapshot, NextToken=page["NextToken"])


def puts(lab):
    counts = collections.Counter()
    for line in lab.record.read_text().splitlines():
        if line.endswith("}") and '"PutSnapshotBlock"' in line and (found := re.fullmatch(r"/snapshots/(snap-[0-9a-f]+)/blocks/(\d+)", json.loads(line)["request"]["path"])):
            counts[found.group(1), int(found.group(2))] += 1
    return counts


class Uploads(unittest.TestCase):
    def setUp(self):
        self.image = scratch() / "disk.raw"
        self.serve()

    def serve(self, *flags):
        self.lab = Lab(*flags)
        self.addCleanup(self.lab.stop)
        self.case = Case(self.lab)
        self.addCleanup(self.case.remove)

    def killed_after(self, count):
        """An upload killed once the lab has had so many puts, whatever the machine's speed."""
        arguments = ["upload", str(self.image)]
        process = start(arguments, self.case.env, self.case.cwd)
        while sum(puts(self.lab).values()) < count and process.poll() is None:
            time.sleep(0.01)
        self.assertIsNone(process.poll(), "it had ended before it was killed")
        os.killpg(process.pid, signal.SIGKILL)
        return finish(process, arguments)

    def make_image(self, indexes, size, fill=b"%d"):
        """Blocks that differ, holes between them, and an end that is no multiple of a block. No text, which the lab would write whole into its record."""
        with open(self.image, "wb") as file:
            file.truncate(size)
            for index in indexes:
                file.seek(index * BLOCK)
                file.write((fill % index).ljust(16, b"\0") * (min(BLOCK, size - index * BLOCK) // 16))
        return self.image

    def block(self, index):
        with open(self.image, "rb") as file:
            file.seek(index * BLOCK)
            return file.read(BLOCK).ljust(BLOCK, b"\0")

    def upload(self, *flags):
        ran = self.case.run("upload", self.image, "--json", *flags)
        self.assertEqual(ran.code, DONE, ran)
        return ran.json()

    def assert_is_the_image(self, snapshot, zeros=()):
        found = read_back(self.lab, snapshot)
        for index, content in found.items():
            self.assertEqual(content, self.block(index), f"block {index}")
        size = self.image.stat().st_size
        wanted = {index for index in range((size + BLOCK - 1) // BLOCK) if self.block(index).strip(b"\0")}
        self.assertEqual(set(found) - set(zeros), wanted)

    def test_boto3_reads_back_what_was_sent(self):
        self.make_image([0, 1, 7, 100, 2100], GIB + 60 * BLOCK + 4096)
        sent = self.upload("--tag", "Team=forensics", "--description", "practice")
        self.assertEqual(sent["size_gib"], 2)
        self.assertEqual(sent["blocks"], 5)
        self.assert_is_the_image(sent["snapshot"])
        described = self.lab.boto("ec2").describe_snapshots(SnapshotIds=[sent["snapshot"]])["Snapshots"][0]
        self.assertEqual((described["State"], described["Description"], described["VolumeSize"]), ("completed", "practice", 2))
        self.assertIn({"Key": "Team", "Value": "forensics"}, described["Tags"])
        folder = self.case.cwd / "case-upload-disk"
        self.assertEqual(self.case.run("verify", folder).code, DONE)
        self.assertEqual(ledger.created(ledger.entries(folder)), [sent["snapshot"]])
        acquired = self.case.run("acquire", sent["snapshot"])
        self.assertEqual(acquired.code, DONE, acquired)

    def test_a_parent_whose_blocks_went_is_overwritten_with_zeros(self):
        self.make_image([0, 3, 5], GIB)
        parent = self.upload()["snapshot"]
        self.make_image([0, 9], GIB, b"changed %d")
        child = self.upload("--parent", parent, "--case", "second")
        self.assertEqual(child["blocks"], 4)
        self.assert_is_the_image(child["snapshot"], zeros=(3, 5))

    def test_killed_it_goes_on_with_the_same_snapshot(self):
        self.serve("--fault-latency-ms", "60")  # 1000 puts take seconds, so that no kill comes too late
        self.make_image(range(0, 2000, 2), GIB)
        for count in (1, 300, 700):
            self.killed_after(count)
        sent = self.upload()
        self.assert_is_the_image(sent["snapshot"])
        self.assertEqual(len({snapshot for snapshot, _ in puts(self.lab)}), 1, "a second snapshot was begun")
        again = self.upload()
        self.assertEqual((again["snapshot"], again["sent_blocks"]), (sent["snapshot"], 0))
        # Sent twice at most what was in flight or not yet noted at each kill.
        self.assertLess(sum(puts(self.lab).values()) - 1000, 3 * (256 + 64))

    def test_an_image_that_changed_between_two_runs(self):
        self.serve("--ebs-put-rate", "300")
        self.make_image(range(0, 2000, 2), GIB)
        self.killed_after(600)
        self.make_image(range(0, 2000, 2), GIB, b"other %d")
        ran = self.case.run("upload", self.image)
        self.assertEqual(ran.code, FAILED, ran)
        self.assertIn("the image was changed", ran.err)

    def test_an_image_that_changed_after_its_upload(self):
        self.make_image([0, 1], GIB)
        self.upload()
        self.make_image([0, 2], GIB)
        ran = self.case.run("upload", self.image)
        self.assertEqual(ran.code, FAILED, ran)
        self.assertIn("--case NEW_FOLDER", ran.err)

    def test_a_dry_run_sends_nothing(self):
        self.make_image([0, 1], GIB)
        ran = self.case.run("upload", self.image, "--dry-run")
        self.assertEqual(ran.code, DONE, ran)
        self.assertIn("2 calls of PutSnapshotBlock", ran.out)
        self.assertNotIn("ebs:ListSnapshotBlocks", ran.out)
        plan = self.case.run("upload", self.image, "--dry-run", "--json").json()
        for action in ("ebs:StartSnapshot", "ebs:PutSnapshotBlock", "ebs:CompleteSnapshot", "ec2:CreateTags"):
            self.assertIn(action, plan["iam_actions"])
        self.assertEqual(self.lab.requests(), [])
        self.assertEqual(sorted(path.name for path in self.case.cwd.iterdir()), ["home"] if (self.case.cwd / "home").exists() else [])

    def test_bad_input(self):
        self.make_image([0], GIB + 1)
        too_small = self.case.run("upload", self.image, "--size", "1")
        self.assertEqual(too_small.code, USAGE, too_small)
        self.assertIn("does not fit into 1 GiB", too_small.err)
        missing = self.case.run("upload", "nowhere.raw")
        self.assertNotEqual(missing.code, DONE)
        self.assertFalse((self.case.cwd / "case-upload-nowhere").exists())
        tag = self.case.run("upload", self.image, "--tag", "novalue")
        self.assertEqual(tag.code, USAGE, tag)
        stranger = self.case.run("upload", self.image, "--parent", "snap-0123456789abcdef0")
        self.assertEqual(stranger.code, FAILED, stranger)
        self.assertIn("snap-0123456789abcdef0", stranger.err)


if __name__ == "__main__":
    unittest.main()
