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
from policy_test import ARN, without

VM = Path(os.environ.get("ICECORE_VM", REPOSITORY / "build/vm"))
if not (VM / "vmlinuz").exists():
    sys.exit(f"tests/workstation/whole_day_vm.py: {VM} is missing; lab/vm/build --out {VM} makes it")


class Bench(unittest.TestCase):
    """A workstation that is up; each class boots one of its own."""

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(*QUICK, "--vm", VM)
        cls.desk = Desk(cls.lab)
        cls.before, cls.evidence = alive(cls.lab), cls.lab.snapshots()
        cls.snapshots = {item["VolumeId"]: key for key, item in cls.evidence.items() if any(tag["Value"] == cls.desk.case_id for tag in item.get("Tags", []))}
        ran = cls.desk.ws("up", timeout=400)
        if ran.code != DONE:
            raise AssertionError(ran)

    @classmethod
    def tearDownClass(cls):
        cls.lab.stop()
        cls.desk.remove()

    def guest(self, script):
        """Runs as an examiner would: through Systems Manager, with boto3 as the client."""
        return in_guest.run(self.lab.exports, self.desk.workstations()[0]["InstanceId"], script)

    def mounted(self, ran, code=DONE):
        self.assertEqual(ran.code, code, ran)
        return {one["path"]: one for one in ran.json()["mounts"] if one["path"]}

    def listing(self, folder):
        code, out, errors = self.guest(f"cd {folder} && find . | sort")
        self.assertEqual(code, 0, errors)
        return out

    def console(self):
        return in_guest.client("ec2", self.lab.exports).get_console_output(InstanceId=self.desk.workstations()[0]["InstanceId"])["Output"]


class WholeDayTest(Bench):
    def test_a_whole_day(self):
        data = f"/forensics/{DATA_VOLUME}/whole"
        # Attached in the other order than that of their devices later: the second disk first.
        ran = self.desk.ws("attach", "--snapshot", self.snapshots[DATA_VOLUME], "--json")
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
        ran = self.desk.ws("attach", "--writable", "--snapshot", self.snapshots[DATA_VOLUME], "--json")
        writable = next(path for path in self.mounted(ran) if ".writable/" in path)
        before = self.listing(writable)
        code, _, errors = self.guest(f"rm -rf {writable}/* && echo mine > {writable}/mine && sync")
        self.assertEqual(code, 0, errors)
        self.assertNotEqual(self.listing(writable), before)
        # Somebody stands in it: reset says so, and takes it by force only.
        self.guest(f"cd {writable} && exec sleep 600 >/dev/null 2>&1 &")
        ran = self.desk.ws("reset", "--snapshot", self.snapshots[DATA_VOLUME])
        self.assertEqual(ran.code, 1, ran)
        self.assertIn("in use", ran.err)
        self.guest("killall sleep")
        ran = self.desk.ws("reset", "--snapshot", self.snapshots[DATA_VOLUME], "--json")
        self.assertIn(writable, self.mounted(ran))
        self.assertEqual(self.listing(writable), before)

        self.with_only_its_policy()
        console = self.console()
        self.assertIn("icecore-lab", console)
        ran = self.desk.ws("down", timeout=120)
        self.assertEqual(ran.code, DONE, ran)
        self.assertEqual(alive(self.lab), self.before)
        self.assertEqual(self.lab.snapshots(), self.evidence)

    def with_only_its_policy(self):
        """The two actions that policy_test.py cannot try without a machine."""
        policy = self.desk.run("policy", "workstation attach").json()
        for missing in (None, "ssm:SendCommand", "ssm:GetCommandInvocation"):
            document = without(policy, missing)
            self.lab.control("PUT", "policies", {"arn": ARN, "policies": [document]})
            ran = self.desk.ws("attach")
            self.lab.control("PUT", "policies", {"arn": ARN, "policies": None})
            self.assertEqual(ran.code == DONE, missing is None, ran)
            self.assertIn(missing or "", ran.err)


class AssembledTest(Bench):
    def test_lvm_on_md_is_assembled_mounted_and_taken_apart(self):
        copies = self.desk.ws("attach", "--json").json()["copies"]
        source = next(copy for copy in copies if copy["of_volume"] == ROOT_VOLUME)
        attached = self.desk.ws("attach", "--writable", "--snapshot", self.snapshots[ROOT_VOLUME], "--json").json()["copies"][0]
        # A degraded mirror on the whole disk, a volume group on it, and in that the EFI partition of the other copy.
        code, out, errors = self.guest(f"""
            set -e
            disk() {{ for f in /sys/block/nvme*/device/serial; do [ "$(tr -d ' \\n' <$f)" = "$1" ] || continue; d=${{f%/device/serial}}; echo /dev/${{d##*/}}; done; }}
            big=$(disk {attached["volume"].replace("-", "")})
            esp=$(disk {source["volume"].replace("-", "")})p15
            umount /forensics/{ROOT_VOLUME}.writable/*
            dd if=/dev/zero of=$big bs=1M count=2 2>/dev/null
            blockdev --rereadpt $big
            mdadm --create /dev/md9 --run --level=1 --raid-devices=2 --metadata=1.2 $big missing
            lvm pvcreate -y /dev/md9
            lvm vgcreate vg-one /dev/md9
            lvm lvcreate -y -Zn -Wn -L 200M -n esp vg-one
            dd if=$esp of=/dev/vg-one/esp bs=1M 2>/dev/null
            lvm vgchange -an vg-one
            mdadm --stop /dev/md9
        """)
        self.assertEqual(code, 0, out + errors)
        script = self.desk.ws("attach", "--writable", "--snapshot", self.snapshots[ROOT_VOLUME], "--print-script").out
        code, out, errors = self.guest(script)
        self.assertEqual(code, 0, errors)
        self.assertIn("/forensics/lvm-vg-one/esp", out, errors)
        self.assertIn("EFI", self.listing("/forensics/lvm-vg-one/esp"))
        # And away again: nothing holds the disk any more, and a fresh copy is in its place.
        ran = self.desk.ws("reset", "--snapshot", self.snapshots[ROOT_VOLUME], "--json")
        self.assertIn(f"/forensics/{ROOT_VOLUME}.writable/1", self.mounted(ran))
        code, out, _ = self.guest("cat /proc/mdstat; ls /dev/mapper")
        self.assertNotIn("active", out)
        self.assertNotIn("vg--one", out)


if __name__ == "__main__":
    unittest.main()
