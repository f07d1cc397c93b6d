"""What there is, page by page: instances, volumes and the rest of EC2's Describe calls."""
import base64
import unittest

import small_world as world
from lab_case import Case


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


if __name__ == "__main__":
    unittest.main()
