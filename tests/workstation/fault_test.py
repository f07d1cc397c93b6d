"""Each changing call of up, attach, reset and down in turn: throttled, and timed out after the act was done. Then a zone without room, a type that a
zone does not offer, a quota, and a workstation that goes while we work. Running again finishes, nothing is made twice, cleanup leaves nothing."""
import subprocess
import threading
import unittest

from bench import ledger, DONE, FAILED, QUICK, Desk, Lab, alive, tagged, terminate
from harness import SLOW, scratch

CALLS = ["CreateSecurityGroup", "AuthorizeSecurityGroupEgress", "RevokeSecurityGroupEgress", "CreateRole", "AttachRolePolicy", "CreateInstanceProfile",
         "AddRoleToInstanceProfile", "RunInstances", "CreateVolume", "AttachVolume", "DetachVolume", "DeleteVolume", "TerminateInstances",
         "DeleteSecurityGroup", "RemoveRoleFromInstanceProfile", "DeleteInstanceProfile", "DetachRolePolicy", "DeleteRole"]
# What `up` asks with a key and a way in, and `down` undoes.
KEY_CALLS = ["ImportKeyPair", "AuthorizeSecurityGroupIngress", "DeleteKeyPair"]
THROTTLED = {"code": "RequestLimitExceeded", "message": "Request limit exceeded.", "status": 503}
LOST = {"lose_reply": True}


