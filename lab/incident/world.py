"""world.json: the account around the images, in the shapes of botocore's models (docs/lab-world.md)."""
import base64

from . import cloud, fleet as fl, keys, story as s

VPC, SUBNETS = "vpc-0a5203422c0000001", {"us-west-2a": "subnet-0a5203422c000000a", "us-west-2b": "subnet-0a5203422c000000b", "us-west-2c": "subnet-0a5203422c000000c"}
SG_SSH, SG_WEB, SG_DEFAULT = "sg-0a5203422c0005e01", "sg-0a5203422c0005e02", "sg-0a5203422c0005e00"
TEMPLATE = "lt-0a5203422c0000001"
PROFILE = f"arn:aws:iam::{s.ACCOUNT}:instance-profile/shop-web"
FOREIGN = "444455556666"
PUBLIC_SNAPSHOT = "snap-0ccd3e9c6da7a0000"
DEBIAN = "136693071363"  # the account that publishes Debian's images
BASELINE_FILE, ROOT_FILE, DATA_FILE = "baseline.raw", "root.raw", "data.raw"


def tags(**pairs):
    return [{"Key": k, "Value": v} for k, v in pairs.items()]


def launched(story):
    """The attacker's instances: three of the nine launches were granted."""
    return [f"i-0bad{story.hex(f'bulk/{n}', 13)}" for n in range(3)]


def principals(story):
    secret = lambda name: base64.b64encode(story.bytes("secret/" + name, 30)).decode()
    user = lambda name: {"Arn": f"arn:aws:iam::{s.ACCOUNT}:user/{name}", "UserId": "AIDA" + story.hex("principal/" + name, 17).upper(), "Account": s.ACCOUNT, "Type": "user"}
    deny = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
    session = {"AccessKeyId": "ASIAICECORELABEXPIRE", "SecretAccessKey": secret("expired"), "SessionToken": base64.b64encode(story.bytes("token", 60)).decode(),
               "Expiration": s.iso(story.t0 - 3600)}
    # The responder's keys are fixed, so that they can be written into a tutorial.
    return [
        user("responder") | {"_access_keys": [{"AccessKeyId": "AKIAICECORELAB000001", "SecretAccessKey": "icecore/lab/practice/secret/key+00000001"}]},
        user("readonly-nobody") | {"_access_keys": [{"AccessKeyId": "AKIAICECORELAB000002", "SecretAccessKey": "icecore/lab/practice/secret/key+00000002"}], "_policies": [deny]},
        {"Arn": f"arn:aws:sts::{s.ACCOUNT}:assumed-role/icecore-responder/expired", "UserId": "AROA" + story.hex("role", 17).upper() + ":expired", "Account": s.ACCOUNT,
         "Type": "assumed-role", "_access_keys": [session]},
    ]


def roles(story):
    role = lambda name, policies: {"Arn": f"arn:aws:iam::{s.ACCOUNT}:role/{name}", "RoleId": "AROA" + story.hex("role/" + name, 17).upper(),
                                   "_trusts": [f"arn:aws:iam::{s.ACCOUNT}:user/responder"], **policies}
    read = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["ec2:Describe*", "ec2:GetConsole*", "cloudtrail:LookupEvents", "ebs:ListSnapshotBlocks", "ebs:GetSnapshotBlock",
                                                                                "ebs:ListChangedBlocks", "sts:GetCallerIdentity"], "Resource": "*"}]}
    return [role("icecore-responder", {}), role("icecore-reader", {"_policies": [read]})]


def _group(group, name, text, ports):
    return {"GroupId": group, "GroupName": name, "Description": text, "OwnerId": s.ACCOUNT, "VpcId": VPC,
            "IpPermissions": [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": c} for c in cidrs], "Ipv6Ranges": [], "PrefixListIds": [], "UserIdGroupPairs": []} for port, cidrs in ports],
            "IpPermissionsEgress": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}], "Ipv6Ranges": [], "PrefixListIds": [], "UserIdGroupPairs": []}], "Tags": tags(Name=name)}


def interface_id(instance):
    return "eni-" + instance[2:]


