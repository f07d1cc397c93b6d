"""What icecore reads from a disk against the kernel's own mount of a recovered copy."""
import hashlib
import json
import os
import random
import re
import stat
import subprocess
import unittest

from harness import DONE, INCIDENT, environment, icecore, investigated, scratch, sha256
from recovered import Mounted

ROOT = INCIDENT / "root.raw"
ESCAPE = re.compile(rb"\\(?:x([0-9a-f]{2})|(\\))")


def unescaped(shown):
    """The bytes behind icecore's printable text."""
    return ESCAPE.sub(lambda m: b"\\" if m[2] else bytes([int(m[1], 16)]), shown)


def births(paths):
    """Birth times to the nanosecond, from the kernel by stat(1)."""
    out = subprocess.run(["stat", "--format", "%w", *paths], capture_output=True, text=True, check=True, env={**os.environ, "TZ": "UTC"}).stdout
    return [line.split()[0] + "T" + line.split()[1] + "Z" for line in out.splitlines()]


def iso(nanoseconds):
    import datetime
    whole = datetime.datetime.fromtimestamp(nanoseconds // 10**9, datetime.timezone.utc)
    return whole.strftime("%Y-%m-%dT%H:%M:%S") + f".{nanoseconds % 10**9:09d}Z"


class ImageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.mount = Mounted(ROOT)
        cls.root = os.fsencode(cls.mount.__enter__())
        cls.addClassCleanup(cls.mount.__exit__)
        cls.folder = scratch()
        cls.env = environment(home=cls.folder)
        cls.kernel = {}  # path as the instance saw it → lstat
        for directory, folders, files in os.walk(cls.root):
            for name in folders + files:
                path = directory + b"/" + name
                cls.kernel[path[len(cls.root):]] = os.lstat(path)

    def run_on(self, command, *more):
        ran = icecore(command, ROOT, *more, env=self.env, cwd=self.folder)
        self.assertEqual(ran.code, DONE, ran)
        return ran

    def regular(self, least=0, most=1 << 22):
        return sorted(p for p, s in self.kernel.items() if stat.S_ISREG(s.st_mode) and least <= s.st_size <= most)

    def test_bodyfile_has_every_name_with_its_inode_mode_owner_size_and_times(self):
        lines = self.run_on("timeline", "--format", "bodyfile").out_bytes.splitlines()
        seen = {}
        for line in lines:
            fields = line.split(b"|")
            self.assertEqual(len(fields), 11, line)
            if not fields[1].endswith((b" (deleted)", b" (deleted-realloc)")) and not fields[1].startswith(b"/$OrphanFiles"):
                seen[unescaped(fields[1])] = fields
        # Below a partition that is mounted elsewhere (the ESP) the root's own mount shows an empty folder.
        names = {path for path in seen if path != b"/" and not path.startswith(b"/boot/efi/")}
        self.assertEqual(names, set(self.kernel))
        for path in names - {b"/boot/efi"}:
            s, f = self.kernel[path], seen[path]
            shown = stat.filemode(s.st_mode)
            wanted = (s.st_ino, shown[1:], s.st_uid, s.st_gid, s.st_size, s.st_atime_ns // 10**9, s.st_mtime_ns // 10**9, s.st_ctime_ns // 10**9)
            got = (int(f[2]), f[3].decode()[3:], int(f[4]), int(f[5]), int(f[6]), int(f[7]), int(f[8]), int(f[9]))
            self.assertEqual(got, wanted, path)

    def test_mactime_reads_the_bodyfile(self):
        body = self.folder / "body"
        self.run_on("timeline", "--format", "bodyfile", "-o", body)
        ran = subprocess.run(["mactime", "-b", body, "-d", "-y", "-z", "UTC"], capture_output=True, check=True)
        self.assertEqual(ran.stderr, b"")
        rows = ran.stdout.splitlines()
        self.assertGreater(len(rows), len(self.kernel))
        self.assertTrue(any(b"/etc/ld.so.preload" in row for row in rows))

    def test_extract_gives_the_kernels_bytes(self):
        out = self.folder / "out"
        compared = 0
        for folder in ("/etc", "/var/lib/dpkg/info", "/root", "/home"):
            told = [json.loads(line) for line in self.run_on("extract", folder, out, "--json").out_bytes.splitlines()]
            for one in told:
                path = self.root + os.fsencode(one["path"])
                if "left_out" in one:
                    self.assertFalse(os.path.isfile(path) and not os.path.islink(path), one)
                    continue
                self.assertEqual(one["sha256"], sha256(path), one["path"])
                self.assertEqual(sha256(one["file"]), one["sha256"])
                compared += 1
            inside = {p for p in self.regular(0, 1 << 40) if p.startswith(folder.encode() + b"/")}
            self.assertEqual({os.fsencode(one["path"]) for one in told if "sha256" in one}, inside)
        self.assertGreater(compared, 300)

    def test_cat_gives_the_kernels_bytes(self):
        for path in random.Random(7).sample(self.regular(1), 25) + [b"/usr/lib/x86_64-linux-gnu/libcrypto.so.3"]:
            with self.subTest(path=path):
                self.assertEqual(hashlib.sha256(self.run_on("cat", os.fsdecode(path)).out_bytes).hexdigest(), sha256(self.root + path))

    def test_stat_to_the_nanosecond(self):
        paths = random.Random(8).sample(sorted(self.kernel), 12) + [b"/etc/ld.so.preload"]
        for path, born in zip(paths, births([self.root + path for path in paths])):
            with self.subTest(path=path):
                told, s = self.run_on("stat", os.fsdecode(path), "--json").json(), self.kernel[path]
                self.assertEqual((told["inode"], told["mode"], told["uid"], told["gid"], told["links"]),
                                 (s.st_ino, stat.filemode(s.st_mode), s.st_uid, s.st_gid, s.st_nlink))
                self.assertEqual((told["modified"], told["accessed"], told["changed"]), (iso(s.st_mtime_ns), iso(s.st_atime_ns), iso(s.st_ctime_ns)))
                self.assertEqual(told["born"], born)

    def test_ls_lists_what_the_kernel_lists(self):
        for folder in ("/", "/etc", "/usr/bin", "/var/tmp", "/home/admin"):
            with self.subTest(folder=folder):
                told = {os.path.basename(item["path"]) for item in self.run_on("ls", folder, "--json").json()}
                self.assertEqual(told, set(os.listdir(self.root.decode() + folder)))
                text = self.run_on("ls", folder).out
                self.assertEqual(len(text.splitlines()), len(told))


class RecordsTest(unittest.TestCase):
    """The case's timeline as Timesketch wants it: message, datetime, timestamp and timestamp_desc in each record, in order."""

    def test_jsonl(self):
        last, sources, count = -2**63, set(), 0
        with open(investigated().folder / "analysis/timeline.jsonl", "rb") as lines:
            for line in lines:
                record = json.loads(line)
                self.assertTrue({"message", "datetime", "timestamp", "timestamp_desc", "data_type"} <= set(record), record)
                self.assertIsInstance(record["timestamp"], int)
                self.assertGreaterEqual(record["timestamp"], last, record)
                self.assertRegex(record["datetime"], r"\A-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z\Z")
                last, count = record["timestamp"], count + 1
                sources.add(record["data_type"])
        self.assertGreater(count, 20000)
        self.assertIn("fs:stat", sources)
        self.assertGreater(len(sources), 5, sources)

    def test_csv(self):
        import csv
        import io
        case = investigated()
        ran = case.run("timeline", case.folder, "--format", "csv", "--deleted")  # as investigate does, which has read the journal anyway
        rows = list(csv.reader(io.StringIO(ran.out)))
        self.assertEqual(rows[0][:3], ["datetime", "timestamp", "timestamp_desc"])
        self.assertEqual({len(row) for row in rows}, {len(rows[0])})
        with open(case.folder / "analysis/timeline.jsonl", "rb") as lines:
            self.assertEqual(len(rows) - 1, sum(1 for _ in lines))

    def test_the_data_volume_is_there_as_the_instance_saw_it(self):
        case = investigated()
        ran = case.run("ls", case.folder, "/srv", "--json")
        self.assertEqual(ran.code, DONE, ran)
        with Mounted(INCIDENT / "data.raw") as data:
            self.assertEqual({os.path.basename(item["path"]) for item in ran.json()}, set(os.listdir(data)))
            for path in sorted(p for p in data.rglob("*") if p.is_file() and not p.is_symlink())[:10]:
                told = case.run("cat", case.folder, f"/srv/{path.relative_to(data)}")
                self.assertEqual(hashlib.sha256(told.out_bytes).hexdigest(), sha256(path), path)


if __name__ == "__main__":
    unittest.main()
