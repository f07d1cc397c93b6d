#!/usr/bin/python3
"""boto3 and the AWS CLI as clients of icecore-lab: every call it has, paginators on, and what it must refuse.

    tests/conformance/lab_test.py BUILD/icecore-lab [unittest options]

At the end the record of all exchanges is held against botocore's service models (validate.py).
"""
import base64
import concurrent.futures
import hashlib
import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials
import botocore.exceptions

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import small_world as world  # noqa: E402
import validate  # noqa: E402

LAB = None
CLI = "/usr/bin/aws"
ALL_PAGES = ["--page-size", "2", "--empty-pages", "--ec2-rate", "0", "--ec2-write-rate", "0", "--cloudtrail-rate", "0", "--ebs-list-rate", "0",
             "--ebs-get-rate", "0", "--snapshot-seconds", "0.4", "--volume-seconds", "0.1", "--instance-seconds", "0.1"]


class Lab:
    """A lab of its own with a world of its own; a context manager."""

    def __init__(self, *flags):
        self.folder = tempfile.TemporaryDirectory(prefix="lab-test-")
        self.world = world.build(self.folder.name)
        self.record = os.path.join(self.folder.name, "record.jsonl")
        port_file = os.path.join(self.folder.name, "port")
        self.process = subprocess.Popen([LAB, "--world", self.folder.name, "--record", self.record, "--port-file", port_file, *flags],
                                        stdout=subprocess.PIPE, text=True)
        for _ in range(200):
            if os.path.exists(port_file):
                break
            if self.process.poll() is not None:
                raise RuntimeError(f"the lab ended with {self.process.returncode}")
            time.sleep(0.05)
        with open(port_file, encoding="ascii") as file:
            self.port = int(file.read())
        self.authority = os.path.join(self.folder.name, "lab-ca.pem")
        self.url = f"http{'s' if '--tls' in flags else ''}://127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        code = self.process.wait(20)
        self.process.stdout.close()
        self.folder.cleanup()
        if code != 0:
            raise AssertionError(f"the lab ended with {code}")

    def client(self, service, key=world.KEY, region=world.REGION, **config):
        config.setdefault("retries", {"max_attempts": 0})
        return boto3.client(service, endpoint_url=self.url, region_name=region, aws_access_key_id=key[0], aws_secret_access_key=key[1],
                            aws_session_token=key[2] if len(key) > 2 else None, verify=self.authority if self.url.startswith("https") else None,
                            config=botocore.config.Config(**config))

    def cli(self, *words, key=world.KEY):
        environment = {**os.environ, "AWS_ACCESS_KEY_ID": key[0], "AWS_SECRET_ACCESS_KEY": key[1], "AWS_REGION": world.REGION, "AWS_PAGER": "",
                       "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
        environment.pop("AWS_SESSION_TOKEN", None)
        return subprocess.run([CLI, "--endpoint-url", self.url, "--output", "json", *words], env=environment, capture_output=True, text=True, timeout=120, check=False)

    def control(self, method, path, body=None):
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_lab/{path}", data=data, method=method)
        with urllib.request.urlopen(request) as reply:
            return json.load(reply)


class Case(unittest.TestCase):
    flags = ALL_PAGES

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(*cls.flags)
        cls.ec2, cls.ebs, cls.trail, cls.sts, cls.iam = (cls.lab.client(name) for name in ("ec2", "ebs", "cloudtrail", "sts", "iam"))

    @classmethod
    def tearDownClass(cls):
        problems = io.StringIO()
        count, cls.seen = validate.validate([cls.lab.record], problems)
        cls.lab.__exit__()
        if count:
            raise AssertionError("botocore's models disagree:\n" + problems.getvalue())
        SEEN.update(cls.seen)

    def refused(self, code, call, *positional, **members):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            call(*positional, **members)
        self.assertEqual(caught.exception.response["Error"]["Code"], code, caught.exception.response)
        return caught.exception.response

    def pages(self, client, name, **members):
        return list(client.get_paginator(name).paginate(**members))

    def snapshot_of(self, volume, **members):
        made = self.ec2.create_snapshot(VolumeId=volume, **members)
        self.ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[made["SnapshotId"]], WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})
        return made["SnapshotId"]

    def wait_for(self, what, seconds=10):
        end = time.time() + seconds
        while time.time() < end:
            if what():
                return
            time.sleep(0.05)
        self.fail("it did not happen in time")


SEEN = {}


