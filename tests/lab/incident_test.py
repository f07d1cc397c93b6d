"""The builder's parts that need no image; and, where an incident is built, that its truth is what lies on its disks."""
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(REPOSITORY / "lab"))

from incident import fleet, host_attack, journal, keys, payload, records, screenshot, sessions, story as s, syslog, utmp, world  # noqa: E402

STORY = s.Story(1795500000, 7)
BUILT = Path(os.environ.get("ICECORE_INCIDENT", REPOSITORY / "build/incident"))


class LogTest(unittest.TestCase):
    def setUp(self):
        self.records = records.all_records(STORY, keys.all_keys(STORY))

    def test_records_are_in_order_and_only_while_a_machine_runs(self):
        whens = [r.when for r in self.records]
        self.assertEqual(whens, sorted(whens))
        self.assertFalse([w for w in whens if s.REBOOT_STOP < w < s.REBOOT_START])

    def test_four_hundred_failures_then_the_login(self):
        failed = [r for r in self.records if r.text.startswith("Failed password") and s.ATTACKER in r.text]
        login = [r for r in self.records if r.text.startswith("Accepted password for admin from " + s.ATTACKER)]
        self.assertEqual((len(failed), len(login)), (400, 1))
        self.assertLess(failed[-1].when, login[0].when)

    def test_the_cut_takes_the_login_and_leaves_failures(self):
        low, high = host_attack.GAP
        lost = [r for r in self.records if low <= r.when <= high and syslog.FILES["auth.log"](r)]
        self.assertTrue(any("Accepted password" in r.text for r in lost))
        self.assertTrue(any(r.when < low and "Failed password" in r.text and s.ATTACKER in r.text for r in self.records))

    def test_btmp_is_struct_utmp(self):
        data = b"".join(e[1] for e in utmp.btmp_events(STORY))
        self.assertEqual(len(data), 384 * len(sessions.failures(STORY)))
        self.assertEqual(struct.unpack_from("<h", data)[0], utmp.LOGIN_PROCESS)

    @unittest.skipUnless(Path(journal.TOOL).exists(), "systemd-journal-remote is not installed")
    def test_journal_holds_what_auth_log_will_lose(self):
        with tempfile.TemporaryDirectory() as folder:
            path = journal.build(Path(folder) / "a.journal", STORY, self.records, "0" * 31 + "1", sessions.boots(STORY), s.GOLDEN_IMAGED, s.LAST_ACT)
            text = subprocess.run(["journalctl", "--file", path, "-o", "short-unix", "-t", "sshd"], capture_output=True, text=True, check=True).stdout
        login = next(l for l in text.splitlines() if "Accepted password" in l)
        self.assertAlmostEqual(float(login.split()[0]), STORY.at(-210), delta=0.01)


class KeyTest(unittest.TestCase):
    def test_ssh_keygen_reads_what_we_write(self):
        pair = keys.all_keys(STORY)["backup"]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "key"
            path.write_text(pair.private)
            path.chmod(0o600)
            public = subprocess.run(["ssh-keygen", "-y", "-f", path], capture_output=True, text=True, check=True).stdout.strip()
        self.assertEqual(public, pair.public)


class AccountTest(unittest.TestCase):
    def setUp(self):
        patches = {m[0]: {} for m in fleet.members(STORY)}
        self.world, self.ids = world.document(STORY, patches, STORY.t0, STORY.t0 - 8640000)

    def test_same_seed_same_account(self):
        again, _ = world.document(STORY, {m[0]: {} for m in fleet.members(STORY)}, STORY.t0, STORY.t0 - 8640000)
        self.assertEqual(again, self.world)

    def test_events_of_the_rows_are_the_attackers_and_noise_is_not(self):
        by_id = {e["EventId"]: json.loads(e["CloudTrailEvent"]) for e in self.world["cloudtrail_events"]}
        self.assertEqual(len(by_id), len(self.world["cloudtrail_events"]))
        for label, ids in self.ids.items():
            for event_id in ids:
                self.assertEqual(by_id[event_id]["sourceIPAddress"] == s.ATTACKER, label != "noise", by_id[event_id])
        self.assertEqual(len(self.ids["C2-run"]), 9)
        self.assertIn("Client.VcpuLimitExceeded", {by_id[e].get("errorCode") for e in self.ids["C2-run"]})

    def test_every_reference_leads_somewhere(self):
        volumes = {v["VolumeId"] for v in self.world["volumes"]}
        groups = {g["GroupId"] for g in self.world["security_groups"]}
        for instance in self.world["instances"]:
            for mapping in instance["BlockDeviceMappings"]:
                self.assertIn(mapping["Ebs"]["VolumeId"], volumes)
            self.assertLessEqual({g["GroupId"] for g in instance["SecurityGroups"]}, groups)
        self.assertIn("us-west-2a", {x["AvailabilityZone"] for x in self.world["subnets"]})
        self.assertEqual({v["AvailabilityZone"] for v in self.world["volumes"]}, {"us-west-2b"})

    def test_shapes_are_botocores(self):
        try:
            import botocore.session
        except ImportError:
            self.skipTest("botocore is not installed")
        model = botocore.session.get_session().get_service_model("ec2")
        for table, shape in [("instances", "Instance"), ("volumes", "Volume"), ("snapshots", "Snapshot"), ("network_interfaces", "NetworkInterface"), ("images", "Image"),
                             ("security_groups", "SecurityGroup"), ("subnets", "Subnet"), ("key_pairs", "KeyPairInfo"), ("launch_templates", "LaunchTemplate")]:
            for item in self.world[table]:
                newer = {"CurrentInstanceBootMode"} if table == "instances" else set()  # AWS has added it since Debian's botocore 1.29
                self.assertLessEqual({k for k in item if not k.startswith("_")} - newer, set(model.shape_for(shape).members), table)


class PayloadTest(unittest.TestCase):
    def test_the_miner_is_an_elf_that_only_talks(self):
        with tempfile.TemporaryDirectory() as folder:
            payload.compile_all(folder)
            data = (Path(folder) / "miner").read_bytes()
            self.assertEqual(data[:4], b"\x7fELF")
            self.assertIn(b"stratum+tcp://", data)
            done = subprocess.run([Path(folder) / "miner"], capture_output=True, timeout=5)
            self.assertEqual(done.returncode, 0)

    def test_screenshot_is_a_jpeg(self):
        data = screenshot.jpeg(["login: _"])
        self.assertEqual((data[:2], data[-2:]), (b"\xff\xd8", b"\xff\xd9"))


@unittest.skipUnless((BUILT / ".complete").exists() and os.geteuid() == 0, "no incident is built here")
class BuiltTest(unittest.TestCase):
    """`build --check` looks at the images again, in both views, and holds truth.json against them."""

    def test_truth_is_on_the_disks(self):
        done = subprocess.run([REPOSITORY / "lab/incident/build", "--check", "--out", BUILT], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_every_row_of_the_specification_is_there(self):
        truth = json.loads((BUILT / "truth.json").read_text())
        rows = [f"C{n}" for n in range(1, 5)] + [f"H{n}" for n in range(1, 17)] + ["W1", "W2", "M1"]
        self.assertEqual([r["id"] for r in truth["rows"]], rows)
        self.assertEqual({r["id"] for r in truth["rows"] if r["journal_only"]}, {"H15", "H16", "M1"})


if __name__ == "__main__":
    unittest.main()
