"""What a tired person gives it: each error says what, where, and what to do next, and nothing is left behind."""
import json
import unittest

from bench import DONE, FAILED, PARTIAL, QUICK, USAGE, Desk, Lab, alive, alive_after
from harness import INCIDENT

WORLD = json.loads((INCIDENT / "world.json").read_text())


class BadInputTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(*QUICK)
        cls.desk = Desk(cls.lab)
        cls.before = alive(cls.lab)

    @classmethod
    def tearDownClass(cls):
        cls.lab.stop()
        cls.desk.remove()

    def refused(self, *arguments, words, code=FAILED, desk=None):
        ran = (desk or self.desk).run(*arguments)
        self.assertEqual(ran.code, code, ran)
        errors = [line for line in ran.err.splitlines() if line.startswith("icecore: error:")]
        self.assertEqual(len(errors), 1, ran)
        for word in words:
            self.assertIn(word, errors[0], ran)
        return ran

    def up(self, *arguments, words, code=FAILED):
        self.refused("workstation", "up", "case", *arguments, words=words, code=code)
        self.assertEqual(alive_after(self.lab, self.before), self.before)

    def test_the_whole_internet(self):
        for cidr in ("0.0.0.0/0", "::/0", "1.2.3.4/0", "2001:db8::/0"):
            self.up("--inbound", cidr, "--key-pair", "k1", words=(cidr, "whole internet"), code=USAGE)

    def test_no_cidr(self):
        for cidr in ("203.0.113.7", "203.0.113.7/33", "office", "/8", "203.0.113.7/", "2001:db8::7", "2001:db8::7/129"):
            self.up("--inbound", cidr, "--key-pair", "k1", words=("no CIDR",), code=USAGE)

    def test_no_way_in(self):
        self.up("--no-ssm", words=("--key-pair", "--public-key"), code=USAGE)
        self.up("--outbound", "none", words=("--outbound none", "Systems Manager"), code=USAGE)

    def test_a_private_key(self):
        key = self.desk.cwd / "private"
        key.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
        self.up("--public-key", key, words=("never give the private one",), code=USAGE)

    def test_another_architecture(self):
        self.up("--type", "t4g.medium", "--ami", WORLD["images"][0]["ImageId"], words=("x86_64", "arm64", "t4g.medium"), code=USAGE)

    def test_unknown_image(self):
        self.up("--ami", "ami-0123456789abcdef0", words=("ami-0123456789abcdef0", "us-west-2"))
        self.up("--ami", "/elsewhere/nothing", words=("/elsewhere/nothing", "--ami"))

    def test_unknown_type(self):
        self.up("--type", "m99.huge", words=("m99.huge", "--type"))

    def test_unknown_subnet(self):
        self.up("--subnet", "subnet-0123456789abcdef0", words=("subnet-0123456789abcdef0", "us-west-2"))

    def test_subnet_of_another_vpc(self):
        subnet = self.subnet()
        self.up("--subnet", subnet, "--vpc", "vpc-0123456789abcdef0", words=(subnet, "vpc-0123456789abcdef0"), code=USAGE)

    def test_subnet_of_another_zone(self):
        self.up("--subnet", self.subnet(), "--zone", "us-west-2c", words=("us-west-2a", "us-west-2c"), code=USAGE)

    def subnet(self):
        return next(one["SubnetId"] for one in WORLD["subnets"] if one["AvailabilityZone"] == "us-west-2a")

    def test_unknown_key_pair(self):
        ran = self.refused("workstation", "up", "case", "--key-pair", "nobody", words=("nobody", "--public-key"))
        self.assertNotIn("instance i-", ran.out)
        self.assertEqual(self.desk.ws("down").code, DONE)
        self.assertEqual(alive_after(self.lab, self.before), self.before)

    def test_another_region(self):
        self.refused("workstation", "up", "case", "--region", "eu-central-1", words=("us-west-2", "eu-central-1"))

    def test_no_case(self):
        self.refused("workstation", "up", "nowhere", words=("nowhere",))

    def test_a_case_without_snapshots(self):
        desk = Desk(self.lab, collect=False)
        self.addCleanup(desk.remove)
        ran = desk.run("collect", "i-05203422c5203422c", "--no-snapshot", "--case", "case")
        self.assertIn(ran.code, (DONE, PARTIAL), ran)
        for what in ("up", "attach"):
            self.refused("workstation", what, "case", words=("no snapshots", "icecore collect"), desk=desk)
        self.refused("share", "case", "--account", "999988887777", words=("no snapshots",), desk=desk)

    def test_no_workstation(self):
        for what in ("attach", "reset"):
            self.refused("workstation", what, "case", words=("no workstation", "workstation up"))

    def test_a_snapshot_that_is_not_of_the_case(self):
        self.refused("workstation", "attach", "case", "--snapshot", "snap-0b5e11ea0ba5e11ea", words=("snap-0b5e11ea0ba5e11ea", "icecore collect"))

    def test_share_with_nobody_or_everybody(self):
        self.refused("share", "case", words=("--account", "--lock"), code=USAGE)
        self.refused("share", "case", "--account", "all", words=("12 digits",), code=USAGE)
        self.refused("share", "case", "--lock", "forever", "--lock-days", "3", words=("governance",), code=USAGE)

    def test_no_permission_names_the_action(self):
        arn = "arn:aws:iam::111122223333:user/responder"
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "ec2:RunInstances", "Resource": "*"}]}
        self.lab.control("PUT", "policies", {"arn": arn, "policies": [policy]})
        self.addCleanup(self.lab.control, "PUT", "policies", {"arn": arn, "policies": None})
        self.refused("workstation", "up", "case", words=("ec2:RunInstances", "icecore policy"))
        self.lab.control("PUT", "policies", {"arn": arn, "policies": None})
        self.assertEqual(self.desk.ws("down").code, DONE)
        self.assertEqual(alive_after(self.lab, self.before), self.before)


