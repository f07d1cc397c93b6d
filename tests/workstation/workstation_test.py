"""up, attach, reset, status, down and cleanup against the lab's records (no machine runs: whole_day_vm.py has one), and their dry runs."""
import json
import os
import re
import signal
import subprocess
import unittest
import urllib.parse
from pathlib import Path

from botocore.exceptions import ClientError

import in_guest
from bench import ledger, DATA_VOLUME, DONE, FAILED, PARTIAL, QUICK, ROOT_VOLUME, Desk, Lab, alive, home_state, mutating, scratch, settled, tagged, terminate
from harness import ICECORE

RESPONDER = "arn:aws:iam::111122223333:user/responder"
EVIDENCE_ZONE = "us-west-2b"


class WorkstationTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(*QUICK)

    @classmethod
    def tearDownClass(cls):
        cls.lab.stop()

    def desk(self, **changes):
        desk = Desk(self.lab, **changes)
        self.addCleanup(desk.remove)
        return desk

    def fine(self, ran, code=DONE):
        self.assertEqual(ran.code, code, ran)
        return ran

    def test_from_up_to_down_leaves_the_account_as_it_was(self):
        desk = self.desk()
        before, evidence = alive(self.lab), self.lab.snapshots()
        up = self.fine(desk.ws("up", "--json")).json()
        machine = desk.workstations()[0]
        self.assertEqual(machine["InstanceId"], up["instance"])
        self.assertEqual(machine["MetadataOptions"]["HttpTokens"], "required")
        self.assertNotIn("PublicIpAddress", machine)
        group = tagged(self.lab, "security_groups", desk.case_id)[0]
        self.assertEqual(group["IpPermissions"], [])
        self.assertEqual(sorted(rule["FromPort"] for rule in group["IpPermissionsEgress"]), [80, 443])
        root = next(one for one in tagged(self.lab, "volumes", desk.case_id) if one["Attachments"])
        self.assertTrue(root["Encrypted"])

        script = self.fine(desk.ws("attach", "--print-script")).out
        copies = desk.copies()
        self.assertEqual(len(copies), 2)
        for copy in copies:
            self.assertEqual(copy["AvailabilityZone"], machine["Placement"]["AvailabilityZone"])
            self.assertNotEqual(copy["AvailabilityZone"], EVIDENCE_ZONE, "the trap of the seed: the evidence lies in another zone than the default subnet")
            self.assertEqual(copy["Attachments"][0]["InstanceId"], up["instance"])
            self.assertIn(copy["VolumeId"].replace("-", ""), script)
        self.assertIn(ROOT_VOLUME, script)
        self.assertIn(DATA_VOLUME, script)

        # Again: nothing is made twice.
        self.assertTrue(self.fine(desk.ws("up", "--json")).json()["was_there"])
        self.fine(desk.ws("attach", "--print-script"))
        self.assertEqual([one["VolumeId"] for one in desk.copies()], [one["VolumeId"] for one in copies])

        status = self.fine(desk.ws("status", "--json")).json()
        self.assertEqual(sorted({item["kind"] for item in status["items"]}),
                         ["instance", "instance-profile", "role", "security-group", "snapshot", "volume"])
        self.assertGreater(status["dollars_per_hour"], 0.09)

        self.fine(desk.ws("reset", "--print-script"))
        fresh = desk.copies()
        self.assertEqual(len(fresh), 2)
        self.assertFalse({one["VolumeId"] for one in fresh} & {one["VolumeId"] for one in copies})

        removed = self.fine(desk.ws("down", "--json")).json()
        self.assertEqual({item["kind"] for item in removed["left"]}, {"snapshot"})
        self.assertGreater(removed["left_dollars_per_month"], 0)
        self.assertEqual(alive(self.lab), before)
        self.assertEqual(self.lab.snapshots(), evidence)
        self.fine(desk.run("cleanup", "case"))
        entries = ledger.entries(desk.folder)
        made = {item["id"] for entry in entries if entry["kind"] == "outcome" for item in entry["body"].get("created", []) if not item.get("evidence")}
        gone = {item["id"] for entry in entries if entry["kind"] == "outcome" for item in entry["body"].get("removed", [])}
        self.assertEqual(made, gone)
        self.fine(desk.run("verify", "case"))

    def test_a_key_of_ones_own_and_one_way_in(self):
        desk = self.desk()
        before = alive(self.lab)
        key = scratch() / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        ran = self.fine(desk.ws("up", "--no-ssm", "--public-key", f"{key}.pub", "--inbound", "203.0.113.7/32", "--outbound", "none", "--public-ip",
                                "--zone", "us-west-2c", "--type", "t3.large"))
        self.assertIn("ssh ", ran.out)
        machine = desk.workstations()[0]
        self.assertEqual((machine["Placement"]["AvailabilityZone"], machine["InstanceType"]), ("us-west-2c", "t3.large"))
        self.assertNotIn("IamInstanceProfile", machine)
        self.assertEqual(machine["PublicIpAddress"], "203.0.113.10")
        group = tagged(self.lab, "security_groups", desk.case_id)[0]
        self.assertEqual([(rule["FromPort"], rule["ToPort"], rule["IpRanges"][0]["CidrIp"]) for rule in group["IpPermissions"]], [(22, 22, "203.0.113.7/32")])
        self.assertEqual(group["IpPermissionsEgress"], [])
        self.assertEqual(len(tagged(self.lab, "key_pairs", desk.case_id)), 1)
        self.fine(desk.ws("down"))
        self.assertEqual(alive(self.lab), before)

    def test_a_reset_by_hand_unmounts_before_it_swaps(self):
        desk = self.desk()
        self.fine(desk.ws("up"))
        self.fine(desk.ws("attach", "--print-script"))
        old = {one["VolumeId"] for one in desk.copies()}
        self.lab.control("DELETE", "requests")
        # A person who has not pressed Enter yet, and one who thinks better of it.
        for answer, code in ((None, FAILED), (b"\n", DONE)):
            process = subprocess.Popen([ICECORE, "workstation", "reset", "case", "--print-script"], env=desk.case.env, cwd=desk.cwd, stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            first = b""
            while first.count(b"\nrelease 'vol-") < 2 or not first.endswith(b"\n"):
                piece = os.read(process.stdout.fileno(), 1 << 16)
                self.assertTrue(piece, "it printed no script that lets go of both copies")
                first += piece
            self.assertEqual(mutating(self.lab.requests()), [])
            self.assertEqual({one["VolumeId"] for one in desk.copies()}, old)
            for volume in old:
                self.assertIn(f"release '{volume}'".encode(), first)
            self.assertNotIn(b"\nvolume '", first)
            if answer is None:
                process.send_signal(signal.SIGINT)
            second, errors = process.communicate(answer, timeout=120)
            self.assertNotEqual(process.returncode, -signal.SIGINT)
            self.assertEqual(process.returncode == DONE, code == DONE, errors)
        self.assertEqual(second.count(b"\nvolume 'vol-"), 2, errors)
        self.assertFalse({one["VolumeId"] for one in desk.copies()} & old)
        resets = [outcome["body"]["ok"] for intent, outcome in ledger.acts(ledger.entries(desk.folder)) if intent["body"]["act"] == "reset"]
        self.assertEqual(resets, [False, True])
        self.fine(desk.ws("down"))

    def test_one_way_in_over_ipv6(self):
        desk = self.desk()
        way = ("--key-pair", "k1", "--inbound", "2001:db8:7::/64")
        plan = self.fine(desk.ws("up", *way, "--dry-run", "--json")).json()
        self.assertTrue(any("SSH from 2001:db8:7::/64" in line for line in plan["creates"]), plan)
        self.assertIn("ec2:AuthorizeSecurityGroupIngress", plan["iam_actions"])
        policy = desk.run("policy", "workstation up", "workstation up key").json()
        self.lab.control("PUT", "policies", {"arn": RESPONDER, "policies": [policy]})
        self.addCleanup(self.lab.control, "PUT", "policies", {"arn": RESPONDER, "policies": None})
        self.lab.control("DELETE", "requests")
        ran = self.fine(desk.ws("up", *way))
        group = tagged(self.lab, "security_groups", desk.case_id)[0]
        self.assertEqual([(rule["FromPort"], rule["ToPort"], rule["Ipv6Ranges"][0]["CidrIpv6"]) for rule in group["IpPermissions"]], [(22, 22, "2001:db8:7::/64")])
        self.assertFalse(group["IpPermissions"][0].get("IpRanges"))
        # The request is botocore's, word for word.
        rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "Ipv6Ranges": [{"CidrIpv6": "2001:db8:7::/64", "Description": f"icecore {desk.case_id}"}]}
        with self.assertRaises(ClientError) as refused:
            in_guest.client("ec2", self.lab.exports).authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[rule])
        self.assertEqual(refused.exception.response["Error"]["Code"], "InvalidPermission.Duplicate")
        ours, theirs = [dict(urllib.parse.parse_qsl(one["request"]["body"])) for one in self.lab.requests() if one["action"] == "AuthorizeSecurityGroupIngress"]
        self.assertEqual(ours, theirs)
        self.fine(desk.ws("up", *way))
        self.lab.control("PUT", "policies", {"arn": RESPONDER, "policies": None})
        self.fine(desk.ws("down"))

    def test_records_only_says_so(self):
        desk = self.desk()
        self.fine(desk.ws("up"))
        ran = self.fine(desk.ws("attach"), PARTIAL)
        self.assertIn("record only", ran.err)
        self.fine(desk.ws("down"))

    def test_dry_runs_change_nothing(self):
        desk = self.desk()

        def dry(*arguments):
            self.lab.control("DELETE", "requests")
            before = settled(self.lab)
            ran = self.fine(desk.run(*arguments, "--dry-run", "--json"))
            plan = ran.json()
            self.assertEqual(mutating(self.lab.requests()), [], arguments)
            self.assertEqual(self.lab.state(), before, arguments)
            self.assertTrue(plan["calls"] and plan["iam_actions"], ran)
            for check in plan["checks"]:
                self.assertIn("would allow", check)
            return plan

        plan = dry("workstation", "up", "case")
        self.assertIn("iam:PassRole", plan["iam_actions"])
        self.assertGreater(plan["dollars_per_hour"], 0.09)
        self.fine(desk.ws("up"))
        self.assertIn("nothing would be made", dry("workstation", "up", "case")["remarks"][0])
        plan = dry("workstation", "attach", "case", "--as-is")
        self.assertEqual(len(plan["creates"]), 4)
        self.assertEqual(len(plan["checks"]), 1)
        self.fine(desk.ws("attach", "--print-script"))
        plan = dry("workstation", "reset", "case")
        self.assertEqual(len(plan["removes"]), 2)
        self.assertEqual(len(plan["checks"]), 5)
        self.assertIn("ssm:SendCommand", plan["iam_actions"])
        self.assertNotIn("ssm:SendCommand", dry("workstation", "reset", "case", "--print-script")["iam_actions"])
        self.assertEqual(len(dry("workstation", "down", "case")["removes"]), 6)
        dry("cleanup", "case")
        dry("share", "case", "--account", "999988887777", "--lock", "governance", "--lock-days", "7")
        self.fine(desk.ws("down"))

    def test_as_is_stands_beside_and_writable_in_place(self):
        desk = self.desk()
        self.fine(desk.ws("up"))
        attached = self.fine(desk.ws("attach", "--print-script", "--as-is", "--json")).json()
        self.assertEqual(sorted(copy["folder"] for copy in attached["copies"]),
                         sorted(f"/forensics/{volume}{end}" for volume in (ROOT_VOLUME, DATA_VOLUME) for end in ("", ".as-is")))
        devices = [copy["device"] for copy in attached["copies"]]
        self.assertEqual(len(set(devices)), 4)
        snapshot = attached["copies"][0]["snapshot"]
        attached = self.fine(desk.ws("attach", "--print-script", "--writable", "--snapshot", snapshot, "--json")).json()
        self.assertEqual([copy["view"] for copy in attached["copies"]], ["writable"])
        self.assertEqual(len(desk.copies()), 5)
        self.fine(desk.ws("down"))

    def test_what_the_ledger_did_not_make_is_left_alone(self):
        desk = self.desk()
        self.fine(desk.ws("up"))
        foreign = next(one for one in home_state(self.lab)["volumes"] if one["VolumeId"] == ROOT_VOLUME)
        tags = foreign.get("Tags", [])
        self.lab.patch("volumes", foreign["VolumeId"], {"Tags": tags + [{"Key": "icecore:case", "Value": desk.case_id}, {"Key": "icecore:subject", "Value": "snap-0/recovered"}]})
        self.addCleanup(self.lab.patch, "volumes", foreign["VolumeId"], {"Tags": tags})
        removed = self.fine(desk.ws("down", "--json")).json()
        self.assertEqual([item["id"] for item in removed["not_ours"]], [foreign["VolumeId"]])
        self.assertIn(foreign["VolumeId"], [one["VolumeId"] for one in home_state(self.lab)["volumes"]])

    def test_terminated_under_our_hands(self):
        desk = self.desk()
        up = self.fine(desk.ws("up", "--json")).json()
        self.fine(desk.ws("attach", "--print-script"))
        terminate(self.lab, up["instance"])
        ran = desk.ws("attach", "--print-script")
        self.assertEqual(ran.code, 1, ran)
        self.assertIn("workstation up", ran.err)
        again = self.fine(desk.ws("up", "--json")).json()
        self.assertNotEqual(again["instance"], up["instance"])
        self.fine(desk.ws("attach", "--print-script"))
        self.assertEqual(len(desk.copies()), 2)
        self.fine(desk.ws("down"))
        self.assertEqual(desk.copies(), [])

    def test_the_script_is_sound_shell(self):
        desk = self.desk()
        self.fine(desk.ws("up"))
        script = self.fine(desk.ws("attach", "--print-script")).out
        self.fine(desk.ws("down"))
        file = scratch() / "mount.sh"
        file.write_text(script)
        checked = subprocess.run(["shellcheck", "-s", "sh", "-S", "warning", file], capture_output=True, text=True, check=False)
        self.assertEqual(checked.returncode, 0, checked.stdout)

    def test_user_data_is_cloud_config(self):
        desk = self.desk()
        self.fine(desk.ws("up", "--tools", "full", "--icecore-url", "https://example.org/icecore", "--icecore-sha256", "0" * 64))
        import base64
        user_data = base64.b64decode(desk.workstations()[0]["_user_data"]).decode()
        self.fine(desk.ws("down"))
        self.assertTrue(user_data.startswith("#cloud-config\n"))
        import yaml
        config = yaml.safe_load(user_data)
        self.assertIn("xfsprogs", config["packages"])
        self.assertIn("testdisk", config["packages"])
        self.assertTrue(any("sha256sum -c" in " ".join(map(str, line)) for line in config["runcmd"]))
        # Debian's images have no agent; the one from the bucket is for this region, and its shell is one that sh takes.
        agent = next(line for line in config["runcmd"] if "amazon-ssm-agent" in " ".join(line))
        self.assertIn("amazon-ssm-us-west-2/latest/debian_$(dpkg --print-architecture)/", agent[2])
        self.assertEqual(subprocess.run(["sh", "-n", "-c", agent[2]], check=False).returncode, 0)
        # udev puts nothing together: the rules by which the distribution's own packages do are off before the packages come.
        off = config["bootcmd"][0][2]
        self.assertEqual(subprocess.run(["sh", "-n", "-c", off], check=False).returncode, 0)
        rules = [path.stem for path in Path("/lib/udev/rules.d").glob("*.rules")
                 if re.search(r'(RUN|IMPORT).*(pvscan|vgchange -aay|mdadm.* (-I|--incremental) )', path.read_text(errors="replace"))]
        self.assertGreaterEqual(len(rules), 2, "lvm2 and mdadm are installed, as the virtual machine needs them")
        for rule in rules:
            self.assertIn(f" {rule}", off)


if __name__ == "__main__":
    unittest.main()
