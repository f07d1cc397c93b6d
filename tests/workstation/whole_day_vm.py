"""The forensics instance for real: a virtual machine behind the lab's instance, the incident's two crash-consistent disks on it.

Needs QEMU, and ICECORE_VM: the folder that lab/vm/build makes (default build/vm). Two disks: ext4 in a GPT partition, XFS on the whole disk; both with a
journal that holds what the attacker did last.
"""
import os
import sys
import unittest
from pathlib import Path

import in_guest
from bench import DATA_VOLUME, DONE, QUICK, ROOT_VOLUME, Desk, Lab, alive
from harness import REPOSITORY

VM = Path(os.environ.get("ICECORE_VM", REPOSITORY / "build/vm"))
if not (VM / "vmlinuz").exists():
    sys.exit(f"tests/workstation/whole_day_vm.py: {VM} is missing; lab/vm/build --out {VM} makes it")


class VmTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(*QUICK, "--vm", VM)
        cls.desk = Desk(cls.lab)
        cls.before, cls.evidence = alive(cls.lab), cls.lab.snapshots()
        ran = cls.desk.ws("up", timeout=400)
        if ran.code != DONE:
            raise AssertionError(ran)

    @classmethod
    def tearDownClass(cls):
        cls.lab.stop()
        cls.desk.remove()

    def guest(self, script):
        return in_guest.run(self.lab.exports, self.desk.workstations()[0]["InstanceId"], script)

    def mounted(self, ran, code=DONE):
        self.assertEqual(ran.code, code, ran)
        return {one["path"]: one for one in ran.json()["mounts"] if one["path"]}

    def listing(self, folder):
        code, out, errors = self.guest(f"cd {folder} && find . | sort")
        self.assertEqual(code, 0, errors)
        return out

    def test_a_whole_day(self):
        data = f"/forensics/{DATA_VOLUME}/whole"
        # Attached in the other order than that of their devices later: the second disk first.
        snapshots = {item["VolumeId"]: key for key, item in self.evidence.items() if any(tag["Value"] == self.desk.case_id for tag in item.get("Tags", []))}
        ran = self.desk.ws("attach", "--snapshot", snapshots[DATA_VOLUME], "--json")
        mounts = self.mounted(ran)
        self.assertEqual(mounts[data]["filesystem"], "xfs")
        ran = self.desk.ws("attach", "--json")
        mounts = self.mounted(ran)
        root = next(path for path, one in mounts.items() if one["filesystem"] == "ext4")
        self.assertTrue(root.startswith(f"/forensics/{ROOT_VOLUME}/"), root)
        self.assertEqual(mounts[root]["state"], "recovered")
        self.assertEqual(mounts[data]["state"], "mounted", "as before")

        # A planted file through each mount, against the incident's own truth.
        code, hosts, _ = self.guest(f"cat {root}/etc/hosts")
        self.assertEqual(code, 0)
        self.assertIn("127.0.0.1", hosts)
        code, shell, _ = self.guest(f"find {data} -name .thumb.php | head -1 | xargs cat")
        self.assertIn("<?php", shell)

        # A write fails, through the mount and to the disk.
        for target in (root, data):
            code, _, errors = self.guest(f"touch {target}/evil")
            self.assertNotEqual(code, 0)
            self.assertIn("Read-only", errors)
        device = mounts[root]["words"].split()[0]
        code, _, _ = self.guest(f"echo evil > {device} || exit 7")
        self.assertEqual(code, 7)

        # Beside it, the disk as it stands: what only the journal knows is not there.
        ran = self.desk.ws("attach", "--as-is", "--json")
        mounts = self.mounted(ran)
        as_is = next(path for path, one in mounts.items() if one["filesystem"] == "ext4" and ".as-is/" in path)
        plain_hosts = self.guest(f"cat {as_is}/etc/hosts")[1]
        self.assertNotEqual(plain_hosts, hosts, "H16 stands only in the journal")
        self.assertTrue(any("127.0.0.1" in line and "security" in line for line in hosts.splitlines()), hosts)

        # The order of the disks in the guest is not that of their attaching.
        code, order, _ = self.guest("for f in /sys/block/nvme*/device/serial; do cat $f; done")
        self.assertEqual(len(order.split()), 4)

        # A copy to mess with, messed up, and a fresh one in its place.
        ran = self.desk.ws("attach", "--writable", "--snapshot", snapshots[DATA_VOLUME], "--json")
        writable = next(path for path in self.mounted(ran) if ".writable/" in path)
        before = self.listing(writable)
        code, _, errors = self.guest(f"rm -rf {writable}/* && echo mine > {writable}/mine && sync")
        self.assertEqual(code, 0, errors)
        self.assertNotEqual(self.listing(writable), before)
        # Somebody stands in it: reset says so, and takes it by force only.
        self.guest(f"cd {writable} && exec sleep 600 >/dev/null 2>&1 &")
        ran = self.desk.ws("reset", "--snapshot", snapshots[DATA_VOLUME])
        self.assertEqual(ran.code, 1, ran)
        self.assertIn("in use", ran.err)
        self.guest("killall sleep")
        ran = self.desk.ws("reset", "--snapshot", snapshots[DATA_VOLUME], "--json")
        self.assertIn(writable, self.mounted(ran))
        self.assertEqual(self.listing(writable), before)

        console = self.console()
        self.assertIn("icecore-lab", console)
        ran = self.desk.ws("down", timeout=120)
        self.assertEqual(ran.code, DONE, ran)
        self.assertEqual(alive(self.lab), self.before)
        self.assertEqual(self.lab.snapshots(), self.evidence)

    def console(self):
        return in_guest.client("ec2", self.lab.exports).get_console_output(InstanceId=self.desk.workstations()[0]["InstanceId"])["Output"]


if __name__ == "__main__":
    unittest.main()