class Describe(Case):
    def test_instances_in_pages(self):
        pages = self.pages(self.ec2, "describe_instances")
        self.assertGreater(sum(1 for page in pages if not page["Reservations"]), 1, "empty pages were asked for")
        found = [i for page in pages for r in page["Reservations"] for i in r["Instances"]]
        self.assertEqual(sorted(i["InstanceId"] for i in found), sorted(i["InstanceId"] for i in self.lab.world["instances"]))
        ours = next(i for i in found if i["InstanceId"] == world.INSTANCE)
        self.assertEqual(ours["Tags"], [{"Key": "Name", "Value": "web & <db>"}])
        self.assertNotIn("_user_data", ours)

    def test_every_listing(self):
        calls = {"describe_volumes": "Volumes", "describe_snapshots": "Snapshots", "describe_network_interfaces": "NetworkInterfaces",
                 "describe_security_groups": "SecurityGroups", "describe_subnets": "Subnets", "describe_vpcs": "Vpcs", "describe_images": "Images",
                 "describe_launch_templates": "LaunchTemplates", "describe_iam_instance_profile_associations": "IamInstanceProfileAssociations",
                 "describe_tags": "Tags", "describe_flow_logs": "FlowLogs", "describe_route_tables": "RouteTables", "describe_network_acls": "NetworkAcls",
                 "describe_security_group_rules": "SecurityGroupRules", "describe_instance_types": "InstanceTypes", "describe_volume_status": "VolumeStatuses",
                 "describe_instance_type_offerings": "InstanceTypeOfferings", "describe_instance_credit_specifications": "InstanceCreditSpecifications",
                 "describe_instance_status": "InstanceStatuses", "describe_snapshot_tier_status": "SnapshotTierStatuses"}
        for call, member in calls.items():
            with self.subTest(call):
                pages = self.pages(self.ec2, call) if self.ec2.can_paginate(call) else self.by_hand(call)
                self.assertTrue([item for page in pages for item in page.get(member, [])], f"{call} found nothing")

    def by_hand(self, call):
        """A call whose paginator this botocore does not know."""
        pages = [getattr(self.ec2, call)()]
        while pages[-1].get("NextToken"):
            pages.append(getattr(self.ec2, call)(NextToken=pages[-1]["NextToken"]))
        return pages

    def test_listings_without_pages(self):
        self.assertEqual([z["ZoneName"] for z in self.ec2.describe_availability_zones()["AvailabilityZones"]], ["us-west-2a", "us-west-2b"])
        self.assertIn("us-west-2", [r["RegionName"] for r in self.ec2.describe_regions()["Regions"]])
        self.assertEqual(self.ec2.describe_key_pairs(KeyNames=["launch"])["KeyPairs"][0]["KeyName"], "launch")
        self.assertEqual(self.ec2.describe_addresses()["Addresses"][0]["PublicIp"], "198.51.100.7")
        self.assertTrue(self.ec2.describe_account_attributes()["AccountAttributes"])
        self.assertFalse(self.ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"])
        self.assertEqual(self.ec2.get_ebs_default_kms_key_id()["KmsKeyId"], "alias/aws/ebs")

    def test_launch_template(self):
        versions = [v for page in self.pages(self.ec2, "describe_launch_template_versions", LaunchTemplateId=world.TEMPLATE, Versions=["$Latest"])
                    for v in page["LaunchTemplateVersions"]]
        self.assertEqual(versions[0]["LaunchTemplateData"]["ImageId"], world.AMI)
        self.assertEqual(self.ec2.get_launch_template_data(InstanceId=world.INSTANCE)["LaunchTemplateData"]["ImageId"], world.AMI)

    def test_attributes(self):
        def of(name):
            return self.ec2.describe_instance_attribute(InstanceId=world.INSTANCE, Attribute=name)
        self.assertEqual(base64.b64decode(of("userData")["UserData"]["Value"]), b"#!/bin/sh\necho hi\n")
        self.assertIs(of("disableApiTermination")["DisableApiTermination"]["Value"], False)
        self.assertEqual([m["Ebs"]["VolumeId"] for m in of("blockDeviceMapping")["BlockDeviceMappings"]], [world.ROOT_VOLUME, world.DATA_VOLUME])
        self.assertEqual(of("groupSet")["Groups"][0]["GroupId"], world.GROUP)
        self.assertEqual(of("instanceType")["InstanceType"]["Value"], "t3.medium")
        for name in ("kernel", "ramdisk", "instanceInitiatedShutdownBehavior", "rootDeviceName", "productCodes", "sourceDestCheck", "ebsOptimized",
                     "sriovNetSupport", "enaSupport", "enclaveOptions", "disableApiStop"):
            of(name)
        self.ec2.describe_volume_attribute(VolumeId=world.ROOT_VOLUME, Attribute="autoEnableIO")
        self.ec2.describe_volume_attribute(VolumeId=world.ROOT_VOLUME, Attribute="productCodes")
        for name in ("description", "blockDeviceMapping", "launchPermission"):
            self.ec2.describe_image_attribute(ImageId=world.AMI, Attribute=name)

    def test_console(self):
        output = self.ec2.get_console_output(InstanceId=world.INSTANCE, Latest=True)["Output"]
        self.assertEqual((len(output), output[-7:]), (65536, "login: "))
        self.assertEqual(len(self.ec2.get_console_output(InstanceId=world.XEN_INSTANCE)["Output"]), 65536)
        self.refused("UnsupportedOperation", self.ec2.get_console_output, InstanceId=world.XEN_INSTANCE, Latest=True)
        screenshot = self.ec2.get_console_screenshot(InstanceId=world.INSTANCE)["ImageData"]
        self.assertTrue(base64.b64decode(screenshot).startswith(b"\xff\xd8"))

    def test_filters_and_owners(self):
        found = self.ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [world.INSTANCE]}, {"Name": "attachment.device", "Values": ["/dev/sd*"]}])
        found = found["Volumes"] or self.ec2.describe_volumes(NextToken=found["NextToken"], Filters=[
            {"Name": "attachment.instance-id", "Values": [world.INSTANCE]}, {"Name": "attachment.device", "Values": ["/dev/sd*"]}])["Volumes"]
        self.assertEqual([v["VolumeId"] for v in found], [world.DATA_VOLUME])

        def snapshots(**members):
            return {s["SnapshotId"] for page in self.pages(self.ec2, "describe_snapshots", **members) for s in page["Snapshots"]}
        self.assertLessEqual({world.AMI_SNAPSHOT, world.SHARED_SNAPSHOT, world.PUBLIC_SNAPSHOT}, snapshots())
        self.assertNotIn(world.STRANGE_SNAPSHOT, snapshots())
        self.assertNotIn(world.SHARED_SNAPSHOT, snapshots(OwnerIds=["self"]))
        self.assertEqual(snapshots(OwnerIds=["444455556666"]), {world.SHARED_SNAPSHOT, world.PUBLIC_SNAPSHOT})
        self.assertEqual(snapshots(RestorableByUserIds=["all"]), {world.PUBLIC_SNAPSHOT})
        self.refused("InvalidSnapshot.NotFound", self.ec2.describe_snapshots, SnapshotIds=[world.STRANGE_SNAPSHOT])

    def test_bad_ids(self):
        self.refused("InvalidInstanceID.NotFound", self.ec2.describe_instances, InstanceIds=["i-0123456789abcdef0"])
        self.refused("InvalidInstanceID.Malformed", self.ec2.describe_instances, InstanceIds=["i-xyz"])
        self.refused("InvalidVolume.NotFound", self.ec2.describe_volumes, VolumeIds=["vol-0123456789abcdef0"])
        self.refused("InvalidAMIID.NotFound", self.ec2.describe_images, ImageIds=["ami-0123456789abcdef0"])
        self.refused("InvalidParameterValue", self.ec2.describe_volumes, Filters=[{"Name": "colour", "Values": ["x"]}])
        self.refused("InvalidParameterCombination", self.ec2.describe_instances, InstanceIds=[world.INSTANCE], MaxResults=10)
        self.refused("InvalidInstanceID.NotFound", self.lab.client("ec2", region="eu-west-1").describe_instances, InstanceIds=[world.INSTANCE])


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