class FaultTest(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(*QUICK)
        self.addCleanup(self.lab.stop)
        self.desk = Desk(self.lab)
        self.addCleanup(self.desk.remove)
        self.before, self.evidence = alive(self.lab), self.lab.snapshots()

    def finish(self, *arguments):
        """Run again until it is done: once must be enough."""
        first = self.desk.ws(*arguments)
        if first.code == DONE:
            return first
        again = self.desk.ws(*arguments)
        self.assertEqual(again.code, DONE, f"{first}{again}")
        return again

    def round(self, *up):
        self.finish("up", *up)
        self.assertEqual(len(self.desk.workstations()), 1)
        self.assertEqual(len(tagged(self.lab, "security_groups", self.desk.case_id)), 1)
        self.finish("attach", "--print-script")
        self.assertEqual(len(self.desk.copies()), 2)
        self.finish("reset", "--print-script")
        self.assertEqual(len(self.desk.copies()), 2)
        self.finish("down")
        self.assertEqual(alive(self.lab), self.before)
        self.assertEqual(self.lab.snapshots(), self.evidence)
        left = [intent["body"] for intent, outcome in ledger.acts(ledger.entries(self.desk.folder)) if outcome is None and intent["body"]["act"] == "make-resource"]
        self.assertEqual(left, [])

    def test_throttled_and_lost(self):
        # Every call at once would hide one behind another; the quick suite takes them two by two.
        for fault in (THROTTLED, LOST):
            groups = [[call] for call in CALLS] if SLOW else [CALLS[0::3], CALLS[1::3], CALLS[2::3]]
            for calls in groups:
                with self.subTest(fault=fault, calls=calls):
                    self.lab.control("PUT", "faults", {"script": [{"action": call, "nth": 1, **fault} for call in calls]})
                    self.round()
        self.lab.control("DELETE", "faults")

    def test_a_key_and_a_way_in_throttled_and_lost(self):
        key = scratch() / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        for fault in (THROTTLED, LOST):
            with self.subTest(fault=fault):
                self.lab.control("PUT", "faults", {"script": [{"action": call, "nth": 1, **fault} for call in KEY_CALLS]})
                self.round("--public-key", f"{key}.pub", "--inbound", "203.0.113.7/32")
                self.assertEqual(tagged(self.lab, "key_pairs", self.desk.case_id), [])
                asked = [line["action"] for line in self.lab.requests()]
                self.assertEqual([call for call in KEY_CALLS if call not in asked], [])
        self.lab.control("DELETE", "faults")

    def reset_intents(self):
        return [outcome for intent, outcome in ledger.acts(ledger.entries(self.desk.folder)) if intent["body"]["act"] == "reset"]

    def test_a_reset_of_one_copy_finishes_the_broken_one_of_both(self):
        self.finish("up")
        self.finish("attach", "--print-script")
        old = {one["VolumeId"]: one["SnapshotId"] for one in self.desk.copies()}
        self.lab.control("PUT", "faults", {"script": [{"action": "DeleteVolume", "nth": 2, "code": "OperationNotPermitted", "message": "no"}]})
        ran = self.desk.ws("reset", "--print-script")
        self.assertNotEqual(ran.code, DONE, ran)
        self.lab.control("DELETE", "faults")
        self.assertEqual(len(self.desk.copies()), 1, "one is thrown away, the other is detached")
        left = self.desk.copies()[0]["SnapshotId"]
        self.assertEqual(self.desk.ws("reset", "--print-script", "--snapshot", left).code, DONE)
        now = self.desk.copies()
        self.assertEqual({one["SnapshotId"] for one in now}, set(old.values()))
        self.assertFalse({one["VolumeId"] for one in now} & set(old))
        self.assertTrue(all(one["Attachments"] for one in now))
        self.assertNotIn(None, self.reset_intents())

    def test_a_refused_reset_is_over(self):
        """What is in use on the workstation is left as it is, and no later run takes that for a killed reset."""
        self.finish("up")
        self.finish("attach", "--print-script")
        old = {one["VolumeId"] for one in self.desk.copies()}
        programs = self.desk.cwd / "programs"
        programs.mkdir()
        (programs / "ssh").write_text("#!/bin/sh\nsed -n \"s/^release '\\([^']*\\)'.*/icecore\\t\\1\\t\\t\\tbusy\\t\\/forensics\\/x\\ttarget is busy/p\"\n")
        (programs / "ssh").chmod(0o755)
        self.desk.case.env["PATH"] = f"{programs}:{self.desk.case.env['PATH']}"
        ran = self.desk.ws("reset", "--ssh", "examiner@192.0.2.1")
        self.assertEqual(ran.code, FAILED, ran)
        self.assertIn("in use on the workstation", ran.err)
        self.assertEqual([outcome["body"]["ok"] for outcome in self.reset_intents()], [False])
        self.assertEqual({one["VolumeId"] for one in self.desk.copies()}, old)

    def test_no_room_in_the_zone_goes_to_the_next(self):
        fault = {"action": "RunInstances", "code": "InsufficientInstanceCapacity", "message": "We currently do not have sufficient capacity", "status": 500}
        self.lab.control("PUT", "faults", {"script": [{**fault, "nth": 1}]})
        self.assertEqual(self.desk.ws("up").code, DONE)
        self.assertEqual(self.desk.workstations()[0]["Placement"]["AvailabilityZone"], "us-west-2b")
        self.assertEqual(self.desk.ws("down").code, DONE)
        self.lab.control("PUT", "faults", {"script": [{**fault, "nth": 1, "times": 9}]})
        ran = self.desk.ws("up")
        self.assertEqual(ran.code, FAILED, ran)
        for word in ("us-west-2a", "us-west-2b", "us-west-2c", "--type"):
            self.assertIn(word, ran.err)
        self.lab.control("DELETE", "faults")
        self.round()

    def test_a_type_that_the_zone_does_not_offer(self):
        self.lab.patch("instance_types", "m6i.large", {"_zones": ["us-west-2c"]})
        self.assertEqual(self.desk.ws("up").code, DONE)
        self.assertEqual(self.desk.workstations()[0]["Placement"]["AvailabilityZone"], "us-west-2c")
        self.assertEqual(self.desk.ws("down").code, DONE)
        ran = self.desk.ws("up", "--zone", "us-west-2a")
        self.assertEqual(ran.code, 2, ran)
        self.assertIn("us-west-2c", ran.err)

    def test_quota(self):
        self.lab.control("PUT", "faults", {"script": [{"action": "RunInstances", "nth": 1, "code": "VcpuLimitExceeded",
                                                       "message": "You have requested more vCPU capacity than your current vCPU limit of 0 allows"}]})
        ran = self.desk.ws("up")
        self.assertEqual(ran.code, FAILED, ran)
        self.assertIn("Service Quotas", ran.err)
        self.lab.control("PUT", "faults", {"script": [{"action": "CreateVolume", "nth": 1, "times": 2, "code": "VolumeLimitExceeded", "message": "quota"}]})
        self.assertEqual(self.desk.ws("up").code, DONE)
        ran = self.desk.ws("attach", "--print-script")
        self.assertEqual(ran.code, 3, ran)
        self.assertIn("VolumeLimitExceeded", ran.err)
        self.lab.control("DELETE", "faults")
        self.round()

    def test_a_new_profile_takes_its_time(self):
        self.lab.control("PUT", "faults", {"script": [{"action": "RunInstances", "nth": 1, "times": 2, "code": "InvalidParameterValue",
                                                       "message": "Value (icecore) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"}]})
        self.assertEqual(self.desk.ws("up").code, DONE)
        self.lab.control("DELETE", "faults")
        self.round()

    def test_gone_while_we_attach(self):
        self.assertEqual(self.desk.ws("up").code, DONE)
        machine = self.desk.workstations()[0]["InstanceId"]
        self.lab.control("PUT", "faults", {"script": [{"action": "AttachVolume", "nth": 1, "times": 9, "code": "IncorrectState", "message": "not running"}]})
        timer = threading.Timer(0.3, terminate, (self.lab, machine))
        timer.start()
        ran = self.desk.ws("attach", "--print-script", "--wait", "5")
        timer.join()
        self.assertNotEqual(ran.code, DONE, ran)
        self.lab.control("DELETE", "faults")
        self.round()


if __name__ == "__main__":
    unittest.main()
