"""A small account for the lab's tests: two sparse disks of a few MB, one instance, its surroundings."""
import datetime
import json
import os

BLOCK = 512 * 1024
ACCOUNT = "111122223333"
REGION = "us-west-2"
KEY = ("AKIALABRESPONDER0001", "lab/secret+responder/0000000000000000001")
LIMITED_KEY = ("AKIALABLIMITED000001", "lab/secret+limited/00000000000000000001")
SESSION_KEY = ("ASIALABSESSION000001", "lab/secret+session/00000000000000000001", "bGFiLXNlc3Npb24tdG9rZW4=")
EXPIRED_KEY = ("ASIALABEXPIRED000001", "lab/secret+expired/00000000000000000001", "ZXhwaXJlZC1zZXNzaW9uLXRva2Vu")

INSTANCE = "i-05203422c5203422c"
XEN_INSTANCE = "i-0e50000000000000e"
ROOT_VOLUME = "vol-0a5203422c0000001"
DATA_VOLUME = "vol-0a5203422c0000002"
AMI = "ami-0aaaaaaaaaaaaaaa1"
AMI_SNAPSHOT = "snap-0aaaaaaaaaaaaaaa1"
SHARED_SNAPSHOT = "snap-0bbbbbbbbbbbbbbb1"
PUBLIC_SNAPSHOT = "snap-0ccd3e9c6ccd3e9c6"
STRANGE_SNAPSHOT = "snap-0ddddddddddddddd1"
ARCHIVED_SNAPSHOT = "snap-0eeeeeeeeeeeeeee1"
GROUP = "sg-0123456789abcdef0"
SUBNET_A, SUBNET_B = "subnet-0123456789abcdef0", "subnet-0123456789abcdef1"
VPC = "vpc-0123456789abcdef0"
ENI = "eni-0123456789abcdef0"
TEMPLATE = "lt-0123456789abcdef0"

# Block index → what it is filled with. Block 3 of the root disk is data to the file system but zeros to EBS.
ROOT_BLOCKS = {0: b"R", 1: b"S", 5: b"T", 9: b"U"}
DATA_BLOCKS = {0: b"D", 2: b"E"}
BASE_BLOCKS = {0: b"R", 1: b"s", 7: b"V"}

# IAM: nothing but looking, with one thing forbidden and one snapshot call that must carry a tag.
LIMITED_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["ec2:Describe*", "cloudtrail:LookupEvents"], "Resource": "*"},
        {"Effect": "Deny", "Action": "ec2:DescribeKeyPairs", "Resource": "*"},
        {"Effect": "Allow", "Action": "ec2:CreateSnapshots", "Resource": ["arn:aws:ec2:*:*:instance/*", "arn:aws:ec2:*:*:volume/*"]},
        {"Effect": "Allow", "Action": "ec2:CreateSnapshots", "Resource": "arn:aws:ec2:*::snapshot/*",
         "Condition": {"StringEquals": {"aws:RequestTag/icecore:case": "C-1"}}},
        {"Effect": "Allow", "Action": "ec2:CreateTags", "Resource": "arn:aws:ec2:*::snapshot/*",
         "Condition": {"StringEquals": {"ec2:CreateAction": "CreateSnapshots"}}},
    ],
}


def iso(hours_ago):
    now = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=hours_ago)
    return now.strftime("%Y-%m-%dT%H:%M:%S.000000Z")


def write_disk(path, blocks, size_blocks=2048, extra_zero_block=None):
    with open(path, "wb") as disk:
        disk.truncate(size_blocks * BLOCK)
        for index, fill in blocks.items():
            disk.seek(index * BLOCK)
            disk.write(fill * BLOCK)
        if extra_zero_block is not None:
            disk.seek(extra_zero_block * BLOCK)
            disk.write(b"\0" * BLOCK)


def event(number, name, key, user, hours_ago, resources=()):
    when = iso(hours_ago)
    record = {"eventVersion": "1.08", "eventName": name, "eventTime": when, "awsRegion": REGION, "eventSource": "ec2.amazonaws.com",
              "sourceIPAddress": "203.0.113.66", "eventID": f"00000000-0000-4000-8000-{number:012d}"}
    return {"EventId": record["eventID"], "EventName": name, "EventTime": when, "EventSource": "ec2.amazonaws.com", "ReadOnly": "false",
            "AccessKeyId": key, "Username": user, "Resources": [{"ResourceType": "AWS::EC2::Instance", "ResourceName": r} for r in resources],
            "CloudTrailEvent": json.dumps(record)}