class Workstation(Case):
    def launch(self, **more):
        members = {"ImageId": world.AMI, "InstanceType": "t3.medium", "MinCount": 1, "MaxCount": 1, **more}
        return self.ec2.run_instances(**members)["Instances"][0]

    def test_attach_in_the_right_zone(self):
        volume = self.ec2.create_volume(AvailabilityZone="us-west-2b", SnapshotId=world.AMI_SNAPSHOT, VolumeType="gp3", ClientToken="token-1",
                                        TagSpecifications=[{"ResourceType": "volume", "Tags": [{"Key": "icecore:run", "Value": "1"}]}])
        self.assertEqual(volume["State"], "creating")
        self.refused("IncorrectState", self.ec2.attach_volume, VolumeId=volume["VolumeId"], InstanceId=world.INSTANCE, Device="/dev/sdg")
        same = self.ec2.create_volume(AvailabilityZone="us-west-2b", SnapshotId=world.AMI_SNAPSHOT, VolumeType="gp3", ClientToken="token-1",
                                      TagSpecifications=[{"ResourceType": "volume", "Tags": [{"Key": "icecore:run", "Value": "1"}]}])
        self.assertEqual(same["VolumeId"], volume["VolumeId"])
        self.refused("IdempotentParameterMismatch", self.ec2.create_volume, AvailabilityZone="us-west-2a", SnapshotId=world.AMI_SNAPSHOT, ClientToken="token-1")
        self.available(volume["VolumeId"])
        self.refused("InvalidParameterValue", self.ec2.attach_volume, VolumeId=volume["VolumeId"], InstanceId=world.INSTANCE, Device="/dev/sdf")
        attachment = self.ec2.attach_volume(VolumeId=volume["VolumeId"], InstanceId=world.INSTANCE, Device="/dev/sdg")
        self.assertEqual(attachment["State"], "attaching")
        self.wait_for(lambda: self.volume(volume["VolumeId"])["Attachments"][0]["State"] == "attached")
        self.refused("VolumeInUse", self.ec2.delete_volume, VolumeId=volume["VolumeId"])
        self.refused("InvalidAttachment.NotFound", self.ec2.detach_volume, VolumeId=volume["VolumeId"], InstanceId=world.XEN_INSTANCE)
        self.assertEqual(self.ec2.detach_volume(VolumeId=volume["VolumeId"])["State"], "detaching")
        self.available(volume["VolumeId"])
        self.ec2.delete_volume(VolumeId=volume["VolumeId"])
        self.wait_for(lambda: volume["VolumeId"] not in json.dumps(self.lab.control("GET", "state")))

    def volume(self, identifier):
        return self.ec2.describe_volumes(VolumeIds=[identifier])["Volumes"][0]

    def available(self, identifier):
        self.wait_for(lambda: self.volume(identifier)["State"] == "available")

    def test_zones(self):
        self.refused("InvalidZone.NotFound", self.ec2.create_volume, AvailabilityZone="us-west-2x", Size=1)
        volume = self.ec2.create_volume(AvailabilityZone="us-west-2a", Size=1)["VolumeId"]
        self.available(volume)
        self.refused("InvalidVolume.ZoneMismatch", self.ec2.attach_volume, VolumeId=volume, InstanceId=world.INSTANCE, Device="/dev/sdh")
        self.refused("InvalidParameterValue", self.ec2.create_volume, AvailabilityZone="us-west-2a", SnapshotId=world.AMI_SNAPSHOT, Size=0)

    def test_launch_and_take_down(self):
        members = {"SubnetId": world.SUBNET_A, "ClientToken": "launch-1", "UserData": "#!/bin/sh", "MetadataOptions": {"HttpTokens": "required"},
                   "TagSpecifications": [{"ResourceType": kind, "Tags": [{"Key": "icecore:run", "Value": "9"}]} for kind in ("instance", "volume")]}
        instance = self.launch(**members)
        self.assertEqual(self.launch(**members)["InstanceId"], instance["InstanceId"])
        self.refused("IdempotentParameterMismatch", self.launch, **{**members, "SubnetId": world.SUBNET_B})
        self.assertEqual((instance["State"]["Name"], instance["Placement"]["AvailabilityZone"]), ("pending", "us-west-2a"))
        self.ec2.get_waiter("instance_running").wait(InstanceIds=[instance["InstanceId"]], WaiterConfig={"Delay": 0.1, "MaxAttempts": 50})
        user_data = self.ec2.describe_instance_attribute(InstanceId=instance["InstanceId"], Attribute="userData")["UserData"]["Value"]
        self.assertEqual(base64.b64decode(user_data), b"#!/bin/sh")
        self.refused("IncorrectInstanceState", self.ec2.modify_instance_attribute, InstanceId=instance["InstanceId"], UserData={"Value": b"x"})
        self.ec2.stop_instances(InstanceIds=[instance["InstanceId"]])
        self.ec2.get_waiter("instance_stopped").wait(InstanceIds=[instance["InstanceId"]], WaiterConfig={"Delay": 0.1, "MaxAttempts": 50})
        self.ec2.modify_instance_attribute(InstanceId=instance["InstanceId"], UserData={"Value": b"x"})
        self.ec2.start_instances(InstanceIds=[instance["InstanceId"]])
        self.ec2.modify_instance_attribute(InstanceId=instance["InstanceId"], DisableApiTermination={"Value": True})
        self.refused("OperationNotPermitted", self.ec2.terminate_instances, InstanceIds=[instance["InstanceId"]])
        self.ec2.modify_instance_attribute(InstanceId=instance["InstanceId"], DisableApiTermination={"Value": False})
        self.ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
        self.ec2.get_waiter("instance_terminated").wait(InstanceIds=[instance["InstanceId"]], WaiterConfig={"Delay": 0.1, "MaxAttempts": 50})
        state = self.lab.control("GET", "state")[world.REGION]
        self.assertFalse([v for v in state["volumes"] if v.get("Tags") == [{"Key": "icecore:run", "Value": "9"}]], "its root volume went with it")

    def test_launch_refusals(self):
        self.refused("Unsupported", self.launch, InstanceType="t2.micro", SubnetId=world.SUBNET_B)
        self.refused("InvalidParameterValue", self.launch, InstanceType="x9.huge")
        self.refused("InvalidSubnetID.NotFound", self.launch, SubnetId="subnet-0123456789abcdeff")
        self.refused("InvalidKeyPair.NotFound", self.launch, KeyName="nobody")
        self.refused("DryRunOperation", self.launch, DryRun=True)

    def test_security_group(self):
        group = self.ec2.create_security_group(GroupName="forensics", Description="d", VpcId=world.VPC)["GroupId"]
        self.refused("InvalidGroup.Duplicate", self.ec2.create_security_group, GroupName="forensics", Description="d", VpcId=world.VPC)
        ssh = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}]
        rule = self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=ssh)["SecurityGroupRules"][0]
        self.assertEqual(rule["CidrIpv4"], "192.0.2.0/24")
        self.refused("InvalidPermission.Duplicate", self.ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=ssh)
        self.ec2.authorize_security_group_egress(GroupId=group, IpPermissions=ssh)
        self.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=ssh)
        self.ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])
        self.refused("InvalidPermission.NotFound", self.ec2.revoke_security_group_ingress, GroupId=group, IpPermissions=ssh)
        self.ec2.delete_security_group(GroupId=group)
        self.refused("DependencyViolation", self.ec2.delete_security_group, GroupId=world.GROUP)

    def test_tags(self):
        self.ec2.create_tags(Resources=[world.ROOT_VOLUME, world.ENI], Tags=[{"Key": "case", "Value": "7"}])
        tags = [t for page in self.pages(self.ec2, "describe_tags", Filters=[{"Name": "key", "Values": ["case"]}]) for t in page["Tags"]]
        self.assertEqual({t["ResourceId"] for t in tags}, {world.ROOT_VOLUME, world.ENI})
        self.ec2.delete_tags(Resources=[world.ROOT_VOLUME, world.ENI], Tags=[{"Key": "case"}])
        self.assertFalse([t for page in self.pages(self.ec2, "describe_tags", Filters=[{"Name": "key", "Values": ["case"]}]) for t in page["Tags"]])
        self.refused("InvalidParameterValue", self.ec2.create_tags, Resources=[world.ROOT_VOLUME], Tags=[{"Key": "aws:x", "Value": "7"}])
        self.refused("InvalidID", self.ec2.create_tags, Resources=["thing-1"], Tags=[{"Key": "x", "Value": "7"}])

    def test_key_pairs(self):
        made = self.ec2.create_key_pair(KeyName="new", KeyType="ed25519")
        self.assertIn("PRIVATE KEY", made["KeyMaterial"])
        self.refused("InvalidKeyPair.Duplicate", self.ec2.create_key_pair, KeyName="new", KeyType="ed25519")
        self.ec2.import_key_pair(KeyName="mine", PublicKeyMaterial=b"ssh-ed25519 AAAA me")
        self.ec2.delete_key_pair(KeyName="new")
        self.ec2.delete_key_pair(KeyName="mine")


