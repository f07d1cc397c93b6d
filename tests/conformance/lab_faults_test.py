"""The faults that can be switched on, and the control channel."""
import base64
import hashlib
import time
import unittest

import botocore.exceptions

import small_world as world
from lab_case import Case


class Faults(Case):
    flags = ["--snapshot-seconds", "0.1", "--ec2-rate", "0", "--ec2-write-rate", "0"]

    def tearDown(self):
        self.lab.control("DELETE", "faults")

    def test_throttle_is_retried(self):
        self.lab.control("PUT", "faults", {"throttle": 50, "seed": 3})
        patient = self.lab.client("ec2", retries={"max_attempts": 12, "mode": "standard"})
        for _ in range(5):
            patient.describe_regions()
        self.lab.control("PUT", "faults", {"throttle": 100})
        self.refused("RequestLimitExceeded", self.ec2.describe_regions)
        self.refused("RequestThrottledException", self.ebs.list_snapshot_blocks, SnapshotId=world.AMI_SNAPSHOT)
        self.refused("ThrottlingException", self.trail.lookup_events)

    def test_5xx_and_only(self):
        self.lab.control("PUT", "faults", {"error_5xx": 100, "only": ["DescribeRegions"]})
        self.refused("InternalError", self.ec2.describe_regions)
        self.ec2.describe_volumes()

    def test_reset_after_the_act(self):
        self.lab.control("PUT", "faults", {"script": [{"action": "CreateSnapshot", "lose_reply": True}]})
        before = len(self.lab.control("GET", "state")[world.REGION]["snapshots"])
        with self.assertRaises((botocore.exceptions.ConnectionError, botocore.exceptions.HTTPClientError)):
            self.ec2.create_snapshot(VolumeId=world.ROOT_VOLUME)
        self.assertEqual(len(self.lab.control("GET", "state")[world.REGION]["snapshots"]), before + 1)

    def test_truncated_and_corrupted_blocks(self):
        token = self.ebs.list_snapshot_blocks(SnapshotId=world.AMI_SNAPSHOT)["Blocks"][0]["BlockToken"]
        self.lab.control("PUT", "faults", {"corrupt": 100})
        block = self.ebs.get_snapshot_block(SnapshotId=world.AMI_SNAPSHOT, BlockIndex=0, BlockToken=token)
        self.assertNotEqual(base64.b64encode(hashlib.sha256(block["BlockData"].read()).digest()).decode(), block["Checksum"])
        self.lab.control("PUT", "faults", {"truncate": 100})
        with self.assertRaises(Exception) as caught:
            self.ebs.get_snapshot_block(SnapshotId=world.AMI_SNAPSHOT, BlockIndex=0, BlockToken=token)["BlockData"].read()
        self.assertNotIsInstance(caught.exception, botocore.exceptions.ClientError)

    def test_stall(self):
        token = self.ebs.list_snapshot_blocks(SnapshotId=world.AMI_SNAPSHOT)["Blocks"][0]["BlockToken"]
        self.lab.control("PUT", "faults", {"stall": 100, "stall_ms": 3000})
        impatient = self.lab.client("ebs", read_timeout=0.5)
        with self.assertRaises(Exception) as caught:
            impatient.get_snapshot_block(SnapshotId=world.AMI_SNAPSHOT, BlockIndex=0, BlockToken=token)["BlockData"].read()
        self.assertRegex(str(caught.exception).lower(), "timed out|read timeout")

    def test_clock_skew(self):
        self.lab.control("PUT", "faults", {"skew_ms": 600_000})
        error = self.refused("InvalidSignatureException", self.ebs.list_snapshot_blocks, SnapshotId=world.AMI_SNAPSHOT)
        self.assertIn("Signature expired", error["Error"]["Message"])
        self.refused("RequestExpired", self.ec2.describe_regions)

    def test_latency(self):
        self.lab.control("PUT", "faults", {"latency_ms": 300})
        start = time.time()
        self.ec2.describe_regions()
        self.assertGreaterEqual(time.time() - start, 0.3)

    def test_failing_snapshot(self):
        self.lab.control("PUT", "failing-snapshots", 1)
        made = self.ec2.create_snapshot(VolumeId=world.ROOT_VOLUME)["SnapshotId"]
        self.wait_for(lambda: self.ec2.describe_snapshots(SnapshotIds=[made])["Snapshots"][0]["State"] == "error")

    def test_patched_state(self):
        self.lab.control("PATCH", f"instances/{world.XEN_INSTANCE}", {"State": {"Code": 48, "Name": "terminated"}})
        found = self.ec2.describe_instances(InstanceIds=[world.XEN_INSTANCE])
        self.assertEqual(found["Reservations"][0]["Instances"][0]["State"]["Name"], "terminated")

    def test_requests_are_kept(self):
        self.lab.control("DELETE", "requests")
        self.ec2.describe_regions()
        kept = self.lab.control("GET", "requests")
        self.assertEqual([line["action"] for line in kept], ["DescribeRegions"])
        self.assertEqual(kept[0]["principal"], f"arn:aws:iam::{world.ACCOUNT}:user/responder")


if __name__ == "__main__":
    unittest.main()