def _interface(story, instance, address, when):
    return {"NetworkInterfaceId": interface_id(instance), "SubnetId": SUBNETS[s.ZONE], "VpcId": VPC, "AvailabilityZone": s.ZONE, "OwnerId": s.ACCOUNT, "Status": "in-use",
            "Description": "", "InterfaceType": "interface", "MacAddress": "06:" + ":".join(f"{b:02x}" for b in story.bytes("mac/" + instance, 5)), "PrivateIpAddress": address,
            "PrivateDnsName": f"ip-{address.replace('.', '-')}.us-west-2.compute.internal", "RequesterManaged": False, "SourceDestCheck": True,
            "Groups": [{"GroupId": SG_SSH, "GroupName": "shop-ssh"}, {"GroupId": SG_WEB, "GroupName": "shop-web"}],
            "PrivateIpAddresses": [{"Primary": True, "PrivateIpAddress": address}], "Ipv6Addresses": [], "TagSet": tags(Name="shop-web"),
            "Attachment": {"AttachmentId": "eni-attach-" + instance[2:], "InstanceId": instance, "InstanceOwnerId": s.ACCOUNT, "DeviceIndex": 0, "DeleteOnTermination": True, "Status": "attached", "AttachTime": s.iso(when), "NetworkCardIndex": 0}}


def _instance(story, instance, address, name, volumes, when, console, evil=False):
    host = f"ip-{address.replace('.', '-')}.us-west-2.compute.internal"
    eni = _interface(story, instance, address, when)
    attached = {k: eni[k] for k in ("NetworkInterfaceId", "SubnetId", "VpcId", "OwnerId", "Status", "Description", "InterfaceType", "MacAddress", "PrivateIpAddress", "PrivateDnsName",
                                    "SourceDestCheck", "Groups", "PrivateIpAddresses", "Ipv6Addresses")}
    attached["Attachment"] = {k: v for k, v in eni["Attachment"].items() if k not in ("InstanceId", "InstanceOwnerId")}
    return {"InstanceId": instance, "ImageId": s.GOLDEN_AMI, "InstanceType": "t3.large", "KeyName": "web-prod-2024", "LaunchTime": s.iso(when), "AmiLaunchIndex": 0,
            "State": {"Code": 16, "Name": "running"}, "StateTransitionReason": "", "Placement": {"AvailabilityZone": s.ZONE, "GroupName": "", "Tenancy": "default"},
            "Monitoring": {"State": "disabled"}, "Architecture": "x86_64", "VirtualizationType": "hvm", "Hypervisor": "xen", "EnaSupport": True, "EbsOptimized": True,
            "RootDeviceName": "/dev/xvda", "RootDeviceType": "ebs", "PrivateDnsName": host, "PrivateIpAddress": address, "PublicDnsName": "", "SubnetId": SUBNETS[s.ZONE], "VpcId": VPC,
            "SecurityGroups": eni["Groups"], "SourceDestCheck": True, "ClientToken": story.uuid("token/" + instance), "IamInstanceProfile": {"Arn": PROFILE, "Id": "AIPA" + story.hex("profile", 17).upper()},
            "BlockDeviceMappings": [{"DeviceName": device, "Ebs": {"VolumeId": volume, "Status": "attached", "AttachTime": s.iso(when), "DeleteOnTermination": device == "/dev/xvda"}} for device, volume in volumes],
            "NetworkInterfaces": [attached], "CpuOptions": {"CoreCount": 1, "ThreadsPerCore": 2}, "MetadataOptions": {"State": "applied", "HttpTokens": "optional", "HttpPutResponseHopLimit": 1, "HttpEndpoint": "enabled"},
            "PlatformDetails": "Linux/UNIX", "UsageOperation": "RunInstances", "BootMode": "uefi-preferred", "CurrentInstanceBootMode": "uefi",
            "Tags": tags(Name=name, Role="web", **{"aws:ec2launchtemplate:id": TEMPLATE, "aws:ec2launchtemplate:version": "3"}),
            "_user_data": cloud.user_data_base64(story, evil), "_console_output": console, "_console_screenshot": "console.jpg",
            "_attributes": {"disableApiTermination": False, "instanceInitiatedShutdownBehavior": "stop", "ebsOptimized": True, "sourceDestCheck": True, "rootDeviceName": "/dev/xvda", "instanceType": "t3.large"}}