class DiskTroubleTest(unittest.TestCase):
    """Copies that do not come: the others go on."""

    def setUp(self):
        self.lab = Lab(*QUICK)
        self.addCleanup(self.lab.stop)
        self.desk = Desk(self.lab)
        self.addCleanup(self.desk.remove)
        self.before = alive(self.lab)
        self.assertEqual(self.desk.ws("up").code, DONE)

    def tearDown(self):
        self.assertEqual(self.desk.run("cleanup", "case").code, DONE)
        self.assertEqual(alive_after(self.lab, self.before), self.before)

    def test_more_volumes_than_it_takes(self):
        machine = self.desk.workstations()[0]
        full = machine["BlockDeviceMappings"] + [{"DeviceName": f"/dev/xvdc{chr(97 + n)}", "Ebs": {"VolumeId": f"vol-{n:017x}", "Status": "attached"}} for n in range(25)]
        self.lab.patch("instances", machine["InstanceId"], {"BlockDeviceMappings": full})
        ran = self.desk.ws("attach", "--print-script")
        self.assertEqual(ran.code, PARTIAL, ran)
        self.assertIn("takes no more volumes", ran.err)
        self.lab.patch("instances", machine["InstanceId"], {"BlockDeviceMappings": machine["BlockDeviceMappings"]})

    def test_a_device_name_that_is_taken(self):
        machine = self.desk.workstations()[0]
        taken = machine["BlockDeviceMappings"] + [{"DeviceName": name, "Ebs": {"VolumeId": f"vol-{n:017x}", "Status": "attached"}} for n, name in enumerate(["/dev/xvdf", "/dev/sdg"])]
        self.lab.patch("instances", machine["InstanceId"], {"BlockDeviceMappings": taken})
        ran = self.desk.ws("attach", "--print-script", "--json")
        self.assertEqual(ran.code, DONE, ran)
        self.assertEqual([copy["device"] for copy in ran.json()["copies"]], ["/dev/sdh", "/dev/sdi"])
        # Somebody takes the name between our look and our call.
        self.assertEqual(self.desk.ws("down").code, DONE)
        self.assertEqual(self.desk.ws("up").code, DONE)
        self.lab.control("PUT", "faults", {"script": [{"action": "AttachVolume", "nth": 1, "code": "InvalidParameterValue",
                                                       "message": "Invalid value '/dev/sdf' for unixDevice. Attachment point /dev/sdf is already in use"}]})
        ran = self.desk.ws("attach", "--print-script", "--json")
        self.lab.control("DELETE", "faults")
        self.assertEqual([copy["device"] for copy in ran.json()["copies"]], ["/dev/sdg", "/dev/sdh"])

    def test_stuck_and_broken_volumes(self):
        for fate, words in (("creating", "still creating"), ("attaching", "still attaching")):
            self.lab.control("PUT", "volume-fates", [fate])
            ran = self.desk.ws("attach", "--print-script", "--wait", "1")
            self.assertEqual(ran.code, PARTIAL, ran)
            self.assertIn(words, ran.err)
            stuck = next(one for one in self.desk.copies() if one["State"] == "creating" or any(a["State"] == "attaching" for a in one["Attachments"]))
            # The other one is attached; when the stuck one comes round, running again takes it and makes no third.
            if fate == "creating":
                self.lab.patch("volumes", stuck["VolumeId"], {"State": "available"})
            else:
                self.lab.patch("volumes", stuck["VolumeId"], {"State": "available", "Attachments": [], "_stuck": False})
                machine = self.desk.workstations()[0]
                self.lab.patch("instances", machine["InstanceId"],
                               {"BlockDeviceMappings": [m for m in machine["BlockDeviceMappings"] if m["Ebs"]["VolumeId"] != stuck["VolumeId"]]})
            self.assertEqual(self.desk.ws("attach", "--print-script").code, DONE)
            self.assertEqual(len(self.desk.copies()), 2)
            self.assertEqual(self.desk.ws("down").code, DONE)
            self.assertEqual(self.desk.ws("up").code, DONE)
        self.lab.control("PUT", "volume-fates", ["error"])
        self.assertEqual(self.desk.ws("attach", "--print-script").code, DONE, "a second try")
        self.assertEqual(len(self.desk.copies()), 2)

    def test_error_twice_is_said(self):
        self.lab.control("PUT", "volume-fates", ["error", "error"])
        ran = self.desk.ws("attach", "--print-script")
        self.assertEqual(ran.code, PARTIAL, ran)
        self.assertIn("ended in error twice", ran.err)
        self.assertEqual(len(self.desk.copies()), 1)

    def test_a_pending_snapshot_is_waited_for_and_a_broken_one_said(self):
        desk = self.desk
        snapshot = sorted((desk.folder / "snapshots").iterdir())[0].name
        self.lab.patch("snapshots", snapshot, {"State": "error", "StateMessage": "the key is disabled"})
        ran = desk.ws("attach", "--print-script")
        self.assertEqual(ran.code, PARTIAL, ran)
        self.assertIn(snapshot, ran.err)
        self.lab.patch("snapshots", snapshot, {"State": "completed", "StateMessage": None})


if __name__ == "__main__":
    unittest.main()
