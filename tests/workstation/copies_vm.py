"""Two copies of one LVM or md on one machine: LVM's and mdadm's own tools, in the virtual machine, are the judges. The host that builds this may have no
device-mapper; the guest's kernel has.

Needs what whole_day_vm.py needs.
"""
import unittest

from bench import DATA_VOLUME, DONE, PARTIAL, ROOT_VOLUME
from fault_test import LOST, THROTTLED
from whole_day_vm import Bench

BUILT = 96  # MiB of a disk that the tests write

TOOLS = """
set -e
disk() { for f in /sys/block/nvme*/device/serial; do [ "$(tr -d ' \\n' <$f)" = "$1" ] || continue; d=${f%/device/serial}; echo /dev/${d##*/}; done; }
"""
# A filesystem as a crash leaves it: `new` is committed to the journal and nowhere else.
CRASH = """
mke2fs -q -t ext4 /dev/GROUP/data
mkdir -p /mnt
mount -t ext4 /dev/GROUP/data /mnt
echo old >/mnt/old
sync
echo new | dd of=/mnt/new conv=fsync 2>/dev/null
echo 3 >/proc/sys/vm/drop_caches
"""


class CopiesTest(Bench):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.of_data = ("--snapshot", cls.snapshots[DATA_VOLUME])

    def serial(self, *flags):
        """The serials of the disks of that view, on the machine."""
        ran = self.desk.ws("attach", *flags, *self.of_data, "--json")
        self.assertEqual(ran.code, DONE, ran)
        return [copy["volume"].replace("-", "") for copy in ran.json()["copies"]]

    def work(self, script):
        code, out, errors = self.guest(TOOLS + script)
        self.assertEqual(code, 0, out + errors)
        return out

    def mount(self, *flags):
        """What the printed script reports: {path: (state, words)}; nothing else may be in trouble."""
        ran = self.desk.ws("attach", *flags, *self.of_data, "--print-script")
        self.assertEqual(ran.code, DONE, ran)
        code, out, errors = self.guest(ran.out)
        self.assertEqual(code, 0, errors)
        lines = [line.split("\t") for line in out.splitlines() if line.startswith("icecore\t")]
        self.assertFalse([line for line in lines if line[4] in ("failed", "missing")], out + errors)
        return {line[5]: (line[4], line[6]) for line in lines if line[5]}

    def nothing_stands(self):
        self.assertEqual(self.work("cat /proc/mdstat | grep active || true; ls /dev/mapper; ls -d /sys/block/loop*/loop 2>/dev/null || true").split(), ["control"])

    def test_md_and_lvm_as_is_beside_the_recovered_copy(self):
        recovered, as_is = self.serial("--as-is")
        scratch, = self.serial("--writable")
        before = self.work(f"""
            scratch=$(disk {scratch})
            umount /forensics/*/whole
            dd if=/dev/zero of=$scratch bs=1M count={BUILT} 2>/dev/null
            mdadm --create /dev/md9 --run --level=1 --raid-devices=2 --metadata=1.2 --size=80M $scratch missing >/dev/null
            lvm pvcreate -qq -y /dev/md9
            lvm vgcreate -qq vg-one /dev/md9
            lvm lvcreate -qq -y -Zn -Wn -L 40M -n data vg-one
            {CRASH.replace("GROUP", "vg-one")}
            for serial in {recovered} {as_is}; do
                target=$(disk $serial)
                blockdev --setrw $target
                dd if=$scratch of=$target bs=1M count={BUILT} 2>/dev/null
            done
            umount /mnt
            lvm vgchange -qq -an vg-one
            mdadm --stop /dev/md9
            dd if=/dev/zero of=$scratch bs=1M count={BUILT} 2>/dev/null
            dd if=$(disk {as_is}) bs=1M count={BUILT} 2>/dev/null | sha256sum
        """).split()
        whole, plain = "/forensics/lvm-vg-one/data", "/forensics/lvm-vg-one.as-is/data"
        mounts = self.mount("--as-is")
        self.assertEqual(mounts[whole][0], "recovered", mounts)
        self.assertEqual(mounts[plain][0], "mounted", mounts)
        self.assertIn("the group is vg-one", mounts[plain][1])
        self.assertEqual(self.listing(whole).split(), [".", "./lost+found", "./new", "./old"])
        self.assertEqual(self.listing(plain).split(), [".", "./lost+found", "./old"])
        for folder in (whole, plain):
            self.assertIn("Read-only", self.guest(f"touch {folder}/evil")[2])
        states = self.work("for f in /sys/block/md*/md/array_state; do cat $f; done").split()
        self.assertIn("readonly", states)
        self.assertEqual(len(states), 2)
        # Again: nothing is made twice.
        mounts = self.mount("--as-is")
        self.assertEqual({path: "as before" in words for path, (_, words) in mounts.items()}, {whole: True, plain: True})
        self.assertEqual(len(self.work("ls /sys/block | grep -E '^(dm-|md)'").split()), 5, "two arrays, two volumes, one layer")
        after = self.work(f"echo 3 >/proc/sys/vm/drop_caches; dd if=$(disk {as_is}) bs=1M count={BUILT} 2>/dev/null | sha256sum").split()
        self.assertEqual(after[-2], before[-2], "not a byte of the as-is copy has changed")
        # And away again, all of it; fresh copies are in their places.
        ran = self.desk.ws("reset", *self.of_data, "--json")
        self.assertLessEqual({f"/forensics/{DATA_VOLUME}{view}/whole" for view in ("", ".as-is", ".writable")}, set(self.mounted(ran)))
        self.nothing_stands()

    def test_a_writable_copy_beside_the_recovered_one(self):
        recovered, = self.serial()
        writable, = self.serial("--writable")
        self.work(f"""
            writable=$(disk {writable})
            umount /forensics/*/whole
            dd if=/dev/zero of=$writable bs=1M count={BUILT} 2>/dev/null
            mdadm --create /dev/md9 --run --level=1 --raid-devices=2 --metadata=1.2 --size=80M $writable missing >/dev/null
            lvm pvcreate -qq -y /dev/md9
            lvm vgcreate -qq vg.two /dev/md9
            lvm lvcreate -qq -y -Zn -Wn -L 40M -n data vg.two
            {CRASH.replace("GROUP", "vg.two")}
            blockdev --setrw $(disk {recovered})
            dd if=$writable of=$(disk {recovered}) bs=1M count={BUILT} 2>/dev/null
            umount /mnt
            lvm vgchange -qq -an vg.two
            mdadm --stop /dev/md9
        """)
        whole, mine = "/forensics/lvm-vg.two/data", "/forensics/lvm-vg.two.writable/data"
        self.assertEqual(self.mount()[whole][0], "recovered")
        self.assertEqual(self.mount("--writable")[mine][0], "mounted")
        self.work(f"echo mine >{mine}/mine")
        self.assertEqual(self.listing(whole).split(), [".", "./lost+found", "./new", "./old"])
        self.assertEqual(self.listing(mine).split(), [".", "./lost+found", "./mine", "./new", "./old"])
        self.assertEqual(self.desk.ws("reset", *self.of_data).code, DONE)
        self.nothing_stands()

    def test_a_disk_that_went_while_it_was_mounted(self):
        self.serial()
        whole = f"/forensics/{DATA_VOLUME}/whole"
        there = self.listing(whole)
        # Nobody runs the script that unmounts: standard input is at its end, and the lab's machine loses the disk under the mount.
        ran = self.desk.ws("reset", *self.of_data, "--print-script")
        self.assertEqual(ran.code, DONE, ran)
        unmounting, mounting = ["#!/bin/sh" + script for script in ran.out.split("#!/bin/sh")[1:]]
        self.assertIn("\nrelease 'vol-", unmounting)
        code, out, errors = self.guest(mounting)
        self.assertEqual(code, 0, errors)
        line = next(line.split("\t") for line in out.splitlines() if f"\t{whole}\t" in line)
        self.assertNotIn("as before", line[6])
        self.assertEqual(self.listing(whole), there)

    def test_a_filesystem_that_will_not_mount_is_said_and_the_others_go_on(self):
        serial, = self.serial()
        whole = f"/forensics/{DATA_VOLUME}/whole"
        # An incompatible feature (bit 31 of s_feature_incompat, at 1120) that no kernel has.
        self.work(f"""
            disk=$(disk {serial})
            umount {whole}
            blockdev --setrw $disk
            mke2fs -q -F -t ext4 -O ^metadata_csum $disk
            printf '\\000\\000\\000\\200' | dd of=$disk bs=1 seek=1120 conv=notrunc 2>/dev/null
            sync
        """)
        ran = self.desk.ws("attach", "--json")
        self.assertEqual(ran.code, PARTIAL, ran)
        said = ran.json()
        of = {copy["volume"]: copy["of_volume"] for copy in said["copies"]}
        mounts = {of[one["volume"]]: one for one in said["mounts"] if one["filesystem"] == "ext4"}
        self.assertEqual((mounts[DATA_VOLUME]["state"], mounts[DATA_VOLUME]["path"]), ("failed", ""), ran)
        self.assertIn("unsupported", mounts[DATA_VOLUME]["words"], "the kernel's reason")
        self.assertIn("does not mount", said["anomalies"][0])
        self.assertIn(mounts[ROOT_VOLUME]["state"], ("recovered", "mounted"), ran)
        self.assertIn("./hosts", self.listing(f"{mounts[ROOT_VOLUME]['path']}/etc"))
        self.assertEqual(self.desk.ws("reset", *self.of_data).code, DONE)
        self.assertIn(".thumb.php", self.listing(whole))

    def test_a_command_that_is_throttled_or_whose_reply_is_lost_is_finished_by_the_next_run(self):
        self.addCleanup(self.lab.control, "DELETE", "faults")
        self.serial()
        for fault in (THROTTLED, LOST):
            for action in ("SendCommand", "GetCommandInvocation"):
                with self.subTest(action=action, fault=fault):
                    ran = self.desk.ws("reset", *self.of_data)
                    self.assertEqual(ran.code, DONE, ran)
                    self.work(f"umount /forensics/{DATA_VOLUME}/whole")
                    self.lab.control("PUT", "faults", {"script": [{"action": action, "nth": 1, **fault}]})
                    ran = self.desk.ws("attach", *self.of_data)
                    if ran.code != DONE:
                        ran = self.desk.ws("attach", *self.of_data)
                    self.assertEqual(ran.code, DONE, ran)
                    self.assertIn(".thumb.php", self.listing(f"/forensics/{DATA_VOLUME}/whole"))
                    self.assertEqual(len(self.desk.copies()), len({copy["VolumeId"] for copy in self.desk.copies()}))


if __name__ == "__main__":
    unittest.main()
