"""Who may do what: signatures, sessions, policies, dry runs, quotas, TLS."""
import concurrent.futures
import hashlib
import os
import tempfile
import unittest

import boto3
import botocore.config
import botocore.exceptions

import small_world as world
from lab_case import Case, Lab


class Permission(Case):
    def test_bad_credentials(self):
        wrong = (world.KEY[0], "wrong")
        unknown = ("AKIAUNKNOWN000000001", "x")
        self.refused("SignatureDoesNotMatch", self.lab.client("ec2", wrong).describe_regions)
        self.refused("SignatureDoesNotMatch", self.lab.client("sts", wrong).get_caller_identity)
        self.refused("InvalidSignatureException", self.lab.client("ebs", wrong).list_snapshot_blocks, SnapshotId=world.AMI_SNAPSHOT)
        self.refused("InvalidSignatureException", self.lab.client("cloudtrail", wrong).lookup_events)
        self.refused("AuthFailure", self.lab.client("ec2", unknown).describe_regions)
        self.refused("InvalidClientTokenId", self.lab.client("sts", unknown).get_caller_identity)
        self.refused("UnrecognizedClientException", self.lab.client("ebs", unknown).list_snapshot_blocks, SnapshotId=world.AMI_SNAPSHOT)
        self.refused("UnrecognizedClientException", self.lab.client("cloudtrail", unknown).lookup_events)

    def test_sessions(self):
        self.lab.client("ec2", world.SESSION_KEY).describe_regions()
        self.refused("AuthFailure", self.lab.client("ec2", world.SESSION_KEY[:2]).describe_regions)
        self.refused("RequestExpired", self.lab.client("ec2", world.EXPIRED_KEY).describe_regions)
        self.refused("ExpiredToken", self.lab.client("sts", world.EXPIRED_KEY).get_caller_identity)
        self.refused("ExpiredTokenException", self.lab.client("ebs", world.EXPIRED_KEY).list_snapshot_blocks, SnapshotId=world.AMI_SNAPSHOT)

    def test_policies(self):
        limited = self.lab.client("ec2", world.LIMITED_KEY)
        limited.describe_volumes()
        self.refused("UnauthorizedOperation", limited.describe_key_pairs)
        error = self.refused("UnauthorizedOperation", limited.delete_snapshot, SnapshotId=world.AMI_SNAPSHOT)
        self.assertIn("ec2:DeleteSnapshot", error["Error"]["Message"])
        self.refused("AccessDeniedException", self.lab.client("ebs", world.LIMITED_KEY).list_snapshot_blocks, SnapshotId=world.AMI_SNAPSHOT)
        self.lab.client("cloudtrail", world.LIMITED_KEY).lookup_events()
        self.refused("AccessDeniedException", self.lab.client("cloudtrail", world.LIMITED_KEY).describe_trails)
        spec = {"InstanceId": world.INSTANCE}
        self.refused("UnauthorizedOperation", limited.create_snapshots, InstanceSpecification=spec)
        tags = [{"ResourceType": "snapshot", "Tags": [{"Key": "icecore:case", "Value": "C-1"}]}]
        self.refused("DryRunOperation", limited.create_snapshots, InstanceSpecification=spec, TagSpecifications=tags, DryRun=True)
        limited.create_snapshots(InstanceSpecification=spec, TagSpecifications=tags)
        self.refused("UnauthorizedOperation", limited.create_tags, Resources=[world.AMI_SNAPSHOT], Tags=tags[0]["Tags"])

    def test_dry_run_changes_nothing(self):
        before = self.lab.control("GET", "state")
        self.refused("DryRunOperation", self.ec2.create_snapshots, InstanceSpecification={"InstanceId": world.INSTANCE}, DryRun=True)
        self.refused("DryRunOperation", self.ec2.create_volume, AvailabilityZone="us-west-2a", Size=1, DryRun=True)
        self.refused("DryRunOperation", self.ec2.terminate_instances, InstanceIds=[world.INSTANCE], DryRun=True)
        self.refused("DryRunOperation", self.ec2.describe_instances, DryRun=True)
        after = self.lab.control("GET", "state")
        self.assertEqual(before[world.REGION]["volumes"], after[world.REGION]["volumes"])
        self.assertEqual(before[world.REGION]["instances"], after[world.REGION]["instances"])


class Quotas(Case):
    flags = ["--ec2-rate", "1", "--cloudtrail-rate", "2", "--ebs-list-rate", "2"]

    def test_buckets(self):
        def until_refused(call, most):
            for count in range(most):
                try:
                    call()
                except botocore.exceptions.ClientError as error:
                    return count, error.response["Error"]["Code"]
            return most, None
        self.assertEqual(until_refused(lambda: self.trail.lookup_events(MaxResults=1), 10)[1], "ThrottlingException")
        self.assertEqual(until_refused(lambda: self.ebs.list_snapshot_blocks(SnapshotId=world.AMI_SNAPSHOT), 100)[1], "ThrottlingException")
        count, code = until_refused(self.ec2.describe_regions, 200)
        self.assertEqual(code, "RequestLimitExceeded")
        self.assertGreaterEqual(count, 100)


class Tls(Case):
    flags = ["--tls", "--tls-dir", "."]

    @classmethod
    def setUpClass(cls):
        cls.tls = tempfile.TemporaryDirectory(prefix="lab-tls-")
        cls.flags = ["--tls", "--tls-dir", cls.tls.name, "--ebs-get-rate", "0"]
        lab = Lab(*cls.flags)
        lab.authority = os.path.join(cls.tls.name, "lab-ca.pem")
        cls.lab = lab
        cls.ec2, cls.ebs = lab.client("ec2"), lab.client("ebs")

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.tls.cleanup()

    def test_many_at_once(self):
        token = self.ebs.list_snapshot_blocks(SnapshotId=world.AMI_SNAPSHOT)["Blocks"][0]["BlockToken"]

        def fetch(_):
            return self.ebs.get_snapshot_block(SnapshotId=world.AMI_SNAPSHOT, BlockIndex=0, BlockToken=token)["BlockData"].read()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            self.assertEqual({hashlib.sha256(data).hexdigest() for data in pool.map(fetch, range(64))}, {hashlib.sha256(b"R" * world.BLOCK).hexdigest()})

    def test_a_stranger_is_not_trusted(self):
        doubting = boto3.client("ec2", endpoint_url=self.lab.url, region_name=world.REGION, aws_access_key_id=world.KEY[0], aws_secret_access_key=world.KEY[1],
                                config=botocore.config.Config(retries={"max_attempts": 0}))
        with self.assertRaises(botocore.exceptions.SSLError):
            doubting.describe_regions()


if __name__ == "__main__":
    unittest.main()
