"""What a forensics instance needs: launch, volumes in its zone, security groups, tags, key pairs, and all of it taken down."""
import base64
import json
import unittest

import small_world as world
from lab_case import Case


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
        six = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/64", "Description": "d"}]}]
        self.assertEqual(self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=six)["SecurityGroupRules"][0]["CidrIpv6"], "2001:db8::/64")
        self.refused("InvalidPermission.Duplicate", self.ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=six)
        for cidr in ("2001:db8::", "2001:db8::/129", "192.0.2.0/24", "x::/8"):
            six[0]["Ipv6Ranges"][0]["CidrIpv6"] = cidr
            self.refused("InvalidParameterValue", self.ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=six)
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


if __name__ == "__main__":
    unittest.main()
