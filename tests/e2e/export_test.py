"""`icecore export` against QEMU, libewf's own tools, sha256sum and the kernel's mount."""
import hashlib
import json
import os
import random
import re
import signal
import stat
import subprocess
import time
import unittest

from harness import DATA_VOLUME, DONE, FAILED, INCIDENT, INTEGRITY, USAGE, Case, Lab, environment, finish, icecore, scratch, sha256, start
from recovered import Mounted

DATA = INCIDENT / "data.raw"


def run(*command, cwd=None):
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True).stdout


class ImageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = scratch()
        cls.env = environment(home=cls.folder, USER="examiner-7")
        cls.image = cls.folder / "disk.raw"
        noise = random.Random(4)
        with open(cls.image, "wb") as image:
            image.truncate((150 << 20) + 4096 * 3)
            for offset, length in ((0, 3 << 20), ((40 << 20) + 12345, 2 << 20), ((150 << 20) + 100, 5000)):
                image.seek(offset)
                image.write(noise.randbytes(length // 2) + b"text " * (length // 10))
        cls.sha256 = sha256(cls.image)

    def export(self, *flags, code=DONE, image=None):
        ran = icecore("export", image or self.image, *flags, env=self.env, cwd=self.folder)
        self.assertEqual(ran.code, code, ran)
        self.assertEqual([name for name in os.listdir(self.folder) if "partial" in name], [])
        return ran

    def test_raw_is_the_same_and_sparse(self):
        self.export("-o", "copy.raw")
        copy = self.folder / "copy.raw"
        run("cmp", self.image, copy)
        self.assertLess(copy.stat().st_blocks * 512, 8 << 20)
        run("sha256sum", "-c", "copy.raw.sha256", cwd=self.folder)

    def test_qcow2_is_what_qemu_reads(self):
        ran = self.export("--format", "qcow2", "-o", "copy.qcow2", "--json")
        self.assertEqual(ran.json()["sha256"], self.sha256)
        self.assertIn("No errors were found", run("qemu-img", "check", "copy.qcow2", cwd=self.folder))
        self.assertIn("identical", run("qemu-img", "compare", "-f", "raw", "-F", "qcow2", self.image, "copy.qcow2", cwd=self.folder))
        info = json.loads(run("qemu-img", "info", "--output=json", "copy.qcow2", cwd=self.folder))
        self.assertEqual((info["cluster-size"], info["format-specific"]["data"]["compression-type"]), (524288, "zstd"))
        run("sha256sum", "-c", "copy.qcow2.sha256", cwd=self.folder)
        self.export("-o", "again.raw", image=self.folder / "copy.qcow2")  # and back
        self.assertEqual(sha256(self.folder / "again.raw"), self.sha256)

    def test_a_baseline_below_a_qcow2(self):
        changed = self.folder / "changed.raw"
        run("cp", "--sparse=always", self.image, changed)
        with open(changed, "r+b") as image:
            image.truncate(200 << 20)
            image.seek(1 << 20)
            image.write(bytes(1 << 20))  # zeros over data
            image.seek(180 << 20)
            image.write(b"new")
        for backing in ("base.qcow2", "base-of.raw"):
            self.export("--format", backing.rsplit(".", 1)[1], "-o", backing)
            over = f"over-{backing}.qcow2"
            self.export("--format", "qcow2", "-o", over, "--backing", backing, image=changed)
            self.assertIn("No errors were found", run("qemu-img", "check", over, cwd=self.folder))
            self.assertIn("identical", run("qemu-img", "compare", "-f", "raw", "-F", "qcow2", changed, over, cwd=self.folder))
            self.assertLess((self.folder / over).stat().st_size, 4 << 20)
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        self.export("--format", "qcow2", "-o", elsewhere / "x.qcow2", "--backing", "base.qcow2", code=USAGE)

    def test_e01_is_what_libewf_verifies(self):
        ran = self.export("--format", "e01", "-o", "copy.E01", "--case-number", "case 17", "--notes", "found running", "--description", "a disk", "--json")
        done = ran.json()
        self.assertEqual(done["sha256"], self.sha256)
        verified = run("ewfverify", "-q", "-d", "sha1", self.folder / "copy.E01")
        self.assertIn("SUCCESS", verified)
        self.assertEqual(done["md5"], run("md5sum", self.image).split()[0])
        self.assertEqual(done["sha1"], run("sha1sum", self.image).split()[0])
        info = run("ewfinfo", self.folder / "copy.E01")
        for name, value in (("Case number", "case 17"), ("Evidence number", "disk.raw"), ("Examiner name", "examiner-7"), ("Notes", "found running"),
                            ("Description", "a disk"), ("MD5", done["md5"])):
            self.assertRegex(info, rf"{name}:\s+{re.escape(value)}")
        run("ewfexport", "-u", "-q", "-f", "raw", "-t", self.folder / "back", self.folder / "copy.E01")
        self.assertEqual(sha256(self.folder / "back.raw"), self.sha256)
        run("sha256sum", "-c", "copy.E01.sha256", cwd=self.folder)
        ran = icecore("verify", self.folder / "copy.E01", env=self.env, cwd=self.folder)
        self.assertEqual(ran.code, DONE, ran)
        self.assertIn("fits", ran.out)
        with open(self.folder / "copy.E01", "r+b") as image:
            image.seek(1 << 20)
            image.write(b"\x00\xff\x00")
        ran = icecore("verify", self.folder / "copy.E01", env=self.env, cwd=self.folder)
        self.assertEqual(ran.code, INTEGRITY, ran)
        self.assertIn("does not match its checksum", ran.err)

    def test_what_is_there_is_not_overwritten(self):
        (self.folder / "mine").write_text("mine")
        self.assertIn("not overwritten", self.export("-o", "mine", code=FAILED).err)
        self.assertEqual((self.folder / "mine").read_text(), "mine")
        self.export("--format", "e01", "-o", "name.raw", code=USAGE)
        self.export(code=USAGE)

    def test_without_its_manifest_there_is_no_image(self):
        (self.folder / "lone.raw.sha256").mkdir()
        ran = self.export("-o", "lone.raw", code=FAILED)
        self.assertIn("lone.raw.sha256", ran.err)
        self.assertFalse((self.folder / "lone.raw").exists())

    def test_interrupted(self):
        for file, form in (("cut.raw", "raw"), ("cut.qcow2", "qcow2"), ("cut.E01", "e01")):
            arguments = ["export", str(INCIDENT / "root.raw"), "--format", form, "-o", file]
            process = start(arguments, self.env, self.folder)
            deadline = time.monotonic() + 60
            while not any("partial" in name for name in os.listdir(self.folder)) and time.monotonic() < deadline and process.poll() is None:
                time.sleep(0.005)
            process.send_signal(signal.SIGINT)
            ran = finish(process, arguments, 60)
            self.assertIn(ran.code, (130, DONE), ran)
            if ran.code:
                self.assertEqual([name for name in os.listdir(self.folder) if name.startswith("cut")], [], ran)


class SnapshotTest(unittest.TestCase):
    def test_a_snapshot_is_completed_and_given_onward(self):
        lab = Lab()
        case = Case(lab)
        snapshot = case.run("collect", DATA_VOLUME, "--json").json()["snapshots"][0]["snapshot"]
        ran = case.run("export", snapshot, "-o", "data.qcow2", "--format", "qcow2")
        self.assertEqual(ran.code, FAILED, ran)
        self.assertIn("--fetch", ran.err)
        ran = case.run("export", snapshot, "-o", "data.qcow2", "--format", "qcow2", "--fetch", "--hashdeep", "data.hashdeep")
        self.assertEqual(ran.code, DONE, ran)
        self.assertIn("identical", run("qemu-img", "compare", "-f", "raw", "-F", "qcow2", DATA, "data.qcow2", cwd=case.cwd))
        self.assertEqual(case.run("verify", case.cwd / f"case-{snapshot}").code, DONE)
        ran = case.run("export", snapshot, "-o", "data.E01", "--format", "e01")
        self.assertEqual(ran.code, DONE, ran)
        info = run("ewfinfo", case.cwd / "data.E01")
        self.assertRegex(info, rf"Evidence number:\s+{snapshot}")
        self.assertRegex(info, r"Case number:\s+case-")
        self.assertIn("Snapshot taken", info)
        self.assertIn("SUCCESS", run("ewfverify", "-q", case.cwd / "data.E01"))
        lines = (case.cwd / "data.hashdeep").read_bytes().splitlines()
        self.assertEqual(lines[:2], [b"%%%% HASHDEEP-1.0", b"%%%% size,md5,sha256,filename"])
        listed = {line.split(b",", 3)[3]: line.split(b",", 3)[:3] for line in lines if not line.startswith((b"%", b"#"))}
        with Mounted(DATA) as top:
            files = 0
            for directory, _, names in os.walk(os.fsencode(top)):
                for name in names:
                    path = directory + b"/" + name
                    if not stat.S_ISREG(os.lstat(path).st_mode):
                        continue
                    with open(path, "rb") as file:
                        content = file.read()
                    inside = path[len(os.fsencode(top)):]
                    found = [hashes for shown, hashes in listed.items() if shown.endswith(inside)]
                    self.assertIn([str(len(content)).encode(), hashlib.md5(content).hexdigest().encode(), hashlib.sha256(content).hexdigest().encode()], found, path)
                    files += 1
            self.assertEqual(files, len(listed))


if __name__ == "__main__":
    unittest.main()
