"""Snapshots that cannot be read, or not yet."""
import threading
import time
import unittest

from bad_input import BadInput
from harness import DONE, INSTANCE, PARTIAL, Case, Lab

BASELINE = "snap-0b5e11ea0ba5e11ea"
FOREIGN, PUBLIC = "snap-0ccd3e9c6ccd3e9c6", "snap-0ccd3e9c6da7a0000"
COPY = "icecore collect snap-"


class SnapshotTest(BadInput):
    def setUp(self):
        self.addCleanup(self.lab.patch, "snapshots", BASELINE, {"StorageTier": "standard", "State": "completed", "VolumeSize": 4,
                                                                       "StateMessage": None})

    def refused(self, snapshot, *words):
        case = self.case()
        self.assert_error(case.run("triage", snapshot), snapshot, *words)
        self.assert_clean(case)

    def test_unknown(self):
        self.refused("snap-0123456789abcdef0", "us-west-2", "--region")

    def test_shared_by_another_account(self):
        self.refused(FOREIGN, "444455556666", COPY)

    def test_public(self):
        self.refused(PUBLIC, "444455556666", COPY)

    def test_archived(self):
        self.lab.patch("snapshots", BASELINE, {"StorageTier": "archive"})
        self.refused(BASELINE, "archive", "aws ec2 restore-snapshot-tier")

    def test_ended_in_error(self):
        self.lab.patch("snapshots", BASELINE, {"State": "error", "StateMessage": "Client error: the key is disabled"})
        self.refused(BASELINE, "error", "the key is disabled")

    def test_pending_is_waited_for(self):
        self.lab.patch("snapshots", BASELINE, {"State": "pending", "Progress": "40%"})
        timer = threading.Timer(2, self.lab.patch, ("snapshots", BASELINE, {"State": "completed", "Progress": "100%"}))
        timer.start()
        self.addCleanup(timer.join)
        case = self.case()
        began = time.monotonic()
        ran = case.run("ls", BASELINE, "/")
        self.assertEqual(ran.code, DONE, ran)
        self.assertGreater(time.monotonic() - began, 1.5)
        self.assertIn("etc", ran.out)

    def test_larger_than_its_filesystem(self):
        self.lab.patch("snapshots", BASELINE, {"VolumeSize": 9})
        case = self.case()
        ran = case.run("triage", BASELINE)
        self.assertIn(ran.code, (DONE, PARTIAL), ran)
        self.assertIn("Verdict:", ran.out)
        self.assert_clean(case)

    def test_one_that_fails_while_we_wait(self):
        lab = Lab()
        self.addCleanup(lab.stop)
        lab.control("PUT", "failing-snapshots", 1)
        case = Case(lab)
        self.addCleanup(case.remove)
        ran = case.investigate()
        self.assert_error(ran, "snap-", "vol-0a5203422c0", "error")
        self.assert_clean(case)
        # What AWS knew of the instance is kept.
        self.assertTrue((case.folder / f"instances/{INSTANCE}/metadata.json").is_file())


if __name__ == "__main__":
    unittest.main()
