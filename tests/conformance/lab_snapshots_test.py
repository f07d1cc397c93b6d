"""Snapshots made, copied, shared, locked and deleted; their blocks read and written through EBS direct."""
import base64
import hashlib
import unittest
import urllib.error
import urllib.parse
import urllib.request

import botocore.auth
import botocore.awsrequest
import botocore.credentials

import small_world as world
from lab_case import Case


class Snapshots(Case):
    def test_create_snapshots(self):
        made = self.ec2.create_snapshots(InstanceSpecification={"InstanceId": world.INSTANCE}, Description="Forensics", CopyTagsFromSource="volume",
                                         TagSpecifications=[{"ResourceType": "snapshot", "Tags": [{"Key": "icecore:case", "Value": "C-1"}]}])["Snapshots"]
        self.assertEqual({s["VolumeId"] for s in made}, {world.ROOT_VOLUME, world.DATA_VOLUME})
        self.assertEqual({s["State"] for s in made}, {"pending"})
        self.assertEqual({t["Key"] for t in made[0]["Tags"]}, {"icecore:case", "from"})
        self.refused("ValidationException", self.ebs.list_snapshot_blocks, SnapshotId=made[0]["SnapshotId"])
        self.ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[s["SnapshotId"] for s in made], WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})

    def test_create_snapshots_leaves_out(self):
        def volumes(**more):
            return [s["VolumeId"] for s in self.ec2.create_snapshots(InstanceSpecification={"InstanceId": world.INSTANCE, **more})["Snapshots"]]
        self.assertEqual(volumes(ExcludeBootVolume=True), [world.DATA_VOLUME])
        self.refused("InvalidParameterValue", self.ec2.create_snapshots, InstanceSpecification={"InstanceId": world.XEN_INSTANCE})

    def test_copy(self):
        copy = self.ec2.copy_snapshot(SourceRegion=world.REGION, SourceSnapshotId=world.PUBLIC_SNAPSHOT,
                                      TagSpecifications=[{"ResourceType": "snapshot", "Tags": [{"Key": "a", "Value": "b"}]}])
        self.assertEqual(copy["Tags"], [{"Key": "a", "Value": "b"}])
        self.ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[copy["SnapshotId"]], WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})
        blocks = [b["BlockIndex"] for page in self.pages_of_blocks(copy["SnapshotId"]) for b in page["Blocks"]]
        self.assertEqual(blocks, sorted(world.BASE_BLOCKS))
        abroad = self.lab.client("ec2", region="eu-west-1")
        moved = abroad.copy_snapshot(SourceRegion=world.REGION, SourceSnapshotId=world.AMI_SNAPSHOT, Encrypted=True)["SnapshotId"]
        self.assertTrue(abroad.describe_snapshots(SnapshotIds=[moved]))
        self.refused("InvalidSnapshot.NotFound", self.ec2.copy_snapshot, SourceRegion=world.REGION, SourceSnapshotId=world.STRANGE_SNAPSHOT)

    def pages_of_blocks(self, snapshot, **members):
        page = self.ebs.list_snapshot_blocks(SnapshotId=snapshot, **members)
        yield page
        while page.get("NextToken"):
            page = self.ebs.list_snapshot_blocks(SnapshotId=snapshot, NextToken=page["NextToken"])
            yield page

    def test_blocks_are_the_disks(self):
        snapshot = self.snapshot_of(world.ROOT_VOLUME)
        pages = list(self.pages_of_blocks(snapshot))
        self.assertTrue(any(not page["Blocks"] for page in pages))
        listed = {b["BlockIndex"]: b["BlockToken"] for page in pages for b in page["Blocks"]}
        self.assertEqual(list(listed), sorted(world.ROOT_BLOCKS), "ascending, no block of zeros")
        for index, token in listed.items():
            block = self.ebs.get_snapshot_block(SnapshotId=snapshot, BlockIndex=index, BlockToken=token)
            data = block["BlockData"].read()
            self.assertEqual(data, world.ROOT_BLOCKS[index] * world.BLOCK)
            self.assertEqual(block["Checksum"], base64.b64encode(hashlib.sha256(data).digest()).decode())
            self.assertEqual(block["DataLength"], world.BLOCK)
        error = self.refused("ValidationException", self.ebs.get_snapshot_block, SnapshotId=snapshot, BlockIndex=1, BlockToken=listed[0])
        self.assertEqual(error["Reason"], "INVALID_BLOCK_TOKEN")

    def test_changed_blocks(self):
        snapshot = self.snapshot_of(world.ROOT_VOLUME)
        page = self.ebs.list_changed_blocks(FirstSnapshotId=world.AMI_SNAPSHOT, SecondSnapshotId=snapshot)
        changed = page["ChangedBlocks"]
        while page.get("NextToken"):
            page = self.ebs.list_changed_blocks(FirstSnapshotId=world.AMI_SNAPSHOT, SecondSnapshotId=snapshot, NextToken=page["NextToken"])
            changed += page["ChangedBlocks"]
        self.assertEqual([b["BlockIndex"] for b in changed], [1, 5, 7, 9])
        self.assertEqual([("FirstBlockToken" in b, "SecondBlockToken" in b) for b in changed], [(True, True), (False, True), (True, False), (False, True)])
        data = self.snapshot_of(world.DATA_VOLUME)
        error = self.refused("ValidationException", self.ebs.list_changed_blocks, FirstSnapshotId=world.AMI_SNAPSHOT, SecondSnapshotId=data)
        self.assertEqual(error["Reason"], "UNRELATED_SNAPSHOTS")

    def test_ebs_refuses(self):
        self.refused("ResourceNotFoundException", self.ebs.list_snapshot_blocks, SnapshotId=world.PUBLIC_SNAPSHOT)
        self.refused("AccessDeniedException", self.ebs.list_snapshot_blocks, SnapshotId=world.STRANGE_SNAPSHOT)
        self.refused("ValidationException", self.ebs.list_snapshot_blocks, SnapshotId=world.ARCHIVED_SNAPSHOT)
        self.refused("ResourceNotFoundException", self.ebs.list_snapshot_blocks, SnapshotId="snap-0123456789abcdef0")
        self.ebs.list_snapshot_blocks(SnapshotId=world.SHARED_SNAPSHOT)

    def test_upload(self):
        started = self.ebs.start_snapshot(VolumeSize=1, Description="up", Tags=[{"Key": "k", "Value": "v"}], ClientToken="once")
        again = self.ebs.start_snapshot(VolumeSize=1, Description="up", Tags=[{"Key": "k", "Value": "v"}], ClientToken="once")
        self.assertEqual(started["SnapshotId"], again["SnapshotId"])
        self.refused("ConflictException", self.ebs.start_snapshot, VolumeSize=2, ClientToken="once")
        sums = b""
        for index in (3, 40):
            data = bytes([index]) * world.BLOCK
            digest = hashlib.sha256(data).digest()
            sums += digest
            self.ebs.put_snapshot_block(SnapshotId=started["SnapshotId"], BlockIndex=index, BlockData=data, DataLength=len(data),
                                        Checksum=base64.b64encode(digest).decode(), ChecksumAlgorithm="SHA256")
        self.refused("ValidationException", self.ebs.put_snapshot_block, SnapshotId=started["SnapshotId"], BlockIndex=4, BlockData=b"z" * world.BLOCK,
                     DataLength=world.BLOCK, Checksum=base64.b64encode(digest).decode(), ChecksumAlgorithm="SHA256")
        self.refused("ValidationException", self.ebs.complete_snapshot, SnapshotId=started["SnapshotId"], ChangedBlocksCount=3)
        total = base64.b64encode(hashlib.sha256(sums).digest()).decode()
        self.ebs.complete_snapshot(SnapshotId=started["SnapshotId"], ChangedBlocksCount=2, Checksum=total, ChecksumAlgorithm="SHA256", ChecksumAggregationMethod="LINEAR")
        self.ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[started["SnapshotId"]], WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})
        self.assertEqual([b["BlockIndex"] for page in self.pages_of_blocks(started["SnapshotId"]) for b in page["Blocks"]], [3, 40])

    def test_attributes_and_sharing(self):
        snapshot = self.snapshot_of(world.DATA_VOLUME)
        self.ec2.modify_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", UserIds=["777788889999"])
        permissions = self.ec2.describe_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")["CreateVolumePermissions"]
        self.assertEqual(permissions, [{"UserId": "777788889999"}])
        self.ec2.modify_snapshot_attribute(SnapshotId=snapshot, CreateVolumePermission={"Remove": [{"UserId": "777788889999"}]})
        self.assertEqual(self.ec2.describe_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")["CreateVolumePermissions"], [])
        default_key = self.ec2.copy_snapshot(SourceRegion=world.REGION, SourceSnapshotId=snapshot, Encrypted=True)["SnapshotId"]
        self.refused("InvalidParameterValue", self.ec2.modify_snapshot_attribute, SnapshotId=default_key, CreateVolumePermission={"Add": [{"UserId": "777788889999"}]})

    def test_delete(self):
        snapshot = self.snapshot_of(world.DATA_VOLUME)
        self.ec2.delete_snapshot(SnapshotId=snapshot)
        self.refused("InvalidSnapshot.NotFound", self.ec2.describe_snapshots, SnapshotIds=[snapshot])
        self.refused("InvalidSnapshot.InUse", self.ec2.delete_snapshot, SnapshotId=world.AMI_SNAPSHOT)
        self.refused("OperationNotPermitted", self.ec2.delete_snapshot, SnapshotId=world.SHARED_SNAPSHOT)

    def test_lock(self):
        """LockSnapshot is younger than Debian's botocore: asked for by hand, with botocore's own signer."""
        snapshot = self.snapshot_of(world.DATA_VOLUME)
        status, body = self.by_hand(Action="LockSnapshot", SnapshotId=snapshot, LockMode="governance", LockDuration="3")
        self.assertEqual(status, 200, body)
        self.assertIn("<lockState>governance</lockState>", body)
        self.refused("SnapshotLocked", self.ec2.delete_snapshot, SnapshotId=snapshot)
        locked, token = "", ""
        while True:
            page = self.by_hand(Action="DescribeLockedSnapshots", **({"NextToken": token} if token else {}))[1]
            locked += page
            if "<nextToken>" not in page:
                break
            token = page.split("<nextToken>")[1].split("<")[0]
        self.assertIn(snapshot, locked)
        self.assertEqual(self.by_hand(Action="UnlockSnapshot", SnapshotId=snapshot)[0], 200)
        self.ec2.delete_snapshot(SnapshotId=snapshot)

    def by_hand(self, **parameters):
        body = urllib.parse.urlencode({"Version": "2016-11-15", **parameters})
        request = botocore.awsrequest.AWSRequest("POST", self.lab.url + "/", data=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
        botocore.auth.SigV4Auth(botocore.credentials.Credentials(*world.KEY), "ec2", world.REGION).add_auth(request)
        sent = urllib.request.Request(self.lab.url + "/", data=body.encode(), headers=dict(request.headers), method="POST")
        try:
            with urllib.request.urlopen(sent) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


if __name__ == "__main__":
    unittest.main()
