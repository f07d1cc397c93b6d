"""A machine on two disks: its root in a partition of one, /srv a logical volume over both; LVM itself, under a guest kernel, made it."""
import os
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


if __name__ == "__main__":
    unittest.main()
