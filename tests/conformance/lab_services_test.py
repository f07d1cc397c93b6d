"""The services beside EC2 and EBS: CloudTrail, STS, IAM, Systems Manager, KMS."""
import json
import unittest

import boto3
import botocore.config

import small_world as world
from lab_case import Case


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


if __name__ == "__main__":
    unittest.main()