def principal(name, key, policies=None, kind="user"):
    keys = {"AccessKeyId": key[0], "SecretAccessKey": key[1]}
    if len(key) > 2:
        keys["SessionToken"] = key[2]
    if key is EXPIRED_KEY:
        keys["Expiration"] = iso(1)
    arn = f"arn:aws:iam::{ACCOUNT}:user/{name}" if kind == "user" else f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/test"
    out = {"Arn": arn, "UserId": "AIDA" + name.upper(), "Account": ACCOUNT, "Type": kind, "_access_keys": [keys]}
    if policies is not None:
        out["_policies"] = policies
    return out


def mapping(device, volume):
    return {"DeviceName": device, "Ebs": {"VolumeId": volume, "Status": "attached", "AttachTime": iso(300), "DeleteOnTermination": device == "/dev/xvda"}}


def instance(identifier, type_name, mappings, state="running", code=16):
    return {"InstanceId": identifier, "ImageId": AMI, "InstanceType": type_name, "State": {"Code": code, "Name": state}, "LaunchTime": iso(300),
            "Placement": {"AvailabilityZone": REGION + "b", "Tenancy": "default", "GroupName": ""}, "SubnetId": SUBNET_B, "VpcId": VPC,
            "KeyName": "launch", "Architecture": "x86_64", "RootDeviceName": "/dev/xvda", "RootDeviceType": "ebs", "VirtualizationType": "hvm",
            "Hypervisor": "xen", "PrivateIpAddress": "172.31.16.5", "BlockDeviceMappings": mappings,
            "SecurityGroups": [{"GroupId": GROUP, "GroupName": "web"}], "Tags": [{"Key": "Name", "Value": "web & <db>"}],
            "NetworkInterfaces": [{"NetworkInterfaceId": ENI, "SubnetId": SUBNET_B, "VpcId": VPC, "Status": "in-use", "PrivateIpAddress": "172.31.16.5",
                                   "Groups": [{"GroupId": GROUP, "GroupName": "web"}]}],
            "_user_data": "IyEvYmluL3NoCmVjaG8gaGkK", "_console_output": "console.txt", "_console_screenshot": "console.jpg",
            "_attributes": {"disableApiTermination": False}}


def volume(identifier, size, snapshot, image, instance_id, device):
    return {"VolumeId": identifier, "Size": size, "SnapshotId": snapshot, "AvailabilityZone": REGION + "b", "State": "in-use", "CreateTime": iso(300),
            "VolumeType": "gp3", "Iops": 3000, "Throughput": 125, "Encrypted": False, "MultiAttachEnabled": False,
            "Attachments": [{"VolumeId": identifier, "InstanceId": instance_id, "Device": device, "State": "attached", "AttachTime": iso(300),
                             "DeleteOnTermination": device == "/dev/xvda"}],
            "Tags": [{"Key": "from", "Value": "volume"}], "_image": image}


def snapshot(identifier, owner=ACCOUNT, **more):
    return {"SnapshotId": identifier, "VolumeId": "vol-0fffffffffffffff1", "VolumeSize": 1, "OwnerId": owner, "StartTime": iso(2000), "State": "completed",
            "Progress": "100%", "Description": "base", "Encrypted": False, "StorageTier": "standard", "_image": "base.raw", **more}


def instance_type(name, hypervisor, zones):
    return {"InstanceType": name, "CurrentGeneration": True, "Hypervisor": hypervisor, "ProcessorInfo": {"SupportedArchitectures": ["x86_64"]},
            "VCpuInfo": {"DefaultVCpus": 2}, "MemoryInfo": {"SizeInMiB": 4096}, "_zones": zones, "_price_hour": 0.0832}


