"""`icecore mount --writable`: a copy to mess with, for a kernel; `icecore reset` makes it pristine."""
import errno
import os
import random
import signal
import subprocess
import unittest

from fuse import Fuse
from harness import DATA_VOLUME, DONE, FAILED, USAGE, Case, Lab, environment, icecore, scratch, sha256


class Loop:
    """A loop device over a file, as root attaches it."""

    def __init__(self, file, offset=0):
        self.device = subprocess.run(["losetup", "--find", "--show", "--offset", str(offset), file], capture_output=True, text=True, check=True).stdout.strip()

    def __enter__(self):
        return self.device

    def __exit__(self, *_):
        subprocess.run(["losetup", "--detach", self.device], check=True)


def dirty_ext4(image, folder):
    """An image as a snapshot of a running machine: the last files are only in the journal."""
    live, top = folder / "live.raw", folder / "live"
    subprocess.run(["truncate", "-s", "128M", live], check=True)
    subprocess.run(["mkfs.ext4", "-q", live], check=True)
    top.mkdir()
    with Loop(live) as device:
        subprocess.run(["mount", device, top], check=True)
        (top / "before").write_text("before")
        subprocess.run(["sync", "-f", top], check=True)
        for number in range(50):
            (top / f"in-journal-{number}").write_text(str(number))
        fd = os.open(top / "in-journal-49", os.O_RDWR)
        os.fsync(fd)
        os.close(fd)
        subprocess.run(["cp", "--sparse=always", device, image], check=True)
        subprocess.run(["umount", top], check=True)


class WritableTest(unittest.TestCase):
    def setUp(self):
        self.folder = scratch()
        self.env = environment(home=self.folder)
        self.image, self.layer = self.folder / "disk.raw", self.folder / "disk.layer"
        self.top = self.folder / "top"
        self.top.mkdir()

    def mount(self, *flags):
        return Fuse(self.image, "--writable", "--layer", self.layer, *flags, env=self.env, cwd=self.folder)

    def test_a_kernel_recovers_and_changes_the_copy_and_reset_makes_it_pristine(self):
        dirty_ext4(self.image, self.folder)
        pristine = sha256(self.image)
        for attempt in range(2):  # what was changed is there again in the next mount
            with self.mount() as mount:
                raw = mount.folder / "volumes/disk.raw/image.raw"
                self.assertEqual(os.listdir(mount.folder), ["volumes"])
                if attempt == 0:
                    self.assertEqual(sha256(raw), pristine)
                with Loop(raw) as device:
                    subprocess.run(["mount", device, self.top], check=True)
                    self.assertEqual(len([name for name in os.listdir(self.top) if name.startswith("in-journal")]), 50)
                    self.assertEqual((self.top / "mine").exists(), attempt == 1)
                    (self.top / "mine").write_bytes(b"mine" * 100000)
                    subprocess.run(["umount", self.top], check=True)
                busy = icecore("reset", self.image, "--layer", self.layer, env=self.env, cwd=self.folder)
                self.assertEqual(busy.code, FAILED, busy)
                self.assertIn("is mounted", busy.err)
            self.assertEqual(mount.ran.code, DONE, mount.ran)
            self.assertEqual(sha256(self.image), pristine)
        self.assertEqual(icecore("reset", self.image, "--layer", self.layer, env=self.env, cwd=self.folder).code, DONE)
        self.assertFalse(self.layer.exists())
        with self.mount() as mount:
            self.assertEqual(sha256(mount.folder / "volumes/disk.raw/image.raw"), pristine)

    def test_a_new_filesystem_on_the_copy_survives_a_kill(self):
        with open(self.image, "wb") as image:
            image.write(random.Random(3).randbytes(8 << 20))
            image.truncate(96 << 20)
        pristine = sha256(self.image)
        with self.mount() as mount:
            raw = mount.folder / "volumes/disk.raw/image.raw"
            with open(raw, "r+b") as disk:
                disk.seek(5 << 20)
                disk.write(b"\x01" * 12345)
            with Loop(raw) as device:
                subprocess.run(["mkfs.ext4", "-q", "-F", device], check=True)  # trims first
                subprocess.run(["mount", device, self.top], check=True)
                (self.top / "kept").write_text("kept")
                subprocess.run(["umount", self.top], check=True)
            with self.assertRaises(OSError) as caught, open(raw, "r+b") as disk:
                disk.truncate(1)
            self.assertEqual(caught.exception.errno, errno.EPERM)
            wanted = sha256(raw)
            os.kill(mount.process.pid, signal.SIGKILL)
            mount.process.communicate()
            subprocess.run(["fusermount3", "-u", mount.folder], check=True)
            mount.ran = False
        with self.mount() as mount:
            raw = mount.folder / "volumes/disk.raw/image.raw"
            self.assertEqual(sha256(raw), wanted)
            subprocess.run(["e2fsck", "-fn", raw], check=True, capture_output=True)
        self.assertEqual(sha256(self.image), pristine)
        os.utime(self.image, ns=(1, 1))
        ran = icecore("mount", "-w", "--layer", self.layer, self.image, self.folder / "mnt", env=self.env, cwd=self.folder)
        self.assertEqual(ran.code, FAILED, ran)
        self.assertIn("holds changes to", ran.err)

    def test_where_the_changes_go_has_to_be_said(self):
        dirty_ext4(self.image, self.folder)
        ran = icecore("mount", "--writable", self.image, self.folder / "mnt", env=self.env, cwd=self.folder)
        self.assertEqual(ran.code, USAGE, ran)
        self.assertIn("--layer", ran.err)


class WritableSnapshotTest(unittest.TestCase):
    def test_the_layer_of_a_case_and_reset_without_a_call(self):
        lab = Lab()
        case = Case(lab)
        snapshot = case.run("collect", DATA_VOLUME, "--json").json()["snapshots"][0]["snapshot"]
        folder, raw = case.cwd / f"case-{snapshot}", f"volumes/{DATA_VOLUME}/image.raw"
        with Fuse(snapshot, "-w", env=case.env, cwd=case.cwd) as mount, open(mount.folder / raw, "r+b") as disk:
            disk.seek(1 << 30)
            disk.write(b"changed")
        self.assertEqual(mount.ran.code, DONE, mount.ran)
        self.assertEqual(case.run("verify", folder).code, DONE)
        with Fuse(folder, "-w", env=case.env, cwd=case.cwd) as mount:
            with open(mount.folder / raw, "rb") as disk:
                self.assertEqual(os.pread(disk.fileno(), 7, 1 << 30), b"changed")
            self.assertIn("in use by", case.run("reset", snapshot).err)
        lab.stop()
        ran = case.run("reset", snapshot)
        self.assertEqual(ran.code, DONE, ran)
        self.assertEqual(case.run("verify", folder).code, DONE)
        ran = case.run("reset", snapshot)
        self.assertEqual(ran.code, FAILED, ran)
        self.assertIn("has no layer", ran.err)


if __name__ == "__main__":
    unittest.main()
