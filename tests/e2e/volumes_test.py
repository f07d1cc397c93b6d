"""A machine on two disks: its root in a partition of one, /srv a logical volume over both; LVM itself, under a guest kernel, made it."""
import json
import os
import re
import subprocess
import unittest

from harness import DONE, FAILED, PARTIAL, REPOSITORY, USAGE, Case, Lab, environment, icecore, scratch

SCRIPT = r"""
set -e
ins libcrc32c dm-mod
mkdir -p /run/lvm /run/lock/lvm
cat > /run/lvm/lvm.conf <<'C'
devices { dir="/dev" scan=["/dev"] obtain_device_list_from_udev=0 use_devicesfile=0 types=["ubd",16] filter=["a|ubd|","r|.*|"] }
activation { udev_sync=0 udev_rules=0 monitoring=0 }
global { locking_dir="/run/lock/lvm" use_lvmpolld=0 event_activation=0 }
backup { backup=0 archive=0 }
C
export LVM_SYSTEM_DIR=/run/lvm
mkfs.ext4 -q -d FOLDER/root /dev/ubda1
pvcreate -q -ff -y /dev/ubda2 /dev/ubdb
vgcreate -q -s 1M shop /dev/ubda2 /dev/ubdb
lvcreate -q -y -Zn -Wn -n web-data -L 40M shop
mkfs.ext4 -q -d FOLDER/srv /dev/shop/web-data
pvs --noheadings -o pv_uuid /dev/ubdb | tr -d ' ' > FOLDER/missing
vgchange -q -an shop
"""


class TwoDisksTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = scratch()
        root, srv = cls.folder / "root", cls.folder / "srv"
        for place in ("etc", "usr/lib", "bin", "sbin", "lib", "var/log", "srv"):
            (root / place).mkdir(parents=True)
        (root / "etc/os-release").write_text("ID=debian\n")
        (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
        (root / "etc/fstab").write_text("/dev/mapper/shop-web--data /srv ext4 defaults 0 2\n")
        srv.mkdir()
        (srv / "hello.txt").write_text("hello from two disks\n")
        cls.numbers = b"".join(b"%d\n" % i for i in range(3_000_000))
        (srv / "numbers").write_bytes(cls.numbers)
        cls.first, cls.second = cls.folder / "first.raw", cls.folder / "second.raw"
        for disk in (cls.first, cls.second):
            with open(disk, "wb") as file:
                file.truncate(32 << 20)
        subprocess.run(["sgdisk", "-n", "1:0:+10M", "-n", "2:0:0", "-t", "2:8e00", cls.first], check=True, stdout=subprocess.DEVNULL)
        job = cls.folder / "job"
        job.write_text(SCRIPT.replace("FOLDER", str(cls.folder)))
        # The commas and spaces of a path would end the name of a disk on the kernel's command line; scratch folders have none.
        console = open(cls.folder / "console", "wb")
        cls.addClassCleanup(console.close)
        subprocess.run(["linux.uml", "mem=256M", f"ubd0={cls.first}", f"ubd1={cls.second}", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "rw",
                        f"init={REPOSITORY / 'tests/data/guest.sh'}", "quiet", "con=null", "con0=null,fd:1", f"JOB={job}"],
                       stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT, timeout=300, env=dict(os.environ, TMPDIR="/dev/shm"))
        said = cls.folder / "job.code"
        assert said.exists() and said.read_text() == "0\n", (cls.folder / "job.out").read_text()
        cls.env = environment(home=cls.folder)

    def run_it(self, *arguments):
        return icecore(*arguments, env=self.env, cwd=self.folder)

    def test_both_together_are_the_machine(self):
        ran = self.run_it("ls", self.first, "/srv", "--with", self.second, "--json")
        self.assertEqual(ran.code, DONE, ran)
        self.assertEqual([os.path.basename(file["path"]) for file in ran.json()], ["hello.txt", "lost+found", "numbers"])
        ran = self.run_it("cat", self.second, "/srv/numbers", "--with", self.first)  # in any order
        self.assertEqual(ran.code, DONE, ran.err)
        self.assertEqual(ran.out_bytes, self.numbers)

    def test_the_timeline_is_whole(self):
        ran = self.run_it("timeline", self.first, "--with", self.second, "--format", "bodyfile")
        self.assertEqual(ran.code, DONE, ran.err)
        self.assertIn(b"|/srv/numbers|", ran.out_bytes)

    def test_a_byte_is_found_on_the_disk_and_place_that_is_named(self):
        ran = self.run_it("stat", self.first, "/srv/hello.txt", "--with", self.second, "--json")
        self.assertEqual(ran.code, DONE, ran)
        extent = ran.json()["extents"][0]
        with open(extent["snapshot"], "rb") as disk:
            disk.seek(extent["image_offset"])
            self.assertEqual(disk.read(20), b"hello from two disks")

    def test_one_alone_says_which_other_is_missing(self):
        ran = self.run_it("timeline", self.first, "--format", "bodyfile")
        self.assertEqual(ran.code, PARTIAL, ran)
        ran = self.run_it("triage", self.first)
        self.assertIn((self.folder / "missing").read_text().strip(), ran.out, ran)

    def test_two_snapshots_of_one_case_are_put_together(self):
        lab = Lab()
        self.addCleanup(lab.stop)
        case = Case(lab)
        self.addCleanup(case.remove)
        for disk in (self.first, self.second):
            up = case.run("upload", disk, "--json")
            self.assertEqual(up.code, DONE, up)
            ran = case.run("triage", up.json()["snapshot"], "--case", "both")
            self.assertEqual(ran.code, PARTIAL, ran)  # alone each lacks the other
        ran = case.run("ls", "both", "/srv", "--json")
        self.assertEqual(ran.code, DONE, ran)
        self.assertEqual([os.path.basename(file["path"]) for file in ran.json()], ["hello.txt", "lost+found", "numbers"])
        ran = case.run("cat", "both", "/srv/numbers")
        self.assertEqual(ran.out_bytes, self.numbers)
        ran = case.run("triage", "both", "--json")
        self.assertEqual((ran.code, ran.json()["complete"], ran.json()["missing_mounts"]), (DONE, True, []), ran)

    def test_with_is_for_images_and_each_is_named_once(self):
        ran = self.run_it("ls", self.first, "--with", self.first)
        self.assertIn(ran.code, (FAILED, USAGE), ran)
        self.assertIn("twice", ran.err)
        ran = self.run_it("ls", self.first, "--with", self.folder / "nowhere")
        self.assertIn(ran.code, (FAILED, USAGE), ran)
        self.assertIn("nowhere", ran.err)


class LuksTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = scratch()
        (cls.folder / "tree").mkdir()
        (cls.folder / "tree/secret.txt").write_text("behind the lock\n")
        (cls.folder / "right").write_text("open sesame\n")
        (cls.folder / "wrong").write_text("open, barley\n")
        commands = ("truncate -s 8M plain && mkfs.ext4 -q -d tree plain && printf 'open sesame' > key && qemu-img convert -f raw -O luks "
                    "--object secret,id=k,file=key -o key-secret=k,iter-time=10 plain luks.raw")
        for left in range(9, -1, -1):  # qemu-img measures PBKDF2 against the clock, and gives up on a machine that is busy
            if subprocess.run(commands, shell=True, cwd=cls.folder, check=left == 0, stdout=subprocess.DEVNULL).returncode == 0:
                break
        cls.env = environment(home=cls.folder)

    def run_it(self, *arguments):
        return icecore(*arguments, env=self.env, cwd=self.folder)

    def test_the_passphrase_opens_it(self):
        ran = self.run_it("timeline", "luks.raw", "--format", "bodyfile", "--luks-passphrase-file", "right")
        self.assertEqual(ran.code, DONE, ran.err)
        self.assertIn("secret.txt", ran.out)
        ran = self.run_it("timeline", "luks.raw", "--format", "bodyfile", "--luks-key-file", "key")
        self.assertIn("secret.txt", ran.out)

    def test_an_encrypted_snapshot_is_investigated(self):
        lab = Lab()
        self.addCleanup(lab.stop)
        case = Case(lab)
        self.addCleanup(case.remove)
        up = case.run("upload", self.folder / "luks.raw", "--json")
        self.assertEqual(up.code, DONE, up)
        locked = case.run("investigate", up.json()["snapshot"], "--case", "locked")
        self.assertNotEqual(locked.code, DONE, locked)
        ran = case.run("investigate", up.json()["snapshot"], "--case", "open", "--luks-key-file", self.folder / "key")
        self.assertIn(ran.code, (DONE, PARTIAL), ran)
        self.assertIn("/secret.txt", (case.cwd / "open/analysis/timeline.jsonl").read_text())

    def test_without_it_icecore_says_what_it_is_and_what_to_do(self):
        ran = self.run_it("ls", "luks.raw")
        self.assertEqual(ran.code, FAILED, ran)
        self.assertIn("LUKS1", ran.err)
        self.assertIn("--luks-passphrase-file", ran.err)
        ran = self.run_it("ls", "luks.raw", "--luks-passphrase-file", "wrong")
        self.assertEqual(ran.code, FAILED, ran)
        self.assertIn("no key given opens", ran.err)
        self.assertNotIn("barley", ran.out + ran.err)


class EmptyTest(unittest.TestCase):
    """A machine with a partition that nobody ever formatted, as sgdisk makes it, beside its root and BIOS boot."""

    def setUp(self):
        self.folder = scratch()
        self.env = environment(home=self.folder)
        tree = self.folder / "tree"
        for place in ("etc", "usr/lib", "bin", "sbin", "lib", "var/log"):
            (tree / place).mkdir(parents=True)
        (tree / "etc/os-release").write_text("ID=debian\n")
        (tree / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
        (tree / "etc/fstab").write_text("LABEL=shop-data /srv ext4 defaults 0 2\n")
        self.disk = self.folder / "disk.raw"
        self.make(self.disk, "-n", "2:0:+100M", "-t", "2:8300")

    def make(self, disk, *more):
        with open(disk, "wb") as file:
            file.truncate(160 << 20)
        subprocess.run(["sgdisk", "-n", "14:0:+1M", "-t", "14:ef02", "-n", "1:0:+16M", "-t", "1:8300", *more, disk], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["mkfs.ext4", "-q", "-d", self.folder / "tree", "-E", f"offset={self.start(disk, 1)}", disk, "16M"], check=True, capture_output=True)
        self.write(disk, self.start(disk, 14), b"\xea\x05\x7c" + b"core.img" * 1000)

    def start(self, disk, number):
        table = json.loads(subprocess.run(["sfdisk", "--json", disk], check=True, capture_output=True).stdout)["partitiontable"]
        return next(part["start"] for part in table["partitions"] if part["node"] == f"{disk}{number}") * 512

    def write(self, disk, offset, content):
        with open(disk, "r+b") as file:
            file.seek(offset)
            file.write(content)

    def run_it(self, *arguments):
        return icecore(*arguments, env=self.env, cwd=self.folder)

    def test_it_is_named_and_is_no_gap(self):
        blank = self.folder / "blank.raw"  # a whole volume that was attached and never used
        with open(blank, "wb") as file:
            file.truncate(64 << 20)
        ran = self.run_it("triage", self.disk, "--with", blank, "--json")
        self.assertEqual(ran.code, DONE, ran)
        told = ran.json()
        self.assertEqual((told["complete"], told["anomalies"]), (True, 0), told)
        self.assertEqual(sorted(told["empty_volumes"]), [str(blank), f"{self.disk} partition 2"])
        self.assertEqual(told["missing_mounts"], ["LABEL=shop-data on /srv"])
        ran = self.run_it("triage", self.disk, "--with", blank)
        self.assertEqual(ran.code, DONE, ran)
        for line in (f"{self.disk} partition 2 is empty", f"{blank} is empty", "mounts LABEL=shop-data on /srv"):
            self.assertIn(line, ran.out)
        for command in ("timeline", "recover", "ls"):
            with self.subTest(command=command):
                self.assertEqual(self.run_it(command, self.disk, "--with", blank).code, DONE)

    def test_what_is_not_known_stays_an_anomaly(self):
        at = self.start(self.disk, 2)
        for place, words in ((0, "encrypted without a header"), (30000, "encrypted without a header"), (50 << 20, "may have been wiped")):
            with self.subTest(place=place):
                self.write(self.disk, at + place, os.urandom(70000))
                ran = self.run_it("triage", self.disk)
                self.assertEqual(ran.code, PARTIAL, ran)
                told = " ".join(ran.out.split())  # it is broken into lines
                self.assertIn("partition 2", told)
                self.assertIn("no known filesystem begins here", told)
                self.assertIn(words, told)
                self.assertNotIn("is empty", told)
                self.write(self.disk, at + place, bytes(70000))

    def test_the_tables_word_that_it_is_swap_hides_nothing(self):
        """Swap, garbage where a random key encrypts it, and a filesystem behind the type of swap."""
        subprocess.run(["sgdisk", "-t", "2:8200", self.disk], check=True, stdout=subprocess.DEVNULL)
        at = self.start(self.disk, 2)
        subprocess.run(["mkswap", "-q", "--offset", str(at), self.disk, str(100 << 10)], check=False, capture_output=True)
        self.assertEqual(self.run_it("triage", self.disk).code, DONE)
        self.write(self.disk, at, os.urandom(100_000))
        self.assertEqual(self.run_it("triage", self.disk).code, DONE)
        (self.folder / "tree/hidden").write_text("not swap\n")
        subprocess.run(["mkfs.ext4", "-q", "-F", "-d", self.folder / "tree", "-E", f"offset={at}", self.disk, "16M"], check=True, capture_output=True)
        ran = self.run_it("timeline", self.disk, "--format", "bodyfile")
        self.assertIn("partition-2/hidden|", ran.out)

    def test_btrfs_is_called_by_its_name(self):
        data = self.folder / "data.raw"
        with open(data, "wb") as file:
            file.truncate(128 << 20)
        subprocess.run(["mkfs.btrfs", "-q", "-L", "shop-data", "--rootdir", self.folder / "tree", data], check=True, capture_output=True)
        ran = self.run_it("triage", self.disk, "--with", data)
        self.assertEqual(ran.code, PARTIAL, ran)
        self.assertIn("this is btrfs, which this version does not read", ran.out)
        self.assertIn(str(data), ran.out)
        self.assertIn("btrfs restore", ran.out)  # what to do instead
        self.assertIn("mounts LABEL=shop-data on /srv", ran.out)

    def test_nothing_else_is_no_machine(self):
        subprocess.run(["sgdisk", "-d", "1", self.disk], check=True, stdout=subprocess.DEVNULL)
        ran = self.run_it("triage", self.disk)
        self.assertEqual(ran.code, PARTIAL, ran)
        self.assertIn("this is empty", ran.out)
        ran = self.run_it("ls", self.disk)
        self.assertEqual(ran.code, FAILED, ran)
        self.assertIn("this is empty", ran.err)
        subprocess.run(["sgdisk", "-d", "2", self.disk], check=True, stdout=subprocess.DEVNULL)
        ran = self.run_it("triage", self.disk)
        self.assertEqual(ran.code, PARTIAL, ran)
        self.assertIn("swap, boot code", ran.out)

    def test_looking_at_it_fetches_nothing(self):
        lab = Lab()
        self.addCleanup(lab.stop)
        case = Case(lab)
        self.addCleanup(case.remove)
        self.make(self.folder / "without.raw")
        fetched = {}
        for disk in (self.disk, self.folder / "without.raw"):
            up = case.run("upload", disk, "--json")
            self.assertEqual(up.code, DONE, up)
            ran = case.run("triage", up.json()["snapshot"], "--case", disk.stem)
            self.assertEqual(ran.code, DONE, ran)
            fetched[disk.stem] = int(re.search(r"fetched (\d+) blocks", ran.out + ran.err).group(1))
        self.assertEqual(fetched["disk"], fetched["without"])


if __name__ == "__main__":
    unittest.main()