def subnet(identifier, zone, cidr):
    return {"SubnetId": identifier, "VpcId": VPC, "AvailabilityZone": REGION + zone, "CidrBlock": cidr, "DefaultForAz": True, "State": "available",
            "AvailableIpAddressCount": 4091, "MapPublicIpOnLaunch": True, "OwnerId": ACCOUNT}


def template():
    version = {"LaunchTemplateId": TEMPLATE, "LaunchTemplateName": "web", "VersionNumber": 1, "CreateTime": iso(400), "DefaultVersion": True,
               "LaunchTemplateData": {"ImageId": AMI, "InstanceType": "t3.medium"}}
    return {"LaunchTemplateId": TEMPLATE, "LaunchTemplateName": "web", "CreateTime": iso(400), "DefaultVersionNumber": 1, "LatestVersionNumber": 1,
            "_versions": [version]}


def network():
    group = {"GroupId": GROUP, "GroupName": "web", "Description": "web", "VpcId": VPC, "OwnerId": ACCOUNT,
             "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "all"}]}],
             "IpPermissionsEgress": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}
    interface = {"NetworkInterfaceId": ENI, "SubnetId": SUBNET_B, "VpcId": VPC, "AvailabilityZone": REGION + "b", "Status": "in-use", "OwnerId": ACCOUNT,
                 "PrivateIpAddress": "172.31.16.5", "Groups": [{"GroupId": GROUP, "GroupName": "web"}], "TagSet": [{"Key": "of", "Value": "web"}],
                 "Attachment": {"AttachmentId": "eni-attach-0123456789abcdef0", "InstanceId": INSTANCE, "DeviceIndex": 0, "Status": "attached",
                                "AttachTime": iso(300), "DeleteOnTermination": True}}
    return {
        "vpcs": [{"VpcId": VPC, "CidrBlock": "172.31.0.0/16", "IsDefault": True, "State": "available", "OwnerId": ACCOUNT}],
        "subnets": [subnet(SUBNET_A, "a", "172.31.0.0/20"), subnet(SUBNET_B, "b", "172.31.16.0/20")],
        "security_groups": [group],
        "network_interfaces": [interface],
        "addresses": [{"AllocationId": "eipalloc-0123456789abcdef0", "PublicIp": "198.51.100.7", "Domain": "vpc", "InstanceId": INSTANCE}],
        "flow_logs": [{"FlowLogId": "fl-0123456789abcdef0", "ResourceId": VPC, "TrafficType": "ALL", "FlowLogStatus": "ACTIVE"}],
        "route_tables": [{"RouteTableId": "rtb-0123456789abcdef0", "VpcId": VPC, "Routes": [], "Associations": []}],
        "network_acls": [{"NetworkAclId": "acl-0123456789abcdef0", "VpcId": VPC, "IsDefault": True, "Entries": [], "Associations": []}],
    }


