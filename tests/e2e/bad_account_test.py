"""Wrong instance, wrong key, wrong place: each error names what, where, and what to do next."""
import json
import unittest

from bad_input import BadInput
from harness import INCIDENT, INSTANCE

NOBODY = {"AWS_ACCESS_KEY_ID": "AKIAICECORELAB000002", "AWS_SECRET_ACCESS_KEY": "icecore/lab/practice/secret/key+00000002"}
READER = "arn:aws:iam::111122223333:role/icecore-reader"
BASELINE = "snap-0b5e11ea0ba5e11ea"
TERMINATED = "i-0bad3fec627e0fe76"


def without_keys():
    return {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}


def expired():
    world = json.loads((INCIDENT / "world.json").read_text())
    key = next(k for p in world["principals"] for k in p["_access_keys"] if "Expiration" in k)
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"], "AWS_SESSION_TOKEN": key["SessionToken"]}


class AccountTest(BadInput):
    def setUp(self):
        self.before = set(self.lab.snapshots())

    def refused(self, case, *arguments, words, code=1):
        ran = case.run(*arguments)
        self.assert_error(ran, *words, code=code)
        self.assert_nothing_made(self.before)
        self.assert_clean(case)
        return ran

    def reader(self):
        """A case with the keys of a role that may read, and may neither make snapshots nor use keys."""
        case = self.case(AWS_PROFILE="reader", **without_keys())
        folder = case.cwd / "home/.aws"
        folder.mkdir(parents=True)
        keys = self.lab.exports
        (folder / "config").write_text(f"[profile reader]\nrole_arn = {READER}\nsource_profile = base\n[profile base]\naws_access_key_id = "
                                       f"{keys['AWS_ACCESS_KEY_ID']}\naws_secret_access_key = {keys['AWS_SECRET_ACCESS_KEY']}\n")
        return case

    def test_unknown_instance(self):
        unknown = "i-0123456789abcdef0"
        self.refused(self.case(), "investigate", unknown, words=(unknown, "us-west-2", "--region"))

    def test_malformed_instance_id(self):
        self.refused(self.case(), "investigate", "i-123", words=("i-123",), code=2)

    def test_no_permission_at_all(self):
        self.refused(self.case(**NOBODY), "investigate", INSTANCE, words=("ec2:DescribeInstances", "readonly-nobody"))

    def test_may_read_and_not_snapshot(self):
        case = self.reader()
        self.refused(case, "investigate", INSTANCE, words=("ec2:CreateSnapshots", INSTANCE))
        # What could be had is kept, and the next run, with the right, goes on from there.
        self.assertTrue((case.folder / f"instances/{INSTANCE}/metadata.json").is_file())

    def test_encrypted_without_the_right_to_its_key(self):
        key = "arn:aws:kms:us-west-2:111122223333:key/0b5e11ea-0000-4000-8000-0ba5e11ea000"
        self.addCleanup(self.lab.patch, "snapshots", BASELINE, {"Encrypted": False, "KmsKeyId": None})
        self.lab.patch("snapshots", BASELINE, {"Encrypted": True, "KmsKeyId": key})
        self.refused(self.reader(), "acquire", BASELINE, words=(BASELINE, key, "the credentials need the IAM action kms:Decrypt"))

    def test_no_credentials(self):
        self.refused(self.case(**without_keys()), "investigate", INSTANCE, words=("credentials", "AWS_ACCESS_KEY_ID", "--profile"))

    def test_wrong_secret(self):
        self.refused(self.case(AWS_SECRET_ACCESS_KEY="x" * 40), "investigate", INSTANCE, words=("Secret Access Key", "SignatureDoesNotMatch"))

    def test_expired_credentials(self):
        self.refused(self.case(**expired()), "investigate", INSTANCE, words=("expired",))

    def test_unknown_profile(self):
        self.refused(self.case(), "investigate", INSTANCE, "--profile", "nobody", words=("nobody",), code=2)

    def test_wrong_region(self):
        self.refused(self.case(), "investigate", INSTANCE, "--region", "eu-central-1", words=(INSTANCE, "eu-central-1", "--region"))

    def test_no_region(self):
        case = self.case(AWS_REGION=None, AWS_DEFAULT_REGION=None)
        self.refused(case, "investigate", INSTANCE, words=("region", "--region", "AWS_REGION"), code=2)

    def test_nobody_answers(self):
        case = self.case(AWS_ENDPOINT_URL="http://127.0.0.1:9")
        ran = case.run("investigate", INSTANCE, timeout=120)
        self.assert_error(ran, "127.0.0.1:9")
        self.assertLess(ran.seconds, 90)

    def test_terminated_instance(self):
        self.refused(self.case(), "investigate", TERMINATED, words=(TERMINATED, "terminated", "snap-"))

    def test_instance_store(self):
        target = "i-0f1ee74a042fbb1ea"
        old = next(i for i in self.lab.state()["us-west-2"]["instances"] if i["InstanceId"] == target)
        self.addCleanup(self.lab.patch, "instances", target, {name: old[name] for name in ("BlockDeviceMappings", "RootDeviceType")})
        self.lab.patch("instances", target, {"BlockDeviceMappings": [], "RootDeviceType": "instance-store"})
        self.refused(self.case(), "investigate", target, words=(target, "instance store", "cannot be snapshotted", "--no-snapshot"))

    def test_a_volume_of_another_instance(self):
        other = "vol-0f1ee74a042fbb1ea"
        self.refused(self.case(), "collect", INSTANCE, "--snapshot-volume", other, words=(other, INSTANCE))


if __name__ == "__main__":
    unittest.main()