class OtherServices(Case):
    def test_lookup_events(self):
        found = [e for page in self.pages(self.trail, "lookup_events", LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": world.INSTANCE}])
                 for e in page["Events"]]
        self.assertEqual(len(found), 60, "the one of 100 days ago is out of reach")
        times = [e["EventTime"] for e in found]
        self.assertEqual(times, sorted(times, reverse=True))
        self.assertIn("203.0.113.66", found[0]["CloudTrailEvent"])
        for key, value, count in (("EventName", "RunInstances", 60), ("AccessKeyId", "AKIALEAKED", 120), ("Username", "mallory", 120), ("EventName", "Nothing", 0)):
            pages = self.pages(self.trail, "lookup_events", LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}])
            self.assertEqual(sum(len(p["Events"]) for p in pages), count, (key, value))
        middle = found[30]["EventTime"]
        later = self.pages(self.trail, "lookup_events", StartTime=middle, LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": world.INSTANCE}])
        self.assertEqual(sum(len(p["Events"]) for p in later), 31)

    def test_lookup_refusals(self):
        two = [{"AttributeKey": "EventName", "AttributeValue": "a"}, {"AttributeKey": "Username", "AttributeValue": "b"}]
        self.refused("InvalidLookupAttributesException", self.trail.lookup_events, LookupAttributes=two)
        self.refused("InvalidMaxResultsException", self.lab.client("cloudtrail", parameter_validation=False).lookup_events, MaxResults=51)
        self.refused("InvalidNextTokenException", self.trail.lookup_events, NextToken="Zm9v")

    def test_trails(self):
        self.assertEqual(self.trail.describe_trails()["trailList"][0]["Name"], "main")
        self.assertTrue(self.trail.get_trail_status(Name="main")["IsLogging"])
        self.assertIn("TrailARN", self.trail.get_event_selectors(TrailName="main"))
        self.refused("TrailNotFoundException", self.trail.get_trail_status, Name="other")

    def test_sts(self):
        self.assertEqual(self.sts.get_caller_identity()["Arn"], f"arn:aws:iam::{world.ACCOUNT}:user/responder")
        role = f"arn:aws:iam::{world.ACCOUNT}:role/forensics"
        assumed = self.sts.assume_role(RoleArn=role, RoleSessionName="case-1", DurationSeconds=900)
        session = self.session_key(assumed)
        self.assertEqual(self.lab.client("sts", session).get_caller_identity()["Arn"], f"arn:aws:sts::{world.ACCOUNT}:assumed-role/forensics/case-1")
        ec2 = self.lab.client("ec2", session)
        ec2.describe_regions()
        error = self.refused("UnauthorizedOperation", ec2.describe_volumes)
        self.assertIn("ec2:DescribeVolumes", error["Error"]["Message"])
        none = json.dumps({"Statement": {"Effect": "Allow", "Action": "sts:*", "Resource": "*"}})
        narrowed = self.session_key(self.sts.assume_role(RoleArn=role, RoleSessionName="case-1", Policy=none))
        self.refused("UnauthorizedOperation", self.lab.client("ec2", narrowed).describe_regions)
        self.refused("AccessDenied", self.sts.assume_role, RoleArn=role.replace("forensics", "closed"), RoleSessionName="case-1")
        self.lab.client("sts", self.session_key(self.sts.get_session_token())).get_caller_identity()

    def test_web_identity(self):
        sts = boto3.client("sts", endpoint_url=self.lab.url, region_name=world.REGION, config=botocore.config.Config(signature_version=botocore.UNSIGNED))
        role = f"arn:aws:iam::{world.ACCOUNT}:role/forensics"
        session = self.session_key(sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="web", WebIdentityToken="lab-web-identity-token"))
        self.lab.client("sts", session).get_caller_identity()
        self.refused("InvalidIdentityToken", sts.assume_role_with_web_identity, RoleArn=role, RoleSessionName="web", WebIdentityToken="another")

    @staticmethod
    def session_key(reply):
        c = reply["Credentials"]
        return c["AccessKeyId"], c["SecretAccessKey"], c["SessionToken"]

    def test_iam(self):
        self.assertEqual(self.iam.get_instance_profile(InstanceProfileName="web")["InstanceProfile"]["InstanceProfileName"], "web")
        self.assertEqual(self.iam.get_role(RoleName="forensics")["Role"]["RoleName"], "forensics")
        self.assertEqual(self.iam.list_attached_role_policies(RoleName="forensics")["AttachedPolicies"][0]["PolicyName"], "ReadOnly")
        self.assertEqual(self.iam.list_role_policies(RoleName="forensics")["PolicyNames"], [])
        self.refused("NoSuchEntity", self.iam.get_role, RoleName="nobody")

    def test_a_role_for_an_instance_and_away_again(self):
        name, policy = "icecore-x", "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
        trust = json.dumps({"Version": "2012-10-17", "Statement": []})
        made = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, Tags=[{"Key": "icecore:case", "Value": "case-x"}])["Role"]
        self.assertEqual(self.iam.get_role(RoleName=name)["Role"]["Tags"], [{"Key": "icecore:case", "Value": "case-x"}])
        self.refused("EntityAlreadyExists", self.iam.create_role, RoleName=name, AssumeRolePolicyDocument=trust)
        self.iam.attach_role_policy(RoleName=name, PolicyArn=policy)
        self.iam.create_instance_profile(InstanceProfileName=name)
        self.refused("InvalidParameterValue", self.ec2.run_instances, ImageId=world.AMI, InstanceType="t3.medium", MinCount=1, MaxCount=1, IamInstanceProfile={"Name": "nobody"})
        self.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
        self.refused("LimitExceeded", self.iam.add_role_to_instance_profile, InstanceProfileName=name, RoleName=name)
        self.assertEqual(self.iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Roles"][0]["Arn"], made["Arn"])
        self.refused("DeleteConflict", self.iam.delete_role, RoleName=name)
        self.refused("DeleteConflict", self.iam.delete_instance_profile, InstanceProfileName=name)
        self.iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=name)
        self.iam.delete_instance_profile(InstanceProfileName=name)
        self.refused("DeleteConflict", self.iam.delete_role, RoleName=name)
        self.iam.detach_role_policy(RoleName=name, PolicyArn=policy)
        self.refused("NoSuchEntity", self.iam.detach_role_policy, RoleName=name, PolicyArn=policy)
        self.iam.delete_role(RoleName=name)
        self.refused("NoSuchEntity", self.iam.get_role, RoleName=name)

    def test_systems_manager(self):
        ssm = self.lab.client("ssm")
        self.assertEqual(ssm.get_parameter(Name="/aws/service/debian/release/12/latest/amd64")["Parameter"]["Value"], world.AMI)
        self.refused("ParameterNotFound", ssm.get_parameter, Name="/mine")
        profile = {"Arn": f"arn:aws:iam::{world.ACCOUNT}:instance-profile/web"}
        instance = self.ec2.run_instances(ImageId=world.AMI, InstanceType="t3.medium", MinCount=1, MaxCount=1, IamInstanceProfile=profile)["Instances"][0]["InstanceId"]
        script = {"InstanceIds": [instance], "DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["true"]}}
        self.refused("InvalidInstanceId", ssm.send_command, **{**script, "InstanceIds": [world.INSTANCE]})
        self.refused("InvalidDocument", ssm.send_command, **{**script, "DocumentName": "AWS-RunPowerShellScript"})
        filters = [{"Key": "InstanceIds", "Values": [instance]}]
        self.wait_for(lambda: ssm.describe_instance_information(Filters=filters)["InstanceInformationList"])
        command = ssm.send_command(**script)["Command"]["CommandId"]
        self.refused("InvocationDoesNotExist", ssm.get_command_invocation, CommandId="00000000-0000-4000-8000-000000000000", InstanceId=instance)
        done = ssm.get_command_invocation(CommandId=command, InstanceId=instance)
        self.assertEqual((done["Status"], done["ResponseCode"]), ("Failed", 1))
        self.assertIn("record only", done["StandardErrorContent"])
        self.ec2.terminate_instances(InstanceIds=[instance])

    def test_keys(self):
        kms = self.lab.client("kms")
        made = kms.create_key(Description="of a case", Tags=[{"TagKey": "icecore:case", "TagValue": "case-x"}])["KeyMetadata"]
        kms.create_alias(AliasName="alias/icecore-x", TargetKeyId=made["KeyId"])
        self.refused("AlreadyExistsException", kms.create_alias, AliasName="alias/icecore-x", TargetKeyId=made["KeyId"])
        self.assertEqual(kms.describe_key(KeyId="alias/icecore-x")["KeyMetadata"]["Arn"], made["Arn"])
        self.assertEqual(kms.describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]["KeyManager"], "AWS")
        self.refused("NotFoundException", kms.describe_key, KeyId="alias/nothing")
        self.assertIn(made["KeyId"], [key["KeyId"] for key in kms.list_keys()["Keys"]])


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


