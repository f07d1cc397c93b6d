"""`icecore policy`: with it alone each command does its work, and without any one of its actions it does not. The lab is the judge: its evaluation of
policies shares no code with icecore."""
import copy
import json
import os
import random
import subprocess
import unittest

from bench import DONE, QUICK, Desk, Lab, alive, scratch
from harness import DATA_VOLUME, INSTANCE, SLOW

SEED = int(os.environ.get("ICECORE_SEED", random.SystemRandom().randrange(10**6)))
ARN = "arn:aws:iam::111122223333:user/responder"
SNAPSHOT = "snap-0b5e11ea0ba5e11ea"
SHARED = "snap-0ccd3e9c6ccd3e9c6"


def actions_of(policy):
    return sorted({action for statement in policy["Statement"] for action in statement["Action"]})


def without(policy, action):
    policy = copy.deepcopy(policy)
    for statement in policy["Statement"]:
        statement["Action"] = [one for one in statement["Action"] if one != action]
    policy["Statement"] = [statement for statement in policy["Statement"] if statement["Action"]]
    return policy


class PolicyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Without a pace of its own CloudTrail's two calls a second would be most of this test.
        cls.lab = Lab(*QUICK, "--cloudtrail-rate", "0")
        cls.desk = Desk(cls.lab)

    @classmethod
    def tearDownClass(cls):
        cls.lab.stop()
        cls.desk.remove()

    def allow(self, policies):
        self.lab.control("PUT", "policies", {"arn": ARN, "policies": policies})

    def tearDown(self):
        self.allow(None)

    def policy(self, *commands, code=DONE):
        ran = self.desk.run("policy", *commands)
        self.assertEqual(ran.code, code, ran)
        return ran.json()

    def check(self, policy, work, undo=lambda: None, skip=(), sample=99):
        """`work` gives a run; it is DONE with the policy, and not without any one action. Whatever it left is undone with all rights."""
        def attempt(document):
            self.allow([document])
            ran = work()
            self.allow(None)
            undo()
            return ran

        ran = attempt(policy)
        self.assertEqual(ran.code, DONE, ran)
        actions = [action for action in actions_of(policy) if action not in skip]
        if not SLOW and len(actions) > sample:
            # A collection keeps to CloudTrail's two calls a second; all of its actions are for ICECORE_SLOW=1.
            actions = random.Random(SEED).sample(actions, sample)
        for action in actions:
            with self.subTest(without=action, seed=SEED):
                broken = attempt(without(policy, action))
                self.assertNotEqual(broken.code, DONE, broken)
                self.assertIn(action, broken.err + broken.out, broken)

    def test_no_wildcard_in_an_action_and_every_change_is_bound(self):
        policy = self.policy()
        reading = ("Describe", "Get", "List", "Lookup")
        for statement in policy["Statement"]:
            for action in statement["Action"]:
                self.assertNotIn("*", action)
                name = action.split(":")[1]
                # Buckets belong to no case, and objects carry none of its tags: what is written there the reader binds, to his bucket.
                if name.startswith(reading) or "Condition" in statement or action.startswith("s3:"):
                    continue
                # What is not bound is only the far side of a call whose near side is.
                self.assertIn(action, {"ec2:CreateSnapshots", "ec2:CreateSnapshot", "ec2:CopySnapshot", "ec2:CreateVolume", "ec2:RunInstances",
                                       "ec2:CreateSecurityGroup", "ssm:SendCommand"}, statement)
                bound = [other for other in policy["Statement"] if action in other["Action"] and "Condition" in other]
                self.assertTrue(bound, action)
        self.assertLess(len(json.dumps(policy, separators=(",", ":"))), 6144, "a managed policy holds 6,144 characters")

    def test_an_unknown_command(self):
        ran = self.desk.run("policy", "fly")
        self.assertEqual(ran.code, 2)
        self.assertIn("workstation up", ran.err)

    def test_another_case_is_out_of_reach(self):
        document = self.desk.run("policy", "workstation up", "--case-id", "case-of-another").json()
        self.allow([document])
        ran = self.desk.ws("up")
        self.assertEqual(ran.code, 1, ran)
        self.allow(None)
        self.assertEqual(self.desk.ws("down").code, DONE)

    def test_collect_instance(self):
        number = iter(range(1000))
        self.check(self.policy("collect"), lambda: self.desk.run("collect", INSTANCE, "--case", f"c{next(number)}"), sample=5)

    def test_collect_volume_snapshot_and_copy(self):
        number = iter(range(1000))
        self.check(self.policy("collect volume"), lambda: self.desk.run("collect", DATA_VOLUME, "--case", f"v{next(number)}"))
        self.check(self.policy("collect snapshot"), lambda: self.desk.run("collect", SNAPSHOT, "--case", f"s{next(number)}"))
        self.check(self.policy("collect copy"), lambda: self.desk.run("collect", SHARED, "--case", f"f{next(number)}"))

    def test_reading_commands(self):
        number = iter(range(1000))
        for command, arguments in (("ls", ["/"]), ("cat", ["/etc/hostname"]), ("stat", ["/etc"])):
            self.check(self.policy(command), lambda: self.desk.run(command, SNAPSHOT, *arguments, "--case", f"r{next(number)}"))

    def test_up_status_and_down(self):
        self.check(self.policy("workstation up"), lambda: self.desk.ws("up", "--ami", "/aws/service/debian/release/12/latest/amd64"),
                   undo=lambda: self.desk.ws("down"))
        self.desk.ws("up")
        self.check(self.policy("workstation status"), lambda: self.desk.ws("status"))

        def back():
            self.desk.ws("down")
            self.desk.ws("up")
            self.desk.ws("attach", "--print-script")

        back()
        self.check(self.policy("workstation down"), lambda: self.desk.ws("down"), undo=back)
        self.check(self.policy("cleanup"), lambda: self.desk.run("cleanup", "case"), undo=back)
        self.desk.ws("down")

    def test_up_with_a_key(self):
        key = scratch() / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        arguments = ["--public-key", f"{key}.pub", "--inbound", "203.0.113.7/32"]
        both = self.policy("workstation up", "workstation up key")
        own = set(actions_of(self.policy("workstation up key"))) - {"ec2:CreateTags"}
        self.check(both, lambda: self.desk.ws("up", *arguments), undo=lambda: self.desk.ws("down"), skip=set(actions_of(both)) - own)
        self.desk.ws("up", *arguments)
        both = self.policy("workstation down", "workstation down key")
        own = set(actions_of(self.policy("workstation down key")))
        self.check(both, lambda: self.desk.ws("down"), undo=lambda: (self.desk.ws("down"), self.desk.ws("up", *arguments)), skip=set(actions_of(both)) - own)
        self.desk.ws("down")

    def test_attach_and_reset(self):
        self.desk.ws("up")
        ssm = {"ssm:SendCommand", "ssm:GetCommandInvocation"}  # a record cannot run the script: whole_day_vm.py has these two

        def fresh():
            for item in self.desk.copies():
                self.lab.patch("volumes", item["VolumeId"], {"State": "deleted", "Attachments": [], "Tags": []})
            for machine in self.desk.workstations():
                self.lab.patch("instances", machine["InstanceId"], {"BlockDeviceMappings": machine["BlockDeviceMappings"][:1]})

        self.check(self.policy("workstation attach"), lambda: self.desk.ws("attach", "--print-script"), undo=fresh, skip=ssm)
        self.desk.ws("attach", "--print-script")
        self.check(self.policy("workstation reset"), lambda: self.desk.ws("reset", "--print-script"),
                   undo=lambda: self.desk.ws("attach", "--print-script"), skip=ssm)
        self.desk.ws("down")
        self.assertEqual(self.desk.copies(), [])

    def test_share_and_lock(self):
        self.check(self.policy("share"), lambda: self.desk.run("share", "case", "--account", "999988887777"))
        self.check(self.policy("lock"), lambda: self.desk.run("share", "case", "--lock", "governance", "--lock-days", "1"))


if __name__ == "__main__":
    unittest.main()
