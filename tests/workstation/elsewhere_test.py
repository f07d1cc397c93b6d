"""Snapshots from elsewhere, sharing, and locks."""
import os
import signal
import time
import unittest

from bench import DONE, FAILED, FOREIGN_ACCOUNT, INCIDENT, QUICK, Desk, Lab, finish, home_state, ledger, sha256, start

SHARED, PUBLIC, BASELINE = "snap-0ccd3e9c6ccd3e9c6", "snap-0ccd3e9c6da7a0000", "snap-0b5e11ea0ba5e11ea"
FORENSICS_ACCOUNT = "999988887777"


class ElsewhereTest(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(*QUICK)
        self.addCleanup(self.lab.stop)
        self.desk = Desk(self.lab, collect=False)
        self.addCleanup(self.desk.remove)

    def fine(self, *arguments):
        ran = self.desk.run(*arguments)
        self.assertEqual(ran.code, DONE, ran)
        return ran

    def collected(self, snapshot, *arguments):
        ran = self.fine("collect", snapshot, "--case", "case", "--json", *arguments)
        one = ran.json()["snapshots"][0]["snapshot"]
        return self.lab.snapshots()[one]

    def test_acquire_copies_where_it_is_asked_to(self):
        before = set(self.lab.snapshots())
        refused = self.desk.run("acquire", PUBLIC)
        self.assertEqual(refused.code, FAILED, refused)
        self.assertIn("--copy", refused.err)
        self.fine("acquire", PUBLIC, "--copy", "--dry-run")
        self.assertEqual(set(self.lab.snapshots()), before)
        made = []
        for _ in range(2):
            image, = self.fine("acquire", PUBLIC, "--copy", "--json").json()
            made.append((image["snapshot"], image["sha256"]))
        self.assertEqual(set(self.lab.snapshots()) - before, {made[0][0]})
        self.assertEqual(made[0], made[1])
        self.assertEqual(made[0][1], sha256(INCIDENT / "data.raw"))

    def test_shared_and_public_are_copied_once_and_then_readable(self):
        for snapshot in (SHARED, PUBLIC):
            before = set(self.lab.snapshots())
            copy = self.collected(snapshot)
            self.assertNotEqual(copy["SnapshotId"], snapshot)
            self.assertIn(snapshot, copy["Description"])
            self.assertIn(FOREIGN_ACCOUNT, copy["Description"])
            self.assertFalse(copy["Encrypted"])
            self.collected(snapshot)
            self.assertEqual(len(set(self.lab.snapshots()) - before), 1, "copied twice")
            self.assertTrue((self.desk.folder / "sources" / snapshot / "describe-snapshots.xml").is_file())
        self.assertIn("etc", self.fine("ls", "case", "/").out)
        # A copy is evidence: no cleanup takes it.
        evidence = self.lab.snapshots()
        self.fine("cleanup", "case")
        self.assertEqual(self.lab.snapshots(), evidence)

    def test_one_of_ones_own_is_not_copied(self):
        before = self.lab.snapshots()
        self.collected(BASELINE)
        self.assertEqual(self.lab.snapshots(), before)

    def test_lost_reply_makes_no_second_copy(self):
        before = set(self.lab.snapshots())
        self.lab.control("PUT", "faults", {"script": [{"action": "CopySnapshot", "nth": 1, "lose_reply": True}]})
        self.collected(SHARED)
        self.assertEqual(len(set(self.lab.snapshots()) - before), 1)

    def test_another_accounts_key_is_replaced_by_one_made_for_the_case(self):
        self.lab.patch("snapshots", SHARED, {"Encrypted": True, "KmsKeyId": f"arn:aws:kms:us-west-2:{FOREIGN_ACCOUNT}:key/1234"})
        copy = self.collected(SHARED)
        self.assertTrue(copy["Encrypted"])
        keys = home_state(self.lab)["kms_keys"]
        self.assertEqual(len(keys), 1)
        self.assertIn(keys[0]["KeyId"], copy["KmsKeyId"])
        self.collected(SHARED)
        self.assertEqual(len(home_state(self.lab)["kms_keys"]), 1)
        self.fine("cleanup", "case")
        self.assertEqual(len(home_state(self.lab)["kms_keys"]), 1, "the evidence depends on its key")

    def test_down_ends_no_intent_of_evidence(self):
        """A run is killed while KMS makes its key: the case still knows of it after cleanup, and makes no second one."""
        self.lab.patch("snapshots", SHARED, {"Encrypted": True, "KmsKeyId": f"arn:aws:kms:us-west-2:{FOREIGN_ACCOUNT}:key/1234"})
        self.lab.control("PUT", "faults", {"script": [{"action": "CreateAlias", "nth": 1, "times": 99, "code": "KMSInternalException", "status": 500}]})
        arguments = ["collect", SHARED, "--case", "case"]
        process = start(arguments, self.desk.case.env, self.desk.cwd)
        while process.poll() is None and not self.open_makings():
            time.sleep(0.0005)
        os.killpg(process.pid, signal.SIGKILL)
        finish(process, arguments)
        self.assertEqual(self.open_makings(), ["kms-key"], "killed at the wrong moment")
        self.lab.control("DELETE", "faults")
        self.fine("cleanup", "case")
        self.assertEqual(self.open_makings(), ["kms-key"])
        self.collected(SHARED)
        self.assertEqual(len(home_state(self.lab)["kms_keys"]), 1)
        self.assertEqual(self.open_makings(), [])

    def open_makings(self):
        if not (self.desk.folder / "ledger.jsonl").exists():
            return []
        return [intent["body"]["kind"] for intent, outcome in ledger.acts(ledger.entries(self.desk.folder))
                if outcome is None and intent["body"]["act"] == "make-resource"]

    def test_a_dry_run_tells_of_the_copy_and_the_lock(self):
        self.lab.patch("snapshots", SHARED, {"Encrypted": True, "KmsKeyId": f"arn:aws:kms:us-west-2:{FOREIGN_ACCOUNT}:key/1234"})
        before = self.lab.state()
        plan = self.fine("collect", SHARED, "--dry-run", "--json", "--lock", "governance", "--lock-days", "9").json()
        self.assertIn(FOREIGN_ACCOUNT, self.fine("collect", PUBLIC, "--dry-run").out)
        self.assertTrue(any(f"a copy of {SHARED} in us-west-2, under a customer key" in line for line in plan["creates"]), plan)
        self.assertTrue(any("governance lock of 9 days" in line for line in plan["creates"]), plan)
        for action in ("ec2:CopySnapshot", "ec2:LockSnapshot", "kms:CreateKey"):
            self.assertIn(action, plan["iam_actions"])
        own = self.fine("collect", BASELINE, "--dry-run", "--json").json()
        self.assertEqual(own["creates"], [])
        self.assertNotIn("ec2:CopySnapshot", own["iam_actions"])
        self.assertEqual(self.lab.state(), before)
        self.assertFalse(self.desk.folder.exists())

    def test_a_named_key(self):
        copy = self.collected(SHARED)  # a key that is there: made by nobody here
        self.assertFalse(copy["Encrypted"])
        self.lab.patch("snapshots", PUBLIC, {"Encrypted": False})
        ran = self.desk.run("collect", PUBLIC, "--case", "case", "--kms-key", "alias/aws/ebs")
        self.assertEqual(ran.code, 2, ran)
        self.assertIn("customer key", ran.err)

    def test_another_region(self):
        ran = self.desk.run("collect", BASELINE, "--case", "eu", "--region", "eu-central-1")
        self.assertEqual(ran.code, FAILED, ran)
        self.assertIn("--source-region", ran.err)
        ran = self.desk.run("collect", BASELINE, "--case", "eu", "--region", "eu-central-1", "--source-region", "us-west-2", "--json")
        self.assertEqual(ran.code, DONE, ran)
        copies = self.lab.state()["eu-central-1"]["snapshots"]
        self.assertEqual([one["SnapshotId"] for one in copies], [ran.json()["snapshots"][0]["snapshot"]])

    def test_share_and_lock(self):
        own = self.collected(BASELINE, "--lock", "governance", "--lock-days", "3")
        self.assertEqual(own["_lock"]["LockState"], "governance")
        self.lab.patch("snapshots", BASELINE, {"Tags": own["Tags"]})
        shared = self.fine("share", "case", "--account", FORENSICS_ACCOUNT, "--lock", "governance", "--lock-days", "10", "--json").json()
        self.assertEqual([one["snapshot"] for one in shared["shared"]], [BASELINE])
        now = self.lab.snapshots()[BASELINE]
        self.assertEqual(now["_accounts"], [FORENSICS_ACCOUNT])
        self.assertFalse(now.get("_public", False))
        self.assertEqual(now["_lock"]["LockDuration"], 10)

    def test_what_the_default_key_encrypts_is_shared_as_a_copy(self):
        default = "arn:aws:kms:us-west-2:111122223333:key/00000000-0000-4000-8000-0000000aeb50"
        self.collected(BASELINE)
        self.lab.patch("snapshots", BASELINE, {"Encrypted": True, "KmsKeyId": default, "_default_key": True})
        plan = self.fine("share", "case", "--account", FORENSICS_ACCOUNT, "--dry-run", "--json").json()
        self.assertIn(f"a copy of {BASELINE} in us-west-2, under a customer key", plan["creates"][0])
        self.assertIn("ec2:CopySnapshot", plan["iam_actions"])
        shared = self.fine("share", "case", "--account", FORENSICS_ACCOUNT, "--json").json()
        one = shared["shared"][0]
        self.assertEqual(one["copy_of"], BASELINE)
        self.assertEqual(self.lab.snapshots()[one["snapshot"]]["_accounts"], [FORENSICS_ACCOUNT])
        self.assertEqual(self.lab.snapshots()[BASELINE].get("_accounts", []), [])
        self.assertIn("kms:CreateGrant", " ".join(shared["remarks"]))
        again = self.fine("share", "case", "--account", FORENSICS_ACCOUNT, "--json").json()
        self.assertIn(one["snapshot"], [item["snapshot"] for item in again["shared"]])


if __name__ == "__main__":
    unittest.main()