def identities():
    role = f"arn:aws:iam::{ACCOUNT}:role/forensics"
    return {
        "principals": [principal("responder", KEY), principal("limited", LIMITED_KEY, [LIMITED_POLICY]),
                       principal("session", SESSION_KEY, kind="assumed-role"), principal("expired", EXPIRED_KEY, kind="assumed-role")],
        "roles": [{"Arn": role, "RoleId": "AROALABFORENSICS0001", "_trusts": [f"arn:aws:iam::{ACCOUNT}:user/responder"],
                   "_policies": [{"Statement": {"Effect": "Allow", "Action": "ec2:DescribeRegions", "Resource": "*"}}],
                   "_web_identity_token": "lab-web-identity-token",
                   "_attached_policies": [{"PolicyName": "ReadOnly", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]},
                  {"Arn": f"arn:aws:iam::{ACCOUNT}:role/closed", "_trusts": []}],
        "instance_profiles": [{"Path": "/", "InstanceProfileName": "web", "InstanceProfileId": "AIPALABWEB0000000001",
                               "Arn": f"arn:aws:iam::{ACCOUNT}:instance-profile/web", "CreateDate": iso(5000), "Roles": []}],
    }


def build(directory):
    write_disk(os.path.join(directory, "root.raw"), ROOT_BLOCKS, extra_zero_block=3)
    write_disk(os.path.join(directory, "data.raw"), DATA_BLOCKS)
    write_disk(os.path.join(directory, "base.raw"), BASE_BLOCKS)
    with open(os.path.join(directory, "console.txt"), "wb") as console:
        console.write(b"x" * 70_000 + b"login: ")
    with open(os.path.join(directory, "console.jpg"), "wb") as screenshot:
        screenshot.write(b"\xff\xd8\xff\xe0JFIF")
    world = {
        "format": "icecore-lab-world/1", "now": iso(0), "region": REGION, "account": ACCOUNT,
        "zones": [{"ZoneName": REGION + "a", "ZoneId": "usw2-az1"}, {"ZoneName": REGION + "b", "ZoneId": "usw2-az2"}],
        **identities(), **network(),
        "key_pairs": [{"KeyPairId": "key-0123456789abcdef0", "KeyName": "launch", "KeyType": "ed25519", "KeyFingerprint": "AAAA", "CreateTime": iso(5000)}],
        "images": [{"ImageId": AMI, "Name": "debian-12", "OwnerId": ACCOUNT, "State": "available", "Architecture": "x86_64", "RootDeviceName": "/dev/xvda",
                    "RootDeviceType": "ebs", "VirtualizationType": "hvm", "Public": False, "CreationDate": iso(2000),
                    "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": AMI_SNAPSHOT, "VolumeSize": 1, "DeleteOnTermination": True}}]}],
        "launch_templates": [template()],
        "iam_instance_profile_associations": [{"AssociationId": "iip-assoc-0123456789abcdef0", "InstanceId": INSTANCE, "State": "associated",
                                               "IamInstanceProfile": {"Arn": f"arn:aws:iam::{ACCOUNT}:instance-profile/web", "Id": "AIPALABWEB0000000001"}}],
        "instances": [instance(INSTANCE, "t3.medium", [mapping("/dev/xvda", ROOT_VOLUME), mapping("/dev/sdf", DATA_VOLUME)]),
                      {**instance(XEN_INSTANCE, "t2.micro", []), "NetworkInterfaces": [], "RootDeviceType": "instance-store"}]
                     + [{**instance(f"i-0f{n:015x}", "t3.medium", []), "NetworkInterfaces": []} for n in range(7)],
        "instance_types": [instance_type("t3.medium", "nitro", [REGION + "a", REGION + "b"]), instance_type("t2.micro", "xen", [REGION + "a"])],
        "volumes": [volume(ROOT_VOLUME, 1, AMI_SNAPSHOT, "root.raw", INSTANCE, "/dev/xvda"),
                    volume(DATA_VOLUME, 1, "", "data.raw", INSTANCE, "/dev/sdf")],
        "snapshots": [snapshot(AMI_SNAPSHOT), snapshot(SHARED_SNAPSHOT, "444455556666", _accounts=[ACCOUNT]),
                      snapshot(PUBLIC_SNAPSHOT, "444455556666", _public=True), snapshot(STRANGE_SNAPSHOT, "444455556666"),
                      snapshot(ARCHIVED_SNAPSHOT, StorageTier="archive")],
        "buckets": [{"Name": "evidence-locked", "_object_lock": True}, {"Name": "evidence-open"},
                    {"Name": "evidence-abroad", "_object_lock": True, "_region": "eu-west-1"},
                    {"Name": "evidence-default", "_object_lock": True, "_default_retention": {"Mode": "GOVERNANCE", "Days": 3}}],
        "trails": [{"Name": "main", "S3BucketName": "logs", "TrailARN": f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/main", "HomeRegion": REGION,
                    "IsMultiRegionTrail": True, "_status": {"IsLogging": True}}],
        "cloudtrail_events": [event(n, "RunInstances" if n % 2 else "DescribeInstances", "AKIALEAKED", "mallory", 1 + n, [INSTANCE] if n < 60 else [])
                              for n in range(120)] + [event(999, "RunInstances", "AKIALEAKED", "mallory", 24 * 100, [INSTANCE])],
    }
    with open(os.path.join(directory, "world.json"), "w", encoding="utf-8") as file:
        json.dump(world, file, indent=1)
    return world


if __name__ == "__main__":
    import sys
    os.makedirs(sys.argv[1], exist_ok=True)
    build(sys.argv[1])