@unittest.skipUnless(os.path.exists(CLI), "no AWS CLI")
class CommandLine(Case):
    def ok(self, *words):
        done = self.lab.cli(*words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() else None

    def test_a_responders_evening(self):
        self.assertEqual(self.ok("sts", "get-caller-identity")["Account"], world.ACCOUNT)
        found = self.ok("ec2", "describe-instances")
        self.assertEqual(len(found["Reservations"]), 9)
        self.ok("ec2", "get-console-output", "--instance-id", world.INSTANCE, "--latest")
        made = self.ok("ec2", "create-snapshots", "--instance-specification", f"InstanceId={world.INSTANCE}",
                       "--tag-specifications", "ResourceType=snapshot,Tags=[{Key=a,Value=b c}]")["Snapshots"]
        self.wait_for(lambda: all(s["State"] == "completed" for s in self.lab.control("GET", "state")[world.REGION]["snapshots"]))
        page = self.ok("ebs", "list-snapshot-blocks", "--snapshot-id", made[0]["SnapshotId"])
        blocks = page["Blocks"]
        while "NextToken" in page:  # the CLI does not page this call itself
            page = self.ok("ebs", "list-snapshot-blocks", "--snapshot-id", made[0]["SnapshotId"], "--next-token", page["NextToken"])
            blocks += page["Blocks"]
        self.assertEqual([b["BlockIndex"] for b in blocks], sorted(world.ROOT_BLOCKS))
        with tempfile.TemporaryDirectory() as folder:
            self.ok("ebs", "get-snapshot-block", "--snapshot-id", made[0]["SnapshotId"], "--block-index", "5", "--block-token", blocks[2]["BlockToken"], folder + "/block")
            with open(folder + "/block", "rb") as file:
                self.assertEqual(file.read(), world.ROOT_BLOCKS[5] * world.BLOCK)
        self.assertEqual(len(self.ok("cloudtrail", "lookup-events")["Events"]), 120)
        self.ok("ec2", "describe-snapshots", "--owner-ids", "self")
        self.ok("ec2", "delete-snapshot", "--snapshot-id", made[1]["SnapshotId"])

    def test_errors_reach_the_terminal(self):
        done = self.lab.cli("ec2", "describe-instances", "--instance-ids", "i-0123456789abcdef0")
        self.assertEqual(done.returncode, 254)
        self.assertIn("(InvalidInstanceID.NotFound) when calling the DescribeInstances operation", done.stderr)


class Program(unittest.TestCase):
    def run_lab(self, *flags):
        with tempfile.TemporaryDirectory() as folder:
            world.build(folder)
            return subprocess.run([LAB, "--world", folder, *flags], capture_output=True, text=True, timeout=20, check=False)

    def test_loopback_only(self):
        done = self.run_lab("--listen", "0.0.0.0:0")
        self.assertEqual(done.returncode, 1)
        self.assertIn("loopback", done.stderr)

    def test_help_and_mistakes(self):
        done = subprocess.run([LAB, "--help"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0)
        self.assertIn("--endpoint-url", done.stdout)
        self.assertNotEqual(self.run_lab("--colour").returncode, 0)
        self.assertNotEqual(self.run_lab("--fault-script", '{"action": 1}').returncode, 0)

    def test_stops_cleanly_with_open_connections(self):
        lab = Lab()
        client = lab.client("ec2")
        client.describe_regions()
        start = time.time()
        lab.process.terminate()
        self.assertEqual(lab.process.wait(10), 0)
        self.assertLess(time.time() - start, 5)
        lab.__exit__()

    def test_raw_garbage(self):
        with Lab() as lab:
            for data in (b"\0" * 5000, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20_000, b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b"\r\n\r\n", b"GET"):
                with socket.create_connection(("127.0.0.1", lab.port)) as connection:
                    try:
                        connection.sendall(data)
                        connection.shutdown(socket.SHUT_WR)
                        while connection.recv(65536):
                            pass
                    except OSError:
                        pass  # the lab may hang up at once
            lab.client("ec2").describe_regions()


class Validator(unittest.TestCase):
    """validate.py itself: it would be worth nothing if it passed everything."""

    def complaints(self, spoil):
        with Lab() as lab:
            lab.client("ec2").describe_volumes()
            with open(lab.record, encoding="utf-8") as file:
                line = json.loads(file.readline())
            spoil(line)
            path = os.path.join(lab.folder.name, "spoiled.jsonl")
            with open(path, "w", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            out = io.StringIO()
            count = validate.validate([path], out)[0]
            return count, out.getvalue()

    def test_a_good_exchange_passes(self):
        self.assertEqual(self.complaints(lambda line: None)[0], 0)

    def test_faults_are_found(self):
        def in_reply(old, new):
            return lambda line: line["reply"].update(body=line["reply"]["body"].replace(old, new))
        spoils = {
            "no such member of Volume": in_reply("volumeType>", "volumeTipe>"),
            "is not one of": in_reply("gp3", "gp33"),
            "list item <member>": in_reply("<volumeSet><item>", "<volumeSet><member></member><item>"),
            "invalid literal": in_reply("<size>1", "<size>one"),
            "no such member of DescribeVolumesRequest": lambda line: line["request"].update(body=line["request"]["body"] + "&Colour=1"),
            "is no integer": lambda line: line["request"].update(body=line["request"]["body"] + "&MaxResults=x"),
            "Version is": lambda line: line["request"].update(body=line["request"]["body"].replace("2016-11-15", "2010-01-01")),
            "without date": lambda line: line["reply"].update(headers=[h for h in line["reply"]["headers"] if h[0] != "Date"]),
        }
        for wanted, spoil in spoils.items():
            with self.subTest(wanted):
                count, text = self.complaints(spoil)
                self.assertGreater(count, 0)
                self.assertIn(wanted, text)


def operations_of_the_lab():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lab/model/services.json")
    with open(path, encoding="utf-8") as file:
        models = json.load(file)
    return {f"{service}:{name}" for service, model in models.items() for name in model["ops"]} | {"ebs:GetSnapshotBlock", "ebs:PutSnapshotBlock"}


class ZEverything(unittest.TestCase):
    """Runs last: was there a call that no test made?"""

    def test_every_call_was_made(self):
        if not set(SEEN) or len(sys.argv) > 1:
            self.skipTest("only a part of the tests was run")
        self.assertEqual(operations_of_the_lab() - set(SEEN), set())


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    LAB = os.path.abspath(sys.argv.pop(1))
    unittest.main()