def _volume(volume, size, snapshot, instance, device, when, image, name, patches=None):
    out = {"VolumeId": volume, "Size": size, "SnapshotId": snapshot, "AvailabilityZone": s.ZONE, "State": "in-use", "CreateTime": s.iso(when), "VolumeType": "gp3", "Iops": 3000, "Throughput": 125,
           "Encrypted": False, "MultiAttachEnabled": False, "Tags": tags(Name=name),
           "Attachments": [{"VolumeId": volume, "InstanceId": instance, "Device": device, "State": "attached", "AttachTime": s.iso(when), "DeleteOnTermination": device == "/dev/xvda"}], "_image": image}
    return out | ({"_patches": patches} if patches else {})


def _snapshot(snapshot, volume, size, when, owner, text, image, name, **more):
    return {"SnapshotId": snapshot, "VolumeId": volume, "VolumeSize": size, "StartTime": s.iso(when), "State": "completed", "Progress": "100%", "OwnerId": owner, "Description": text,
            "Encrypted": False, "StorageTier": "standard", "Tags": tags(Name=name), "_image": image, **more}


def _image(ami, name, when, owner, snapshot, size):
    return {"ImageId": ami, "Name": name, "CreationDate": s.iso(when), "OwnerId": owner, "State": "available", "Public": owner != s.ACCOUNT, "Architecture": "x86_64", "ImageType": "machine",
            "ImageLocation": f"{owner}/{name}", "PlatformDetails": "Linux/UNIX", "UsageOperation": "RunInstances", "VirtualizationType": "hvm", "Hypervisor": "xen", "EnaSupport": True, "SriovNetSupport": "simple",
            "RootDeviceName": "/dev/xvda", "RootDeviceType": "ebs", "BootMode": "uefi-preferred", "Description": name, "Tags": [],
            "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot, "VolumeSize": size, "VolumeType": "gp3", "DeleteOnTermination": True, "Encrypted": False}}]}


def _types():
    kind = lambda name, hypervisor, price, cpus, memory, arch="x86_64": {
        "InstanceType": name, "CurrentGeneration": True, "Hypervisor": hypervisor, "BareMetal": False, "BurstablePerformanceSupported": name.startswith("t"),
        "ProcessorInfo": {"SupportedArchitectures": [arch]}, "VCpuInfo": {"DefaultVCpus": cpus}, "MemoryInfo": {"SizeInMiB": memory}, "InstanceStorageSupported": False,
        "EbsInfo": {"EbsOptimizedSupport": "default", "EncryptionSupport": "supported", "NvmeSupport": "required" if hypervisor == "nitro" else "unsupported"},
        "_zones": ["us-west-2a", "us-west-2b", "us-west-2c"], "_price_hour": price}
    return [kind("t3.micro", "nitro", 0.0104, 2, 1024), kind("t3.medium", "nitro", 0.0416, 2, 4096), kind("t3.large", "nitro", 0.0832, 2, 8192), kind("m6i.large", "nitro", 0.096, 2, 8192),
            kind("c6i.large", "nitro", 0.085, 2, 4096), kind(cloud.BULK_TYPE, "nitro", 5.44, 128, 262144), kind("t4g.medium", "nitro", 0.0336, 2, 4096, "arm64"), kind("m4.large", "xen", 0.1, 2, 8192)]


def document(story, patches, built, base_time):
    """The whole world. `patches`: fleet.build's; `built`: when, in seconds."""
    k, members, bulk = keys.all_keys(story), fl.members(story), launched(story)
    events, ids = cloud.events(story, [m[0] for m in members], bulk)
    at = lambda minutes: int(story.at(minutes))
    start = at(s.LAUNCHED)
    main = _instance(story, s.INSTANCE, s.PRIVATE_IP, "shop-web-01", [("/dev/xvda", s.ROOT_VOLUME), ("/dev/sdf", s.DATA_VOLUME)], at(s.REBOOT_START), "console.txt", True)
    main["BlockDeviceMappings"][0]["Ebs"]["AttachTime"] = main["BlockDeviceMappings"][1]["Ebs"]["AttachTime"] = s.iso(start)
    instances, interfaces = [main], [_interface(story, s.INSTANCE, s.PRIVATE_IP, start)]
    volumes = [_volume(s.ROOT_VOLUME, 4, s.CLEAN_SNAPSHOT, s.INSTANCE, "/dev/xvda", start, ROOT_FILE, "shop-web-01 root"),
               _volume(s.DATA_VOLUME, 2, "", s.INSTANCE, "/dev/sdf", at(s.LAUNCHED + 3), DATA_FILE, "shop-web-01 data")]
    for n, (instance, _, address) in enumerate(members):
        volume = "vol-" + instance[2:]
        instances.append(_instance(story, instance, address, f"shop-web-{n + 2:02}", [("/dev/xvda", volume)], start, "console-fleet.txt"))
        interfaces.append(_interface(story, instance, address, start))
        volumes.append(_volume(volume, 4, s.CLEAN_SNAPSHOT, instance, "/dev/xvda", start, BASELINE_FILE, f"shop-web-{n + 2:02} root", patches[instance]))
    for n, instance in enumerate(bulk):  # the attacker's, ended by the administrator; EC2 shows them for an hour
        instances.append({"InstanceId": instance, "ImageId": s.BASE_AMI, "InstanceType": cloud.BULK_TYPE, "KeyName": "k1", "LaunchTime": s.iso(at(-230) + 12 * n), "AmiLaunchIndex": 0,
                          "State": {"Code": 48, "Name": "terminated"}, "StateTransitionReason": f"User initiated ({s.iso(at(-62))[:19].replace('T', ' ')} GMT)",
                          "StateReason": {"Code": "Client.UserInitiatedShutdown", "Message": "Client.UserInitiatedShutdown: User initiated shutdown"},
                          "Placement": {"AvailabilityZone": s.ZONE, "GroupName": "", "Tenancy": "default"}, "Architecture": "x86_64", "RootDeviceName": "/dev/xvda", "RootDeviceType": "ebs",
                          "BlockDeviceMappings": [], "NetworkInterfaces": [], "SecurityGroups": [], "Tags": [], "Monitoring": {"State": "disabled"}, "VirtualizationType": "hvm", "Hypervisor": "xen"})
    snapshots = [
        _snapshot(s.CLEAN_SNAPSHOT, "vol-0901de0901de0901d", 4, at(s.GOLDEN_IMAGED), s.ACCOUNT, f"Created by CreateImage({s.GOLDEN_INSTANCE}) for {s.GOLDEN_AMI}", BASELINE_FILE, "shop-web baseline"),
        # A snapshot that others share can be described, but its blocks can be read only after a copy.
        _snapshot(s.SHARED_SNAPSHOT, "vol-ffffffff", 4, at(-3), FOREIGN, "Hacked machine, for practice", ROOT_FILE, "practice", _accounts=[s.ACCOUNT], _public=False) | {"Tags": []},
        _snapshot(PUBLIC_SNAPSHOT, "vol-ffffffff", 2, at(-3), FOREIGN, "Hacked machine's data, for practice, public", DATA_FILE, "practice", _public=True) | {"Tags": []},
    ]
    zones = [{"ZoneName": z, "ZoneId": f"usw2-az{n}", "RegionName": s.REGION, "State": "available", "ZoneType": "availability-zone", "OptInStatus": "opt-in-not-required", "GroupName": s.REGION,
              "NetworkBorderGroup": s.REGION, "Messages": []} for n, z in enumerate(SUBNETS, 1)]
    data = {
        "format": "icecore-lab-world/1", "now": s.iso(built), "region": s.REGION, "zones": zones, "account": s.ACCOUNT, "principals": principals(story), "roles": roles(story),
        "vpcs": [{"VpcId": VPC, "CidrBlock": "10.0.0.0/16", "State": "available", "IsDefault": True, "OwnerId": s.ACCOUNT, "DhcpOptionsId": "dopt-0a5203422c0000001", "InstanceTenancy": "default", "Tags": []}],
        "subnets": [{"SubnetId": subnet, "VpcId": VPC, "AvailabilityZone": z, "AvailabilityZoneId": f"usw2-az{n}", "CidrBlock": f"10.0.{n}.0/24", "AvailableIpAddressCount": 240, "State": "available",
                     "DefaultForAz": True, "MapPublicIpOnLaunch": True, "OwnerId": s.ACCOUNT, "Tags": []} for n, (z, subnet) in enumerate(SUBNETS.items(), 1)],
        "security_groups": [_group(SG_DEFAULT, "default", "default VPC security group", []), _group(SG_SSH, "shop-ssh", "ssh from the office", [(22, [s.ADMIN_ADDRESS + "/32", "0.0.0.0/0"])]),
                            _group(SG_WEB, "shop-web", "the shop", [(80, ["0.0.0.0/0"]), (443, ["0.0.0.0/0"])])],
        "network_interfaces": interfaces,
        "key_pairs": [{"KeyPairId": s.KEY_PAIR_ID, "KeyName": "web-prod-2024", "KeyType": "ed25519", "KeyFingerprint": k["launch"].fingerprint()[7:] + "=", "PublicKey": k["launch"].public,
                       "CreateTime": s.iso(at(s.GOLDEN_BOOT - 30)), "Tags": []},
                      {"KeyPairId": s.BAD_KEY_PAIR_ID, "KeyName": "k1", "KeyType": "ed25519", "KeyFingerprint": k["mass"].fingerprint()[7:] + "=", "PublicKey": k["mass"].public,
                       "CreateTime": s.iso(at(-230.6)), "Tags": []}],
        "images": [_image(s.GOLDEN_AMI, "shop-web-baseline", at(s.GOLDEN_IMAGED), s.ACCOUNT, s.CLEAN_SNAPSHOT, 4), _image(s.BASE_AMI, "debian-12-amd64", base_time, DEBIAN, "snap-0de61a12c10d0001a", 4)],
        "launch_templates": [{"LaunchTemplateId": TEMPLATE, "LaunchTemplateName": "shop-web", "CreateTime": s.iso(at(s.GOLDEN_IMAGED + 30)), "CreatedBy": cloud.ADMIN_ARN, "DefaultVersionNumber": 3, "LatestVersionNumber": 3,
                              "Tags": [], "_versions": [{"LaunchTemplateId": TEMPLATE, "LaunchTemplateName": "shop-web", "VersionNumber": 3, "DefaultVersion": True, "CreateTime": s.iso(at(s.GOLDEN_IMAGED + 40)),
                                                         "CreatedBy": cloud.ADMIN_ARN, "LaunchTemplateData": {"ImageId": s.GOLDEN_AMI, "InstanceType": "t3.large", "KeyName": "web-prod-2024",
                                                                                                             "SecurityGroupIds": [SG_SSH, SG_WEB], "UserData": cloud.user_data_base64(story, False)}}]}],
        "iam_instance_profile_associations": [{"AssociationId": "iip-assoc-" + m[2:], "InstanceId": m, "IamInstanceProfile": {"Arn": PROFILE, "Id": "AIPA" + story.hex("profile", 17).upper()}, "State": "associated"}
                                              for m in [s.INSTANCE, *[x[0] for x in members]]],
        "instances": instances, "instance_types": _types(), "volumes": volumes, "snapshots": snapshots,
        "buckets": [{"Name": f"evidence-{s.ACCOUNT}", "CreationDate": s.iso(at(s.GOLDEN_BOOT - 20)), "_object_lock": True},
                    {"Name": f"scratch-{s.ACCOUNT}", "CreationDate": s.iso(at(s.GOLDEN_BOOT - 20))}],
        "trails": [{"Name": "management", "S3BucketName": f"trail-{s.ACCOUNT}", "IncludeGlobalServiceEvents": True, "IsMultiRegionTrail": True, "HomeRegion": s.REGION,
                    "TrailARN": f"arn:aws:cloudtrail:{s.REGION}:{s.ACCOUNT}:trail/management", "LogFileValidationEnabled": True, "HasCustomEventSelectors": False, "IsOrganizationTrail": False}],
        "cloudtrail_events": events,
    }
    return data, ids
