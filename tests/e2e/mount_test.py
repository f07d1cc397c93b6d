"""`icecore mount` against the kernel's own mount of a recovered copy, and against tools that have never heard of a snapshot."""
import errno
import json
import os
import random
import re
import signal
import sqlite3
import stat
import subprocess
import threading
import time
import unittest
from pathlib import Path

from fuse import Fuse, mounted
from harness import DONE, FAILED, INCIDENT, INTEGRITY, PARTIAL, ROOT_VOLUME, USAGE, Case, Lab, environment, icecore, scratch, sha256
from recovered import Mounted

ROOT = INCIDENT / "root.raw"
BLOCK = 524288


def tree(top):
    """path below `top` → lstat."""
    found, top = {}, os.fsencode(top)
    for directory, folders, files in os.walk(top, onerror=lambda error: found.setdefault(b"error", error)):
        for name in folders + files:
            path = os.path.join(directory, name)
            found[path[len(top):]] = os.lstat(path)
    return found


def elsewhere(path):
    """Below another partition's mount point, which the kernel's mount of the root alone shows empty; and where the machine has more volumes."""
    return path.startswith((b"/boot/efi", b"/volumes"))


class ImageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.kernel_mount = Mounted(ROOT)
        cls.kernel_root = os.fsencode(cls.kernel_mount.__enter__())
        cls.addClassCleanup(cls.kernel_mount.__exit__)
        cls.folder = scratch()
        cls.env = environment(home=cls.folder)
        cls.mount = Fuse(ROOT, env=cls.env, cwd=cls.folder).__enter__()
        cls.addClassCleanup(cls.mount.__exit__)
        cls.root = os.fsencode(cls.mount.folder / "root")
        cls.volume = cls.mount.folder / "volumes/root.raw"
        cls.kernel = {path: status for path, status in tree(cls.kernel_root).items() if not elsewhere(path)}

    def test_every_file_has_the_kernels_name_mode_owner_size_and_times(self):
        ours = {path: status for path, status in tree(self.root).items() if not elsewhere(path)}
        self.assertEqual(set(ours), set(self.kernel))
        special = 0
        for path, wanted in self.kernel.items():
            got = ours[path]
            plain = stat.S_ISREG(wanted.st_mode) or stat.S_ISDIR(wanted.st_mode) or stat.S_ISLNK(wanted.st_mode)
            special += not plain
            kind = stat.S_IFMT(wanted.st_mode) if plain else stat.S_IFREG
            size = wanted.st_size if plain else 0
            self.assertEqual((got.st_ino, got.st_mode, got.st_size, got.st_uid, got.st_gid, got.st_nlink, got.st_mtime_ns, got.st_ctime_ns, got.st_atime_ns),
                             (wanted.st_ino, kind | wanted.st_mode & 0o1777, size, wanted.st_uid, wanted.st_gid, wanted.st_nlink, wanted.st_mtime_ns,
                              wanted.st_ctime_ns, wanted.st_atime_ns), path)
            if not plain:
                self.assertIn("user.icecore.type", os.listxattr(self.root + path))
        self.assertGreater(len(ours), 5000)

    def test_contents_are_the_kernels(self):
        regular = sorted(path for path, status in self.kernel.items() if stat.S_ISREG(status.st_mode))
        largest = sorted(regular, key=lambda path: self.kernel[path].st_size)[-5:]
        for path in random.Random(5).sample(regular, 400) + largest:
            self.assertEqual(sha256(self.root + path), sha256(self.kernel_root + path), path)

    def test_links_lead_where_the_machine_would_go_and_never_out(self):
        links = [path for path, status in self.kernel.items() if stat.S_ISLNK(status.st_mode)]
        self.assertGreater(len(links), 200)
        for path in links:
            target = os.readlink(self.kernel_root + path)
            shown = os.readlink(self.root + path)
            self.assertFalse(shown.startswith(b"/"), (path, shown))
            # The oracle follows the machine's own link as a chroot would: an absolute one from the top.
            beside = self.kernel_root + (target if target.startswith(b"/") else os.path.dirname(path) + b"/" + target)
            inside = os.path.normpath(self.root + os.path.dirname(path) + b"/" + shown)
            self.assertTrue(inside.startswith(self.root), (path, shown))
            if os.path.lexists(beside) and not elsewhere(target):
                self.assertEqual(os.path.normpath(beside)[len(self.kernel_root):], inside[len(self.root):], path)

    def test_nothing_can_be_written_or_run(self):
        for path in (b"/etc/passwd", b"/new"):
            with self.assertRaises(OSError) as caught:
                open(self.root + path, "wb").close()
            self.assertEqual(caught.exception.errno, errno.EROFS)
        with self.assertRaises(PermissionError):
            subprocess.run([self.root + b"/usr/bin/true"], check=False)
        with open("/proc/mounts", encoding="utf-8") as mounts:
            flags = next(line.split()[3].split(",") for line in mounts if line.split()[1] == str(self.mount.folder))
        self.assertLessEqual({"ro", "nosuid", "nodev", "noexec"}, set(flags))

    def test_attributes_of_files(self):
        attributed = 0
        for path, status in self.kernel.items():
            if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o6000 == 0 and b"/bin/" not in path:
                continue
            wanted = {name: os.getxattr(self.kernel_root + path, name) for name in os.listxattr(self.kernel_root + path)}
            names = os.listxattr(self.root + path)
            got = {name[len("user.icecore.xattr."):]: os.getxattr(self.root + path, name) for name in names if name.startswith("user.icecore.xattr.")}
            self.assertEqual(got, {name: value for name, value in wanted.items() if not name.startswith("user.")}, path)
            self.assertFalse([name for name in names if not name.startswith("user.")])
            attributed += len(wanted)
            if status.st_mode & 0o6000:
                self.assertEqual(os.getxattr(self.root + path, "user.icecore.mode").decode(), f"{status.st_mode:o}")

    def test_raw_files_are_the_images_bytes(self):
        self.assertEqual(os.stat(self.volume / "image.raw").st_size, ROOT.stat().st_size)
        mmls = [subprocess.run(["mmls", image], capture_output=True, text=True, check=True).stdout for image in (ROOT, self.volume / "image.raw")]
        self.assertEqual(*mmls)
        table = json.loads(subprocess.run(["sfdisk", "--json", ROOT], capture_output=True, text=True, check=True).stdout)["partitiontable"]
        with open(ROOT, "rb") as image, open(self.volume / "image.raw", "rb") as ours:
            for number, part in enumerate(table["partitions"], 1):
                number = int(re.search(r"(\d+)$", part["node"])[1])
                with open(self.volume / f"partition-{number}.raw", "rb") as shown:
                    image.seek(part["start"] * 512)
                    self.assertEqual(shown.read(4 << 20), image.read(min(4, part["size"] // 2048) << 20))
            for offset in random.Random(1).sample(range(0, ROOT.stat().st_size, 4096), 500):
                image.seek(offset + 7)
                ours.seek(offset + 7)
                self.assertEqual(ours.read(9000), image.read(9000))


class SmallImageTest(unittest.TestCase):
    def setUp(self):
        self.folder = scratch()
        self.env = environment(home=self.folder)
        self.image = self.folder / "disk.raw"

    def make(self, fill):
        source = self.folder / "source"
        source.mkdir()
        fill(source)
        subprocess.run(["truncate", "-s", "64M", self.image], check=True)
        subprocess.run(["mkfs.ext4", "-q", "-b", "4096", "-N", "16384", "-d", source, self.image], check=True)

    def mount(self, *flags, **more):
        return Fuse(self.image, *flags, env=self.env, cwd=self.folder, **more)

    def test_whole_image_hash(self):
        self.make(lambda source: (source / "data").write_bytes(random.Random(2).randbytes(20 << 20)))
        with self.mount() as mount:
            disk = mount.folder / "volumes/disk.raw"
            self.assertEqual(sorted(os.listdir(disk)), ["filesystem", "image.raw"])
            self.assertEqual(sha256(disk / "image.raw"), sha256(self.image))
            self.assertEqual(sha256(disk / "filesystem/data"), sha256(self.folder / "source/data"))
        self.assertEqual(mount.ran.code, DONE, mount.ran)

    def test_hostile_links_and_names(self):
        def fill(source):
            (source / "a/b").mkdir(parents=True)
            os.symlink("/etc/passwd", source / "a/absolute")
            os.symlink("../" * 30 + "etc/passwd", source / "a/b/climb")
            os.symlink("a/../../../../../../../etc", source / "through")
            os.symlink("a/b/up/../../../../../etc", source / "through-link")
            os.symlink("../../..", source / "a/b/up")
            os.symlink("self", source / "self")
            for name in ("\x1b[31m", "new\nline", "-rf", "\u202egpj.exe", "x" * 255):
                (source / "a" / name).write_text(name)
            os.mkfifo(source / "fifo")
            os.mknod(source / "null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
            os.mknod(source / "disk", 0o660 | stat.S_IFBLK, os.makedev(259, 300))
        self.make(fill)
        with self.mount() as mount:
            top = mount.folder / "volumes/disk.raw/filesystem"
            for link in ("a/absolute", "a/b/climb", "through", "through-link", "a/b/up"):
                self.assertTrue(os.path.realpath(top / link).startswith(str(top)), (link, os.readlink(top / link)))
            for name in os.listdir(self.folder / "source/a"):
                if name not in ("b", "absolute"):
                    self.assertEqual((top / "a" / name).read_text(), name)
            for name, kind, device in (("fifo", b"fifo", None), ("null", b"character device", b"1:3"), ("disk", b"block device", b"259:300")):
                self.assertTrue(stat.S_ISREG(os.stat(top / name).st_mode))
                self.assertEqual((top / name).read_bytes(), b"")
                self.assertEqual(os.getxattr(top / name, "user.icecore.type"), kind)
                if device:
                    self.assertEqual(os.getxattr(top / name, "user.icecore.device"), device)

    def test_a_large_folder_costs_no_square(self):
        def fill(source):
            for number in range(12000):
                (source / f"file-{number:05}-with-a-name-of-some-length").touch()
        self.make(fill)
        with self.mount() as mount:
            began = time.monotonic()
            top = mount.folder / "volumes/disk.raw/filesystem"
            self.assertEqual(sum(os.lstat(top / name).st_size for name in sorted(os.listdir(top)) if name.startswith("file")), 0)
            self.assertEqual(len(os.listdir(top)), 12001)  # and lost+found
            self.assertLess(time.monotonic() - began, 20)

    def test_damage_is_an_io_error_and_an_anomaly(self):
        def fill(source):
            (source / "good").write_text("good")
            (source / "bad").write_text("bad")
        self.make(fill)
        out = subprocess.run(["debugfs", "-R", "imap /bad", self.image], capture_output=True, text=True, check=True).stdout
        block, offset = re.search(r"located at block (\d+), offset (0x[0-9a-f]+)", out).groups()
        with open(self.image, "r+b") as image:
            image.seek(int(block) * 4096 + int(offset, 16) + 40)
            image.write(b"\xff\xee\xdd\xcc")  # no extent tree any more
        with self.mount() as mount:
            top = mount.folder / "volumes/disk.raw/filesystem"
            self.assertEqual((top / "good").read_text(), "good")
            self.assertIn("bad", os.listdir(top))
            with self.assertRaises(OSError) as caught:
                (top / "bad").read_text()
            self.assertEqual(caught.exception.errno, errno.EIO)
        self.assertEqual(mount.ran.code, PARTIAL, mount.ran)
        self.assertIn("read error", mount.ran.err)

    def test_how_it_ends(self):
        self.make(lambda source: (source / "file").write_text("x"))
        with self.mount() as mount:
            self.assertEqual(mount.unmount().code, DONE, mount.ran)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.mount() as mount:
                still_open = os.open(mount.folder / "volumes/disk.raw/image.raw", os.O_RDONLY)
                os.read(still_open, 1)
                self.assertEqual(mount.stop(number).code, DONE, mount.ran)
                with self.assertRaises(OSError):  # the program behind it has gone
                    os.close(still_open)
                self.assertFalse(mounted(mount.folder))
        self.assertIn("fusermount3 -u", mount.ran.err)

    def test_in_the_background(self):
        self.make(lambda source: (source / "file").write_text("x"))
        folder = self.folder / "mnt"
        ran = icecore("mount", "-b", self.image, folder, env=self.env, cwd=self.folder, timeout=60)
        self.assertEqual(ran.code, DONE, ran)
        self.assertEqual((folder / "volumes/disk.raw/filesystem/file").read_text(), "x")
        subprocess.run(["fusermount3", "-u", folder], check=True)
        ran = icecore("mount", "-b", self.folder / "nothing", folder, env=self.env, cwd=self.folder, timeout=60)
        self.assertEqual(ran.code, FAILED, ran)

    def test_refused_mount_points(self):
        self.make(lambda source: None)
        with self.mount() as mount:
            ran = icecore("mount", self.image, mount.folder, env=self.env, cwd=self.folder)
            self.assertEqual(ran.code, FAILED, ran)
            self.assertIn("not empty", ran.err)
            self.assertEqual(icecore("mount", self.image, self.image, env=self.env, cwd=self.folder).code, USAGE)
            os.kill(mount.process.pid, signal.SIGKILL)
            mount.process.communicate()
            ran = icecore("mount", self.image, mount.folder, env=self.env, cwd=self.folder)
            self.assertIn("fusermount3 -u", ran.err, ran)
            subprocess.run(["fusermount3", "-u", mount.folder], check=True)
            mount.ran = ran

    def test_without_root(self):
        self.make(lambda source: (source / "secret").write_text("x"))
        os.chmod(self.folder / "source/secret", 0)
        os.chmod(self.folder, 0o777)
        os.chmod(self.image, 0o644)
        folder = self.folder / "mnt"
        folder.mkdir()
        os.chown(folder, 65534, 65534)
        with self.mount(folder=folder, user=65534, group=65534, extra_groups=[]) as mount:
            read = subprocess.run(["cat", folder / "volumes/disk.raw/filesystem/secret"], user=65534, group=65534, extra_groups=[], capture_output=True,
                                  text=True, check=True).stdout
            self.assertEqual(read, "x")
            mount.stop()
            self.assertFalse(mounted(folder))
        self.assertEqual(mount.ran.code, DONE, mount.ran)


class SnapshotTest(unittest.TestCase):
    """Nothing of the snapshot is on this machine; a tool reads it all the same."""

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab()
        case = Case(cls.lab)
        cls.snapshot = case.run("collect", ROOT_VOLUME, "--json").json()["snapshots"][0]["snapshot"]

    def setUp(self):
        self.case = Case(self.lab)
        self.folder = self.case.cwd / f"case-{self.snapshot}"

    def mount(self):
        return Fuse(self.snapshot, env=self.case.env, cwd=self.case.cwd)

    def here(self):
        raw = self.folder / "snapshots" / self.snapshot / "image.raw"
        return raw.stat().st_blocks * 512

    def test_sleuth_kit_on_a_snapshot_of_which_nothing_is_here(self):
        with self.mount() as mount:
            volumes = os.listdir(mount.folder / "volumes")
            self.assertEqual(volumes, [ROOT_VOLUME])
            image = mount.folder / "volumes" / ROOT_VOLUME / "image.raw"
            before = self.here()
            self.assertLess(before, 64 << 20)
            start = max(json.loads(subprocess.run(["sfdisk", "--json", ROOT], capture_output=True, text=True, check=True).stdout)["partitiontable"]["partitions"],
                        key=lambda part: part["size"])["start"]
            listed = [subprocess.run(["fls", "-o", str(start), "-r", file], capture_output=True, text=True, check=True).stdout for file in (image, ROOT)]
            self.assertEqual(*listed)
            self.assertEqual(subprocess.run(["mmls", image], capture_output=True, text=True, check=True).stdout,
                             subprocess.run(["mmls", ROOT], capture_output=True, text=True, check=True).stdout)
            self.assertTrue((mount.folder / "root/etc/passwd").read_text().startswith("root:"))
            self.assertLess(self.here(), ROOT.stat().st_blocks * 512 // 2)
            ran = self.case.run("ls", self.folder, "/")
            self.assertEqual(ran.code, FAILED, ran)
            self.assertIn("in use by", ran.err)
            self.assertIn("icecore mount", ran.err)
            self.assertIn("fusermount3 -u", ran.err)
        self.assertEqual(mount.ran.code, DONE, mount.ran)
        self.assertIn("fetched", mount.ran.err)
        verified = self.case.run("verify", self.folder)
        self.assertEqual(verified.code, DONE, verified)

    def test_a_complete_image_is_read_beside_the_mount(self):
        with Mounted(ROOT) as kernel:
            passwd = (Path(kernel) / "etc/passwd").read_bytes()
        self.assertEqual(self.case.run("acquire", self.snapshot, "--no-image-hash").code, DONE)
        with self.mount():
            before = (self.folder / "ledger.jsonl").read_bytes()
            for target in (self.folder, self.snapshot, self.folder / "snapshots" / self.snapshot / "image.raw"):
                ran = self.case.run("cat", target, "/etc/passwd")
                self.assertEqual((ran.code, ran.out_bytes), (DONE, passwd), ran)
            with Fuse(self.folder, env=self.case.env, cwd=self.case.cwd) as second:
                self.assertEqual((second.folder / "root/etc/passwd").read_bytes(), passwd)
            # What writes, or could have to fetch, has to wait.
            for command in (("acquire", self.folder), ("timeline", self.folder), ("mount", "--writable", self.folder, "w")):
                refused = self.case.run(*command)
                self.assertEqual(refused.code, FAILED, refused)
                self.assertIn("in use by", refused.err)
            self.assertEqual((self.folder / "ledger.jsonl").read_bytes(), before)
            with open(self.folder / "snapshots" / self.snapshot / "image.raw", "r+b") as image:
                image.seek(0)
                image.write(b"\x5a" * 16)
            self.assertEqual(self.case.run("ls", self.folder, "/").code, INTEGRITY)

    def test_the_image_of_a_case_that_is_not_complete_is_not_taken_for_zeros(self):
        self.assertEqual(self.case.run("ls", self.snapshot, "/").code, DONE)
        image = self.folder / "snapshots" / self.snapshot / "image.raw"
        for command in (("cat", image, "/etc/passwd"), ("export", image, "-o", "whole.raw"), ("upload", image), ("timeline", image)):
            ran = self.case.run(*command)
            self.assertEqual(ran.code, FAILED, ran)
            self.assertIn("look like zeros", ran.err)
            self.assertIn("icecore acquire", ran.err)
        self.assertFalse((self.case.cwd / "whole.raw").exists())

    def test_a_block_that_was_changed_is_an_io_error_and_an_integrity_failure(self):
        bash = "root/usr/bin/bash"
        with self.mount() as mount:
            content = (mount.folder / bash).read_bytes()
        folder = self.folder / "snapshots" / self.snapshot
        with sqlite3.connect(folder / "blocks.db") as database, open(folder / "image.raw", "r+b") as image:
            blocks = [row[0] for row in database.execute("SELECT block_index FROM block")]
            middle = content[len(content) // 2:][:4096]
            offsets = [block * BLOCK + data.find(middle) for block in blocks if (data := os.pread(image.fileno(), BLOCK, block * BLOCK)).find(middle) >= 0]
            self.assertTrue(offsets)
            for offset in offsets:
                os.pwrite(image.fileno(), b"\x90\x90", offset + 10)
        with self.mount() as mount:
            with self.assertRaises(OSError) as caught:
                (mount.folder / bash).read_bytes()
            self.assertEqual(caught.exception.errno, errno.EIO)
            self.assertTrue((mount.folder / "root/etc/passwd").read_text().startswith("root:"))
        self.assertEqual(mount.ran.code, INTEGRITY, mount.ran)

    def test_the_network_is_gone_for_a_while(self):
        with self.mount() as mount:
            os.kill(self.lab.process.pid, signal.SIGSTOP)
            again = threading.Timer(2, os.kill, (self.lab.process.pid, signal.SIGCONT))
            again.start()
            with open(mount.folder / "root/usr/bin/bash", "rb") as file:  # waits, and is right
                self.assertEqual(file.read(4), b"\x7fELF")
            again.join()
        self.assertEqual(mount.ran.code, DONE, mount.ran)


if __name__ == "__main__":
    unittest.main()
